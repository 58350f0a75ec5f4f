"""What can be written: the catalogue by editors, and by everybody what is their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from msgspec import UNSET

from metron_async._engine.bodies import prepare_body
from metron_async.errors import UsageError
from metron_async.models import Action, Input, encode_input
from metron_async.resources.base import Resource, checked_id
from metron_async.resources.staleness import of_account, of_edit

if TYPE_CHECKING:
    from metron_async._engine.messages import Stale
    from metron_async.types import Added

__all__ = ["Personal", "Writable", "given", "sent_fields"]

I = TypeVar("I", bound=Input)  # noqa: E741 - an input
W = TypeVar("W")

_METHODS: dict[Action, str] = {"create": "POST", "update": "PATCH", "replace": "PUT"}


class Writable(Resource, Generic[I, W]):
    """A resource whose objects editors can create and change.

    Attributes:
        input: What is written.
        written: What the server answers: ids where reads give objects.
    """

    input: type[I]
    written: type[W]

    async def create(self, data: I, /) -> W:
        """Create an object. Only editors may.

        Args:
            data: What to write; it must have all fields that its class calls required.

        Returns:
            The new object as the server answers to a write: with ids of other objects.

        Raises:
            UsageError: If the server is known to refuse a value, or an image cannot be read;
                nothing was sent.
            ValidationError: If the server refuses a value; ``fields`` says which.
            PermissionDeniedError: If the account is no editor's.
            MetronError: For anything else. If ``outcome_unknown`` is set, the object may have
                been created all the same.
        """
        return await self._write("create", None, data)

    async def update(self, id: int, data: I, /) -> W:
        """Change those fields of an object that are set (PATCH). Only editors may.

        Args:
            id: Metron's id of the object.
            data: What to change. ``None`` clears what can be cleared.

        Returns:
            The object as the server answers to a write: with ids of other objects.

        Raises:
            UsageError: As for :meth:`create`; also if nothing is set, or a list were to be
                cleared where the server takes only forms, which cannot say that.
            NotFoundError: If there is no such object.
            MetronError: As for :meth:`create`.
        """
        return await self._write("update", checked_id(id), data)

    async def replace(self, id: int, data: I, /) -> W:
        """Write an object as a whole (PUT). Only editors may.

        The required fields must be there. Of the others, the server may keep those that are not
        sent; give ``None`` for what is to be cleared.

        Args:
            id: Metron's id of the object.
            data: What to write.

        Returns:
            The object as the server answers to a write: with ids of other objects.

        Raises:
            MetronError: As for :meth:`update`.
        """
        return await self._write("replace", checked_id(id), data)

    async def _write(self, action: Action, number: int | None, data: I) -> W:
        if type(data) is not self.input:
            msg = f"{self.path}: {self.input.__name__} is what can be written, got {data!r:.100}"
            raise UsageError(msg)
        body = await prepare_body(encode_input(data, action))
        request = self._request(
            "" if number is None else f"{number}/",
            method=_METHODS[action],
            body=body,
            object_id=number,
            may_404=number is not None,
        )
        sent = sent_fields(data)
        written = await self._caller.write(
            request, self.written, lambda value: self._stale_after(number, sent, value)
        )
        return written.item

    def _stale_after(
        self, number: int | None, sent: dict[str, Any], value: W | None
    ) -> tuple[Stale, ...]:
        """Return what has become stale by the fields *sent*; *value* is the answer, if any."""
        if number is not None:
            return of_edit(self.path, sent, number)
        new: Any = value
        return of_edit(self.path, sent, None if new is None else new.id, created=True)


class Personal(Resource):
    """A resource that every account has for itself, and can change."""

    private = True

    async def _change(
        self,
        method: str,
        below: str,
        answer: type[W] | None,
        data: Input | None = None,
        *,
        also: tuple[Stale, ...] = (),
    ) -> Added[W]:
        """Send a write below the resource's path.

        Args:
            method: HTTP method.
            below: The path.
            answer: Type of the answer, or ``None`` if it has no body.
            data: What to write, or ``None`` for no body.
            also: What it makes stale besides the account's own data in this resource.
        """
        body = None
        if data is not None:
            action: Action = "update" if method == "PATCH" else "create"
            body = await prepare_body(encode_input(data, action))
        stale = (*of_account(self.path), *also)
        request = self._request(below, method=method, body=body, may_404=True)
        return await self._caller.write(request, answer, lambda _: stale)


def given(**fields: Any) -> dict[str, Any]:
    """Return those *fields* that are not ``None``, which stands for the server's default."""
    return {name: value for name, value in fields.items() if value is not None}


def sent_fields(data: Input) -> dict[str, Any]:
    """Return the fields of *data* that are set."""
    values = {name: getattr(data, name) for name in data.__struct_fields__}
    return {name: value for name, value in values.items() if value is not UNSET}

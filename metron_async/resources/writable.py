"""Writes: editors change the catalogue, each account its own data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from msgspec import UNSET

from metron_async._engine.bodies import prepare_body
from metron_async._values import show
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

    Responses to writes have ids where reads have objects.
    """

    _input: type[I]
    _written: type[W]

    async def create(self, data: I, /) -> W:
        """Create an object. Only editors may.

        Args:
            data: The fields to write, with all those that its class lists as required.

        Returns:
            The new object, with ids in place of other objects.

        Raises:
            UsageError: If a value is invalid, or an image cannot be read; nothing was sent.
            ValidationError: If the server rejects a value; ``fields`` says which.
            PermissionDeniedError: If the account is not an editor.
            MetronError: For anything else. If ``outcome_unknown`` is set, the server may
                have created the object.
        """
        return await self._write("create", None, data)

    async def update(self, id: int, data: I, /) -> W:
        """Change the fields of an object that are set in *data* (PATCH). Only editors may.

        Args:
            id: Metron's id of the object.
            data: The fields to change. ``None`` clears a field that can be cleared.

        Returns:
            The object, with ids in place of other objects.

        Raises:
            UsageError: As for :meth:`create`. Also if no field is set, or if a list is to be
                cleared where the server takes only forms, which cannot clear a list.
            NotFoundError: If the object does not exist.
            MetronError: As for :meth:`create`.
        """
        return await self._write("update", checked_id(id), data)

    async def replace(self, id: int, data: I, /) -> W:
        """Write an object as a whole (PUT). Only editors may.

        The required fields must be set. The server may keep other fields that are not sent. Pass
        ``None`` to clear a field.

        Args:
            id: Metron's id of the object.
            data: The fields to write.

        Returns:
            The object, with ids in place of other objects.

        Raises:
            MetronError: As for :meth:`update`.
        """
        return await self._write("replace", checked_id(id), data)

    async def _write(self, action: Action, number: int | None, data: I) -> W:
        if type(data) is not self._input:
            msg = f"{self._path}: expected {self._input.__name__}, got {show(data)}"
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
            request, self._written, lambda value: self._stale_after(number, sent, value)
        )
        return written.item

    def _stale_after(
        self, number: int | None, sent: dict[str, Any], value: W | None
    ) -> tuple[Stale, ...]:
        """Return what a write of the fields *sent*, with the response *value*, made stale."""
        if number is not None:
            return of_edit(self._path, sent, number)
        new: Any = value
        return of_edit(self._path, sent, None if new is None else new.id, created=True)


class Personal(Resource):
    """A resource of which each account has its own, and can change it."""

    _private = True

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
            answer: Type of the response, or ``None`` if it has no body.
            data: Body of the request, or ``None`` for no body.
            also: What the write makes stale besides the account's data in this resource.
        """
        body = None
        if data is not None:
            action: Action = "update" if method == "PATCH" else "create"
            body = await prepare_body(encode_input(data, action))
        stale = (*of_account(self._path), *also)
        request = self._request(below, method=method, body=body, may_404=True)
        return await self._caller.write(request, answer, lambda _: stale)


def given(**fields: Any) -> dict[str, Any]:
    """Return those *fields* that are not ``None``, which stands for the server's default."""
    return {name: value for name, value in fields.items() if value is not None}


def sent_fields(data: Input) -> dict[str, Any]:
    """Return the fields of *data* that are set."""
    values = {name: getattr(data, name) for name in data.__struct_fields__}
    return {name: value for name, value in values.items() if value is not UNSET}

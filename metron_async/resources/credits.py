"""Credits, the roles of creators in an issue: ``metron.credits``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metron_async._engine.bodies import json_body
from metron_async._values import show
from metron_async.errors import UsageError
from metron_async.models import CreditInput, CreditWritten, JsonFields, encode_input
from metron_async.resources.base import Resource
from metron_async.resources.staleness import of_credits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["CreditsResource"]


class CreditsResource(Resource):
    """Credits, the roles of creators in an issue: ``metron.credits``.

    They are read as part of their issue.
    """

    _path = "credit"

    async def create(self, rows: Iterable[CreditInput], /) -> list[CreditWritten]:
        """Create any number of credits in one request. The server creates all of them or none.

        Args:
            rows: The credits to create.

        Returns:
            The new credits, in the order of *rows*.

        Raises:
            UsageError: If *rows* is empty, or a value is invalid; nothing was sent. The message
                names the row, counted from 0.
            ValidationError: If the server rejects a value. The keys of ``fields`` begin with
                the row: ``"2.creator"``.
            MetronError: For anything else. If ``outcome_unknown`` is set, the server may
                have created the credits.
        """
        given = list(rows)
        if not given:
            msg = "credits: expected at least one CreditInput, got none"
            raise UsageError(msg)
        body = json_body([_encoded(position, row) for position, row in enumerate(given)])
        stale = of_credits({row.issue for row in given})
        written = await self._caller.write(
            self._request(method="POST", body=body), list[CreditWritten], lambda _: stale
        )
        return written.item


def _encoded(position: int, row: object) -> Mapping[str, object]:
    if not isinstance(row, CreditInput):
        msg = f"credits[{position}]: expected CreditInput, got {show(row)}"
        raise UsageError(msg)
    try:
        encoded = encode_input(row, "create")
    except UsageError as error:
        msg = f"credits[{position}]: {error}"
        raise UsageError(msg) from None
    assert isinstance(encoded, JsonFields)  # noqa: S101 - a credit has no image
    return encoded.fields

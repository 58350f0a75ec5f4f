"""Variant covers: ``metron.variants``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metron_async.models import VariantInput, VariantWritten
from metron_async.resources.staleness import of_variant
from metron_async.resources.writable import Writable

if TYPE_CHECKING:
    from metron_async._engine.messages import Stale

__all__ = ["VariantsResource"]


class VariantsResource(Writable[VariantInput, VariantWritten]):
    """Variant covers: ``metron.variants``. They are read as part of their issue.

    Only responses to writes contain the id of a variant: keep it for later changes.
    """

    _path = "variant"

    def _stale_after(
        self, number: int | None, sent: dict[str, Any], value: VariantWritten | None
    ) -> tuple[Stale, ...]:
        if number is None:
            return of_variant({sent["issue"]})
        if value is None or "issue" in sent:  # its issue before is not known
            return of_variant(None)
        return of_variant({value.issue})

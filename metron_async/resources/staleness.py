"""Cached responses that a write makes stale. Pure: plain values in, plain values out.

A write has three consequences:

- The object itself and the lists of its resource change, always.
- Responses that *embed* a part of the object change if that part was written. An issue shows the
  names of its characters, so renaming a character makes issues stale; describing it does not. The
  fields that were sent show what was written. A replacement (PUT) sends all of them.
- Anything about an issue (a credit, a variant cover) moves the issue's ``modified``, which the
  rows of all lists of issues show.

A write does not show *which* issues name a character, so all cached issues of the account are
dropped. Fetching them again costs requests, but no response is wrong. Lists are cached for two
minutes only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metron_async._engine.messages import Stale
from metron_async.cache import Kind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["of_account", "of_credits", "of_edit", "of_variant"]

_ISSUE_LISTS = tuple(Stale(r, Kind.ISSUE_LIST) for r in ("arc", "character", "series", "team"))
_SHELVES = ("collection", "pull_list", "reading_list", "wish_list")
_PERSONAL = tuple(Stale(resource, Kind.PRIVATE) for resource in _SHELVES)
_ALL_ISSUES = Stale("issue", Kind.DETAIL)
_ISSUE_ROWS = (Stale("issue", Kind.LIST), *_ISSUE_LISTS, *_PERSONAL)
# A publisher's own list of series has the publisher's path.
_SERIES_ROWS = (Stale("series", Kind.LIST), Stale("publisher", Kind.LIST))


def _details(*resources: str) -> tuple[Stale, ...]:
    return tuple(Stale(resource, Kind.DETAIL) for resource in resources)


_NAME = frozenset({"name"})
_IN_ISSUES_OF_SERIES = frozenset(
    {"name", "sort_name", "alt_names", "language", "volume", "year_began", "series_type"}
    | {"genres", "publisher", "imprint"}
)

_EMBEDDED: dict[str, tuple[frozenset[str], tuple[Stale, ...]]] = {
    "arc": (_NAME, _details("issue")),
    "character": (_NAME, _details("issue")),
    "creator": (_NAME, _details("issue", "character", "team")),
    "imprint": (
        _NAME,
        (*_details("issue", "series"), Stale("issue", Kind.LIST), *_SERIES_ROWS),
    ),
    "issue": (
        # Issues that reprint it show series and number; a series counts its issues.
        frozenset({"series", "number"}),
        (*_details("issue", "series"), *_SERIES_ROWS),
    ),
    "publisher": (
        _NAME,
        (
            *_details("issue", "series", "imprint", "universe"),
            Stale("issue", Kind.LIST),
            *_SERIES_ROWS,
        ),
    ),
    "series": (
        _IN_ISSUES_OF_SERIES,
        (*_details("issue", "series"), *_ISSUE_ROWS, *_SERIES_ROWS),
    ),
    "team": (_NAME, _details("issue", "character")),
    "universe": (_NAME, _details("issue", "character", "team")),
}
"""Per resource: the fields that other responses embed, and those responses."""


def of_edit(
    resource: str, sent: Mapping[str, Any], object_id: int | None, *, created: bool = False
) -> tuple[Stale, ...]:
    """Return what an editor's write of an object has made stale.

    Args:
        resource: The resource.
        sent: The fields that were sent, by their names in the input.
        object_id: Id of the object; ``None`` if it is not known whether it was created.
        created: Whether it was created. Then no response embeds it yet.
    """
    stale = [Stale(resource, Kind.LIST)]
    if object_id is not None:  # a new object may be cached as missing
        stale.append(Stale(resource, Kind.DETAIL, object_id))
    if resource == "issue":
        stale += _ISSUE_ROWS
    elif resource == "series":
        stale += [Stale("publisher", Kind.LIST), Stale("pull_list", Kind.PRIVATE)]
    fields, elsewhere = _EMBEDDED[resource]
    if resource == "issue" and created:
        stale += [Stale("series", Kind.DETAIL, sent["series"]), *_SERIES_ROWS]
    elif not created and not fields.isdisjoint(sent.keys()):
        stale += elsewhere
    return tuple(dict.fromkeys(stale))


def of_variant(issues: Collection[int] | None) -> tuple[Stale, ...]:
    """Return what a written variant cover has made stale.

    Args:
        issues: The issues that it belongs or belonged to; ``None`` if they are not known.
    """
    if issues is None:
        return (_ALL_ISSUES, *_ISSUE_ROWS)
    return (*(Stale("issue", Kind.DETAIL, issue) for issue in sorted(issues)), *_ISSUE_ROWS)


def of_credits(issues: Collection[int]) -> tuple[Stale, ...]:
    """Return what new credits of these *issues* have made stale."""
    return of_variant(issues)


def of_account(*resources: str) -> tuple[Stale, ...]:
    """Return all of the account's own data in these *resources*."""
    return tuple(Stale(resource, Kind.PRIVATE) for resource in resources)

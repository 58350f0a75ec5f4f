"""The commands that read: ``quota``, ``get``, ``list``."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import msgspec

from metron_async.cli.filters import filters_in
from metron_async.cli.output import duration, print_json, print_line
from metron_async.cli.parser import DETAILS
from metron_async.errors import UsageError
from metron_async.models import Credit

if TYPE_CHECKING:
    import argparse

    from metron_async.admission import WindowState
    from metron_async.client import AsyncMetron
    from metron_async.lists.pagination import RowList

__all__ = ["get", "list_rows", "quota"]


async def quota(metron: AsyncMetron, options: argparse.Namespace) -> int:
    """Print what is left of both windows, after the last response that the storage knows of."""
    state = await metron.quota()
    windows = {"minute": state.burst, "day": state.sustained}
    if options.json:
        print_json({name: _window(window) for name, window in windows.items()})
        return 0
    for name, window in windows.items():
        line = f"{name:7}{window.remaining:>7,} of {window.limit:,} left"
        if not window.known:
            line += " (a guess: the server has not said yet)"
        if window.resets_in > 0:
            line += f", the next one back in {duration(window.resets_in)}"
        print_line(line)
    return 0


def _window(window: WindowState) -> dict[str, object]:
    return {
        "limit": window.limit,
        "remaining": window.remaining,
        "resets_in": round(window.resets_in, 1),
        "resets_at": window.resets_at,
        "known": window.known,
    }


async def get(metron: AsyncMetron, options: argparse.Namespace) -> int:
    """Fetch and print one object."""
    found = await getattr(metron, DETAILS[options.kind]).get(options.id)
    if options.json:
        print_json(found.to_dict())
        return 0
    for field in found.__struct_fields__:
        value = getattr(found, field)
        if value not in (None, "", ()):
            print_line(f"{field + ':':20} {_text(value)}")
    return 0


async def list_rows(metron: AsyncMetron, options: argparse.Namespace) -> int:
    """Print the rows of a list, each as soon as it is there."""
    if options.limit is not None and options.limit < 0:
        msg = "--limit must not be negative"
        raise UsageError(msg)
    left = options.limit
    # Only a whole list can be proven to be complete.
    rows = _list(metron, options).rows(strict=options.limit is None)
    async with contextlib.aclosing(rows):
        while left is None or left > 0:
            row = await anext(rows, None)
            if row is None:
                break
            if options.json:
                print_json(row.to_dict(), indent=0)
            else:
                print_line(f"{row.id:>8}  {_label(row)}")
            left = None if left is None else left - 1
    return 0


def _list(metron: AsyncMetron, options: argparse.Namespace) -> RowList[Any]:
    if options.source == "wish_list":
        return metron.wish_list.items()
    if options.source == "pull_list":
        return metron.pull_list.series()
    found: RowList[Any] = getattr(metron, options.source).iter(**filters_in(options))
    return found


_LABELS = ("issue_name", "display_name", "name")


def _label(row: Any) -> str:
    """Return what a person would call the row."""
    for field in _LABELS:
        if hasattr(row, field):
            return str(getattr(row, field))
    inner = getattr(row, "issue", None) or row
    number = f" #{inner.number}" if hasattr(inner, "number") else ""
    return f"{_text(getattr(inner, 'series', ''))}{number}"


def _text(value: Any) -> str:
    """Return a value in one line; of what is nested only what a person would call it."""
    if isinstance(value, tuple):
        return ", ".join(_text(inner) for inner in value)  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, Credit):
        roles = ", ".join(role.name for role in value.role)
        return f"{value.creator} ({roles})" if roles else value.creator
    if isinstance(value, msgspec.Struct):
        fields = value.__struct_fields__
        label = next((name for name in _LABELS if name in fields), None)
        return str(getattr(value, label)) if label else msgspec.json.encode(value).decode()
    return " ".join(str(value).split())

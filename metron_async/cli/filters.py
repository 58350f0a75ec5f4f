"""Command line options for the filters of a list, made from its ``TypedDict``."""

from __future__ import annotations

import argparse
import functools
import inspect
import re
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin, get_type_hints

from metron_async._values import Among
from metron_async.filters import common

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["add_filters", "filters_in"]


def add_filters(parser: argparse.ArgumentParser, schema: type) -> None:
    """Give *parser* one option for each filter in *schema*."""
    group = parser.add_argument_group("filters, all of which must match")
    described = _descriptions(schema)
    for name, hint in sorted(get_type_hints(schema, include_extras=True).items()):
        flag = "--" + re.sub("_+", "-", name)
        settings: dict[str, Any] = {
            "dest": f"filter:{name}",
            "default": argparse.SUPPRESS,
            "help": described.get(name, "").replace("%", "%%"),
        }
        if hint is bool:
            group.add_argument(flag, action=argparse.BooleanOptionalAction, **settings)
        else:
            convert, metavar = _converter(hint)
            group.add_argument(flag, type=convert, metavar=metavar, **settings)


def filters_in(options: argparse.Namespace) -> dict[str, object]:
    """Return the filters that were given, by name."""
    marked = {name for name in vars(options) if name.startswith("filter:")}
    return {name.removeprefix("filter:"): getattr(options, name) for name in sorted(marked)}


def _descriptions(schema: type) -> Mapping[str, str]:
    """Return what docstrings say about each filter of a list.

    A ``TypedDict`` does not remember its bases, so all that many lists share are looked through.
    """
    found: dict[str, str] = {}
    for part in (common.ModifiedFilters, common.NamedFilters, common.CataloguedFilters, schema):
        _, _, attributes = inspect.cleandoc(part.__doc__ or "").partition("Attributes:\n")
        for name, text in re.findall(r"^ {4}(\w+): (.*(?:\n {5,}.*)*)", attributes, re.MULTILINE):
            plain = re.sub(r":\w+:`~?(?:\w+\.)*(\w+)`", r"\1", " ".join(text.split()))
            found[name] = plain.replace("``", "")
    return found


def _converter(hint: Any) -> tuple[Callable[[str], object], str]:
    """Return what reads a value of that type, and how to call it in the help."""
    if get_origin(hint) is Annotated:
        plain, limit = get_args(hint)
        if isinstance(limit, Among):
            return functools.partial(_member, limit), "CODE"
        if plain is int:
            return _integer, "N"
        return (_number, "N") if Decimal in get_args(plain) else (_integers, "N[,N...]")
    if hint is date:
        return _date, "DATE"
    if hint is datetime:
        return _instant, "TIME"
    return str, "TEXT"


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise _wrong(text, "a whole number") from None


def _integers(text: str) -> list[int]:
    return [_integer(part) for part in text.split(",")]


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise _wrong(text, "a number") from None


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _wrong(text, "a date such as 2026-11-20") from None


def _instant(text: str) -> datetime:
    """Read an instant; one without an offset is local time."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise _wrong(text, "a time such as 2026-11-20T17:00 or 2026-11-20T17:00Z") from None


def _member(among: Among, text: str) -> object:
    """Read a code or the name of a code."""
    for member in among.choices:
        if text.casefold() in {member.name.casefold(), str(member.value).casefold()}:
            return member
    known = ", ".join(f"{member.name} ({member.value})" for member in among.choices)
    raise _wrong(text, f"one of {known}")


def _wrong(text: str, expected: str) -> argparse.ArgumentTypeError:
    return argparse.ArgumentTypeError(f"expected {expected}, got {text!r}")

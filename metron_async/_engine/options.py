"""Checks the options of a call, which :meth:`metron_async.AsyncMetron.with_options` takes."""

from __future__ import annotations

import enum
import inspect
import math
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from metron_async.errors import UsageError
from metron_async.types import OptionArguments, Priority

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metron_async.types import CallOptions

__all__ = ["DEFAULT", "Default", "checked_options", "is_whole"]


class _Default(enum.Enum):
    """The type of :data:`DEFAULT`."""

    DEFAULT = "default"

    def __repr__(self) -> str:
        return "DEFAULT"


DEFAULT: Final = _Default.DEFAULT
"""Stands for the part that a client chooses by itself."""

Default = Literal[_Default.DEFAULT]

_SECONDS = frozenset({"max_wait", "timeout", "fresh_for"})
_FLAGS = frozenset({"refresh", "offline", "stale_if_error"})
_SECRETS = {"token": ("token", "key", "secret", "bearer"), "password": ("pass", "pwd")}


def checked_options(
    base: CallOptions, given: Mapping[str, Any], arguments: tuple[str, ...] = ()
) -> CallOptions:
    """Return *base* with the options *given* in place of its own.

    Args:
        base: The options so far.
        given: The new ones, by name.
        arguments: Further names that the function takes, to suggest one for an unknown name.

    Raises:
        UsageError: If a name is unknown, or a value is invalid.
    """
    for name, value in given.items():
        if name not in OptionArguments.__annotations__:
            raise UsageError(_unknown(name, arguments))
        problem = _problem(name, value)
        if problem:
            msg = f"{name} {problem}, got {_shown(value)}"
            raise UsageError(msg)
    options = msgspec.structs.replace(base, **given)
    if options.refresh and options.offline:
        msg = "refresh and offline are mutually exclusive. Pass only one of them"
        raise UsageError(msg)
    return options


def _unknown(name: str, arguments: tuple[str, ...]) -> str:
    """Return the message for an unknown name. Its value may be a secret, and is not shown."""
    import difflib  # noqa: PLC0415 - takes a millisecond, and only mistakes need it

    known = [*arguments, *OptionArguments.__annotations__]
    close = difflib.get_close_matches(name, known, 1)
    for meant, parts in _SECRETS.items():
        if meant in arguments and any(part in name.lower() for part in parts):
            close = [meant]
    hint = f"Did you mean {close[0]}?" if close else f"Expected one of: {', '.join(known)}"
    return f"Unknown argument {name[:80]!r}. {hint}"


def _problem(name: str, value: Any) -> str | None:
    """Return what is wrong with the option *name* set to *value*, or ``None``."""
    if name in _SECONDS:
        some = name == "timeout"  # of 0, it would only waste what is sent
        fits = value is None or (_is_number(value) and (value > 0 or (value == 0 and not some)))
        return None if fits else "must be a number of seconds, or None"
    if name in _FLAGS:
        return None if isinstance(value, bool) else "must be True or False"
    if name == "retries":
        fits = is_whole(value) and 0 <= value <= 10  # noqa: PLR2004
        return None if fits else "must be a whole number from 0 to 10"
    if name == "priority":
        return None if isinstance(value, Priority) else "must be a Priority"
    if name == "on_request" and inspect.iscoroutinefunction(value):
        return "must be a function that is not asynchronous"
    return None if value is None or callable(value) else "must be callable"


def is_whole(value: object) -> bool:
    """Return whether *value* is an int, and not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    try:
        return not math.isnan(value)
    except OverflowError:  # an int too large for a clock
        return False


def _shown(value: object) -> str:
    """Return *value* for a message: short, and also where it has no repr."""
    try:
        return f"{value!r:.80}"
    except Exception:  # noqa: BLE001 - of a huge int, or of the user's own class
        return f"a {type(value).__name__}"

"""The options of a call, checked: what :meth:`metron_async.AsyncMetron.with_options` takes."""

from __future__ import annotations

import dataclasses
import enum
import math
from typing import TYPE_CHECKING, Any, Final, Literal, TypedDict

from metron_async.errors import UsageError
from metron_async.types import Priority

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from metron_async.types import CallOptions, Wait

__all__ = ["DEFAULT", "Default", "OptionArguments", "checked_options"]


class _Default(enum.Enum):
    """The type of :data:`DEFAULT`."""

    DEFAULT = "default"

    def __repr__(self) -> str:
        return "DEFAULT"


DEFAULT: Final = _Default.DEFAULT
"""Stands for the part that a client chooses by itself."""

Default = Literal[_Default.DEFAULT]


class OptionArguments(TypedDict, total=False):
    """Keywords that say how calls behave.

    Attributes:
        priority: Lane in the queue for the quota. ``INTERACTIVE`` goes before ``NORMAL``, which
            goes before ``BULK``; ``BULK`` is paced, and leaves a slot to the others.
        max_wait: Seconds that a call may spend waiting, its retries included. A call that would
            have to wait longer is refused at once. ``None``, the default, waits out the minute's
            window but never the day's; ``math.inf`` waits for either.
        timeout: Seconds after which a call gives up, or ``None``; for a list, per page. This is
            the caller's own deadline; sockets have theirs.
        retries: Tries after the first, for reads that failed in a way that may pass. Each costs
            a slot.
        fresh_for: Seconds for which a cached answer will do without asking the server, in place
            of the cache's own rules. Collection, pull list, wish list and reading lists are not
            cached at all, unless the cache is made with ``keep_private=True``.
        refresh: Ask the server anew, whatever is cached.
        offline: Send nothing; answer from the cache, however old.
        stale_if_error: Let an outdated cached answer stand in when the server fails or the quota
            is spent; ``metron.origin_of`` tells.
        on_wait: Called with a :class:`~metron_async.Wait` when the call begins to wait.
    """

    priority: Priority
    max_wait: float | None
    timeout: float | None
    retries: int
    fresh_for: float | None
    refresh: bool
    offline: bool
    stale_if_error: bool
    on_wait: Callable[[Wait], None] | None


_SECONDS = frozenset({"max_wait", "timeout", "fresh_for"})
_FLAGS = frozenset({"refresh", "offline", "stale_if_error"})


def checked_options(base: CallOptions, given: Mapping[str, Any]) -> CallOptions:
    """Return *base* with the options *given* in place of its own.

    Raises:
        UsageError: If a name is unknown, or a value cannot be meant.
    """
    for name, value in given.items():
        problem = _problem(name, value)
        if problem:
            msg = f"{name} {problem}, got {value!r}"
            raise UsageError(msg)
    options = dataclasses.replace(base, **given)
    if options.refresh and options.offline:
        msg = "refresh asks the server, offline forbids it: give one of them"
        raise UsageError(msg)
    return options


def _problem(name: str, value: Any) -> str | None:
    """Say what is wrong with the option *name* set to *value*, or ``None``."""
    if name in _SECONDS:
        zero = value == 0 and name != "timeout"  # which would only waste what is sent
        fits = value is None or (_is_number(value) and (value > 0 or zero))
        return None if fits else "must be a number of seconds, or None"
    if name in _FLAGS:
        return None if isinstance(value, bool) else "must be True or False"
    if name == "retries":
        whole = isinstance(value, int) and not isinstance(value, bool)
        return None if whole and 0 <= value <= 10 else "must be a whole number from 0 to 10"  # noqa: PLR2004
    if name == "priority":
        return None if isinstance(value, Priority) else "must be a Priority"
    if name == "on_wait":
        return None if value is None or callable(value) else "must be callable"
    return "is not an option"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)

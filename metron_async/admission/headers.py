"""The quota headers of a response, as plain values.

The server sends six headers with every response that got past authentication:
``X-RateLimit-Burst-*`` for the minute's window and ``X-RateLimit-Sustained-*`` for the day's, each
with ``Limit``, ``Remaining`` (this request included) and ``Reset``. ``Reset`` is in the server's
clock, which may be off by any amount, so it is only ever used relative to the ``Date`` of the same
response. Both are whole seconds, one rounded up and one down: the difference is at most two
seconds too long, and never too short.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from metron_async._httpdate import parse_http_date

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RESET_ROUNDING", "Reading", "parse_rate_headers", "parse_retry_after"]

Reading: TypeAlias = tuple[float, ...]

RESET_ROUNDING = 2.0
"""Seconds by which ``Reset - Date`` can exceed the truth: two roundings to whole seconds."""

_MOST = 1_000_000  # no account has more: a larger number is invalid
_LONGEST = 2 * 86_400.0  # no window lasts longer than a day


def parse_rate_headers(headers: Mapping[str, str]) -> tuple[Reading, Reading]:
    """Read the quota headers of a response.

    Args:
        headers: Header values by lower-case name.

    Returns:
        The readings of the minute's and the day's window: limit, requests left after this one,
        and the seconds after ``Date`` at which one slot becomes free, negative if unknown. A
        reading is empty where a window is not described validly, as in responses of the proxy in
        front of the server.

    Example:
        >>> headers = {"x-ratelimit-burst-limit": "20", "x-ratelimit-burst-remaining": "7"}
        >>> parse_rate_headers(headers)
        ((20, 7, -1.0), ())
    """
    date = parse_http_date(headers.get("date"))
    return _parse_window(headers, "burst", date), _parse_window(headers, "sustained", date)


def parse_retry_after(headers: Mapping[str, str]) -> float:
    """Read ``Retry-After``, in either of its two forms.

    Args:
        headers: Header values by lower-case name.

    Returns:
        Seconds to wait, negative if the header is missing or invalid.
    """
    value = headers.get("retry-after", "").strip()
    seconds = _parse_int(value)
    if seconds is not None:
        return float(seconds)
    until, date = parse_http_date(value), parse_http_date(headers.get("date"))
    return -1.0 if until is None or date is None else max(0.0, until - date)


def _parse_window(headers: Mapping[str, str], window: str, date: float | None) -> Reading:
    limit = _parse_int(headers.get(f"x-ratelimit-{window}-limit"))
    remaining = _parse_int(headers.get(f"x-ratelimit-{window}-remaining"))
    reset = _parse_int(headers.get(f"x-ratelimit-{window}-reset"), most=None)
    # A limit of zero would close the window for good because of one garbled response.
    if not limit or remaining is None or remaining > limit:
        return ()
    if reset is None or date is None or not 0 <= reset - date <= _LONGEST:
        return (limit, remaining, -1.0)
    return (limit, remaining, reset - date)


def _parse_int(value: str | None, most: int | None = _MOST) -> int | None:
    value = (value or "").strip()
    # int() also takes "1_0", "+1" and foreign digits, and its time grows with the length.
    if not value.isascii() or not value.isdigit() or len(value) > len("18446744073709551615"):
        return None
    number = int(value)
    return None if most is not None and number > most else number

"""Dates as HTTP writes them (RFC 9110, section 5.6.7). Pure."""

import functools
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

__all__ = ["http_date", "parse_http_date"]


def http_date(moment: datetime) -> str:
    """Write an aware *moment* as an HTTP date: in GMT, and in whole seconds."""
    return format_datetime(moment.astimezone(UTC).replace(microsecond=0), usegmt=True)


@functools.lru_cache(maxsize=64)  # several parts ask for the dates of one response
def parse_http_date(text: str | None) -> float | None:
    """Return the seconds since 1970 of an HTTP date, or ``None`` if *text* is not one.

    The standard library reads a date out of nearly any string that begins like one. A
    ``Last-Modified`` is sent back as ``If-Modified-Since`` without a change, so a string that does
    not fit into a header is not accepted as a date.
    """
    if not text or not text.isascii() or not text.isprintable():
        return None
    try:
        parsed = parsedate_to_datetime(text)
        # A date "-0000" comes without an offset, and means UTC.
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None

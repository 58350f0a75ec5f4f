"""The server's date-times: New York time in bodies and filters, GMT in headers."""

from __future__ import annotations

import datetime as dt
import functools
from email.utils import format_datetime, parsedate_to_datetime
from zoneinfo import ZoneInfo

__all__ = ["aware", "http_date", "iso", "local", "parse_http_date"]

_NEW_YORK = ZoneInfo("America/New_York")
"""The data comes from the system, else from ``tzdata``, which the extra ``testing`` installs.

Before 1883-11-18 17:00 UTC the offset is -04:56:02, which the server sends as it is.
"""


def local(moment: dt.datetime) -> dt.datetime:
    """Return the aware *moment* in New York time.

    Raises:
        OverflowError: New York's year would be 0.
    """
    return moment.astimezone(_NEW_YORK)


@functools.lru_cache(maxsize=16_384)
def iso(moment: dt.datetime) -> str:
    """Return the aware *moment* as in the server's bodies: ISO 8601 with New York's offset."""
    return moment.astimezone(_NEW_YORK).isoformat()


def aware(moment: dt.datetime) -> dt.datetime:
    """Return *moment* in UTC; one without an offset is New York time."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=_NEW_YORK)
    return moment.astimezone(dt.UTC)


def http_date(moment: dt.datetime) -> str:
    """Return *moment* as an HTTP date, cut to whole seconds."""
    return _http_date(moment.astimezone(dt.UTC).replace(microsecond=0))


@functools.lru_cache(maxsize=4096)
def _http_date(moment: dt.datetime) -> str:
    return format_datetime(moment, usegmt=True)


def parse_http_date(text: str) -> dt.datetime | None:
    """Return the instant of an HTTP date, or ``None`` for anything else."""
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)

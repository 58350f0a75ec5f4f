"""New York wall time, which is how the server writes and reads its date-times.

The rule of 2007 is applied to all years: daylight time from the second Sunday of March to the
first Sunday of November, at 2 o'clock. It is written out here since ``zoneinfo`` finds no data on
many small machines, and a fake server must work on all of them.
"""

from __future__ import annotations

import datetime as dt
import functools
from email.utils import format_datetime, parsedate_to_datetime

__all__ = ["aware", "http_date", "iso", "parse_http_date"]

_STANDARD = dt.timezone(dt.timedelta(hours=-5))
_DAYLIGHT = dt.timezone(dt.timedelta(hours=-4))
_SUNDAY = 6


def _nth_sunday(year: int, month: int, nth: int) -> dt.datetime:
    first = dt.datetime(year, month, 1, tzinfo=dt.UTC)
    return first + dt.timedelta(days=(_SUNDAY - first.weekday()) % 7 + 7 * (nth - 1))


@functools.lru_cache(maxsize=256)
def _daylight_of(year: int) -> tuple[dt.datetime, dt.datetime]:
    """Return when daylight time begins and ends in *year*, in UTC."""
    begin = _nth_sunday(year, 3, 2) + dt.timedelta(hours=2 + 5)
    end = _nth_sunday(year, 11, 1) + dt.timedelta(hours=2 + 4)
    return begin, end


def local(moment: dt.datetime) -> dt.datetime:
    """Return the aware *moment* in New York time."""
    begin, end = _daylight_of(moment.year)
    return moment.astimezone(_DAYLIGHT if begin <= moment < end else _STANDARD)


def iso(moment: dt.datetime) -> str:
    """Write the aware *moment* as the server does: ISO 8601 with New York's offset."""
    return local(moment).isoformat()


def aware(moment: dt.datetime) -> dt.datetime:
    """Return *moment* in UTC; one without an offset is read as New York time."""
    if moment.tzinfo is not None:
        return moment.astimezone(dt.UTC)
    standard = moment.replace(tzinfo=_STANDARD).astimezone(dt.UTC)
    begin, end = _daylight_of(standard.year)
    if begin <= standard < end:
        return moment.replace(tzinfo=_DAYLIGHT).astimezone(dt.UTC)
    return standard


def http_date(moment: dt.datetime) -> str:
    """Write *moment* as an HTTP date, which cuts it to whole seconds."""
    return format_datetime(moment.astimezone(dt.UTC).replace(microsecond=0), usegmt=True)


def parse_http_date(text: str) -> dt.datetime | None:
    """Read an HTTP date; return ``None`` for anything else, as a server must."""
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)

"""Instants before standard time, which msgspec cannot decode."""

import re
from datetime import UTC, datetime

__all__ = ["in_utc"]

_WITH_SECONDS = re.compile(
    rb'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?[+-]\d\d:\d\d:\d\d)"', re.ASCII
)


def in_utc(body: bytes) -> bytes:
    """Return a JSON body with all instants whose offsets have seconds converted to UTC.

    The server returns instants before 1883-11-18 17:00 UTC in New York's local mean time, with the
    offset ``-04:56:02``. RFC 3339 does not allow that, so msgspec refuses it. This is for bodies
    that could not be decoded.

    Args:
        body: The JSON.

    Returns:
        The same body, but for these instants.
    """
    return _WITH_SECONDS.sub(_converted, body)


def _converted(match: re.Match[bytes]) -> bytes:
    try:
        instant = datetime.fromisoformat(match[1].decode()).astimezone(UTC)
    except (ValueError, OverflowError):
        return match[0]
    return f'"{instant.isoformat()}"'.encode()

"""Output that survives its surroundings: encodings, closed streams, readers that leave early."""

from __future__ import annotations

import io
import os
import re
import sys
from datetime import datetime
from typing import Any

import msgspec

__all__ = [
    "clock",
    "complain",
    "counted",
    "duration",
    "print_json",
    "print_line",
    "ready",
    "release",
]

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def ready() -> bool:
    """Prepare the standard streams, and return whether there is a standard output."""
    if sys.stderr is None:  # pyright: ignore[reportUnnecessaryComparison] - closed by `2>&-`
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - to the end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    return sys.stdout is not None  # pyright: ignore[reportUnnecessaryComparison] - see above


def release() -> None:
    """Redirect the standard output to nowhere: Python flushes it at exit, which must not fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_line(text: str) -> None:
    """Print a line of text. Characters that the encoding lacks are escaped."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def print_json(value: Any, *, indent: int = 2) -> None:
    """Print JSON: in UTF-8, or escaped where the standard output has another encoding.

    Args:
        value: Anything that msgspec can encode.
        indent: Spaces of each level; 0 for one line.
    """
    encoded = msgspec.json.encode(value)
    text = (msgspec.json.format(encoded, indent=indent) if indent else encoded).decode()
    encoding = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("_", "-")
    if encoding not in {"utf-8", "utf8"}:
        text = re.sub(r"[^\x00-\x7f]", _escaped, text)
    print_line(text)


def _escaped(match: re.Match[str]) -> str:
    """Return a character as JSON escapes it: as one or two UTF-16 units."""
    units = match[0].encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def complain(text: str) -> None:
    """Print a line to the standard error."""
    sys.stderr.write(f"metron-async: {text}\n")


def counted(number: int, noun: str) -> str:
    """Return a number of things, such as ``"1 row"`` or ``"2,000 rows"``: *noun* is the plural."""
    one = noun.removesuffix("ies") + "y" if noun.endswith("ies") else noun.removesuffix("s")
    return f"1 {one}" if number == 1 else f"{number:,} {noun}"


def duration(seconds: float) -> str:
    """Return a duration in its two largest units, such as ``"24 h 1 min"``."""
    whole = max(0, round(seconds))
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        minutes, rest = divmod(whole, _MINUTE)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    if whole < 2 * _DAY:
        hours, rest = divmod(whole // _MINUTE, _MINUTE)
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    days, rest = divmod(whole // _HOUR, 24)
    return f"{days} d {rest} h" if rest else f"{days} d"


def clock(moment: datetime, *, seconds: bool = False) -> str:
    """Return a time of day in local time, with its date unless it is today."""
    local = moment.astimezone()
    today = datetime.now().astimezone().date()
    date = "" if local.date() == today else f"{local:%d %b %Y} "
    return f"{date}{local:%H:%M:%S}" if seconds else f"{date}{local:%H:%M}"

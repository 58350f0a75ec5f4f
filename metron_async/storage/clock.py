"""Clock that all processes of one machine share and that setting the system time does not move.

Time is counted from an *anchor*, by the time since the machine started (including suspension
where the platform counts it). The anchor is stored with the state. Between two starts of the
machine only the system time can tell how long it was off; it is never trusted to go backwards.
"""

from __future__ import annotations

import functools
import time
import zlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Anchor",
    "Instant",
    "MachineClock",
    "pack_anchor",
    "read_clock",
    "steady",
    "unpack_anchor",
]

_STEADY = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
_LATEST = 1e11  # Unix time of the year 5138: what is later is damage


class Instant(NamedTuple):
    """Moment on the clocks of this machine."""

    boot: str
    """Identity of the machine's start."""
    steady: float
    """Seconds since an unspecified time before that start."""
    wall: float
    """Unix time in seconds."""


class Anchor(NamedTuple):
    """Moment whose time on the shared clock is known."""

    instant: Instant
    now: float


def pack_anchor(anchor: Anchor) -> bytes:
    """Return *anchor* as bytes, with a checksum."""
    packed = msgspec.json.encode(anchor)
    return zlib.crc32(packed).to_bytes(4, "big") + packed


def unpack_anchor(saved: object) -> Anchor | None:
    """Return the anchor in the bytes *saved*, ``None`` if they are damaged."""
    if isinstance(saved, bytes) and zlib.crc32(saved[4:]).to_bytes(4, "big") == saved[:4]:
        with suppress(msgspec.MsgspecError):
            return msgspec.json.decode(saved[4:], type=Anchor)
    return None


def steady() -> float:
    """Return seconds on a clock that cannot be set and that counts suspension where possible."""
    return time.monotonic() if _STEADY is None else time.clock_gettime(_STEADY)


def read_clock() -> Instant:
    """Return the present moment."""
    since, wall = steady(), time.time()
    # Without an identity, the minute of the start serves as one. Setting the system time then
    # looks like a restart.
    return Instant(_boot_id() or f"since {round((wall - since) / 60)}", since, wall)


@functools.cache
def _boot_id() -> str | None:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return None


class MachineClock:
    """Shared clock of one file, as one process reads it.

    Args:
        read: Source of the time.
        read_steady: Source of its steady part alone.
        begin: Returns the time at which it begins, if the file has none; by default the system's.
    """

    def __init__(
        self,
        read: Callable[[], Instant] = read_clock,
        read_steady: Callable[[], float] = steady,
        begin: Callable[[], float] | None = None,
    ) -> None:
        self._read = read
        self._read_steady = read_steady
        self._begin = begin
        self._anchor: Anchor | None = None

    def now(self) -> float:
        """Return the seconds on the shared clock."""
        anchor = self._anchor
        if anchor is None:
            here = self._read()
            now = here.wall if self._begin is None else self._begin()
            anchor = self._anchor = Anchor(here, now)
        return anchor.now + max(0.0, self._read_steady() - anchor.instant.steady)

    def adopt(self, saved: Anchor | None, newest: float) -> Anchor | None:
        """Continue the clock of a storage.

        Args:
            saved: Anchor found in the storage, ``None`` if there is none.
            newest: Time of the newest state in the storage.

        Returns:
            The anchor to save, ``None`` if the saved one stays.
        """
        here = self._read()
        if saved is None or not 0 <= saved.now < _LATEST:
            now = self.now()
        elif saved.instant.boot == here.boot and saved.instant.steady <= here.steady:
            self._anchor = saved
            return None
        else:
            passed = max(0.0, here.wall - saved.instant.wall)
            now = max(saved.now + passed, newest if newest < _LATEST else 0.0)
        self._anchor = Anchor(here, now)
        return self._anchor

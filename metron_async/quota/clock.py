"""A clock that all processes of one machine share, and that survives a reboot.

The windows are measured by a clock that nobody sets: the time since the machine was started, with
the time it slept where the platform can tell. It begins anew with each start, so a stamp carries a
name of the start too. Between two starts only the wall clock can bridge, and that one is not
trusted far: time never passed backwards, whatever it shows.
"""

from __future__ import annotations

import functools
import time
from pathlib import Path
from typing import NamedTuple

__all__ = ["Instant", "elapsed", "read_clock"]


class Instant(NamedTuple):
    """A moment, by the machine's own clock.

    Attributes:
        boot: Name of the start of the machine.
        steady: Seconds since then.
        wall: Unix time, in seconds.
    """

    boot: str
    steady: float
    wall: float


def elapsed(before: Instant, now: Instant) -> float:
    """Return the seconds from *before* to *now*, never negative."""
    if before.boot == now.boot:
        return max(0.0, now.steady - before.steady)
    return max(0.0, now.wall - before.wall)


def read_clock() -> Instant:
    """Return the present."""
    wall = time.time()
    if hasattr(time, "CLOCK_BOOTTIME"):
        steady = time.clock_gettime(time.CLOCK_BOOTTIME)
    else:
        steady = time.monotonic()
    boot = _boot_id()
    # Without a name, the time of the start serves as one. If somebody sets the clock, that looks
    # like a reboot, and costs nothing but the precision of one step.
    return Instant(boot or f"since {round((wall - steady) / 60)}", steady, wall)


@functools.cache
def _boot_id() -> str | None:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return None

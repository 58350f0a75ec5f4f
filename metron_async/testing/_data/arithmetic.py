"""Index arithmetic: pseudo-random numbers that are the same every time."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["DAY", "Seeds", "Sizes", "image", "mix", "pick", "some"]

T = TypeVar("T")

DAY = dt.timedelta(days=1)
_MASK = 0xFFFFFFFF
_WEDNESDAY = 2


def mix(*numbers: int) -> int:
    """Return a pseudo-random number of 32 bits that depends on all of *numbers*."""
    value = 0x9E3779B9
    for number in numbers:
        value = ((value ^ number) * 0x85EBCA6B) & _MASK
        value ^= value >> 13
        value = (value * 0xC2B2AE35) & _MASK
        value ^= value >> 16
    return value


def pick(words: Sequence[T], number: int) -> T:
    """Return one of *words*."""
    return words[number % len(words)]


def some(count: int, upto: int, *numbers: int) -> tuple[int, ...]:
    """Return at most *count* different ids between 1 and *upto*."""
    found: dict[int, None] = {}
    for turn in range(count):
        found[mix(*numbers, turn) % upto + 1] = None
    return tuple(found)


class Sizes(NamedTuple):
    """Number of records of each kind."""

    issues: int
    characters: int
    creators: int
    arcs: int
    teams: int
    universes: int

    @classmethod
    def of(cls, issues: int) -> Sizes:
        """Return the sizes for a catalogue of *issues* issues."""
        return cls(
            issues=issues,
            characters=max(120, issues // 10),
            creators=max(110, issues // 8),
            arcs=max(40, issues // 40),
            teams=max(36, issues // 60),
            universes=24,
        )


def image(kind: str, rid: int) -> str:
    """Return the URL of an image, on another host."""
    return f"https://static.comics.example/media/{kind}/2025/11/20/cover-{rid}.jpg"


class Seeds:
    """Seed, sizes and day, on which every record depends."""

    def __init__(self, sizes: Sizes, seed: int, today: dt.date) -> None:
        self.sizes = sizes
        self.seed = seed
        self.today = today
        midnight = dt.datetime.combine(today, dt.time(), dt.UTC)
        self.latest: dt.datetime = midnight - DAY
        self.wednesday: dt.date = today - DAY * ((today.weekday() - _WEDNESDAY) % 7)

    def modified(self, *numbers: int) -> dt.datetime:
        """Return a datetime in the last two years, with microseconds."""
        number = mix(self.seed, *numbers)
        return self.latest - dt.timedelta(
            seconds=number % 63_000_000, microseconds=number % 999_983
        )

    def external(self, base: int, rid: int) -> int | None:
        """Return an id in another database, or ``None`` for every third record."""
        return None if mix(self.seed, base, rid) % 3 == 0 else base + rid

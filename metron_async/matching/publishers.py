"""Names of publishers, which files and the server abbreviate in different ways."""

from __future__ import annotations

from metron_async.matching.names import normal_name

__all__ = ["publisher_core", "same_publisher"]

_PUBLISHING = frozenset(
    {
        *("comics", "comic", "press", "publishing", "publications", "entertainment", "studios"),
        *("studio", "inc", "ltd", "group", "books", "the", "of"),
    }
)


def publisher_core(name: str) -> str:
    """Return the words that distinguish a publisher's name from others, such as ``"dc"``."""
    words = normal_name(name).split()
    return " ".join([word for word in words if word not in _PUBLISHING] or words)


def same_publisher(one: str, other: str) -> bool:
    """Return whether the words of two names of publishers mean the same publisher."""
    a, b = publisher_core(one).split(), publisher_core(other).split()
    short, long = sorted((a, b), key=len)
    return long[: len(short)] == short

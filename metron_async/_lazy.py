"""Public names of a package, loaded on first use.

A program without a cache file never loads SQLite, and one that reads issues never loads the fake
server. Each package lists its names once, in ``__all__``, and its home modules once. Type checkers
see star imports of the same modules.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["lazy"]


def lazy(
    package: str, homes: Sequence[str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a package whose public names load on first use.

    Args:
        package: The package's ``__name__``.
        homes: Full names of the modules that define its public names, in the order in which they
            are searched. A module that loads much stands last.
    """
    module = sys.modules[package]

    def load(name: str) -> object:
        if name in module.__all__:
            for home in map(import_module, homes):
                if name in home.__all__:
                    value = getattr(home, name)
                    setattr(module, name, value)
                    return value
        msg = f"module {package!r} has no attribute {name!r}"
        raise AttributeError(msg)

    def listed() -> list[str]:
        return sorted({*vars(module), *module.__all__})

    return load, listed

"""Names of a package that are loaded when they are first used.

``import metron_async`` costs next to nothing, and a program pays for what it uses: one without a
cache file never loads SQLite, one that asks for issues never loads the fake server. Type checkers
see plain imports, which each package repeats under ``TYPE_CHECKING``.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["load"]


def load(package: str, homes: Mapping[str, tuple[str, ...]], name: str) -> object:
    """Return the attribute *name* of a package, and keep it there.

    Args:
        package: The package's ``__name__``.
        homes: Names that it exports, by the full name of the module in which they stand.
        name: The attribute that was asked for.

    Raises:
        AttributeError: If the package exports no such name.
    """
    for home, names in homes.items():
        if name in names:
            value = getattr(import_module(home), name)
            setattr(sys.modules[package], name, value)
            return value
    msg = f"module {package!r} has no attribute {name!r}"
    raise AttributeError(msg)

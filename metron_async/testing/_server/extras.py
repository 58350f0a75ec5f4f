"""What ``metron-async[testing]`` installs, and a clear word when it is not there."""

from __future__ import annotations

__all__ = ["missing"]


def missing(error: ImportError) -> ImportError:
    """Return the error for a library of the extra that cannot be imported."""
    return ImportError(
        f"{error.name} is needed here: pip install 'metron-async[testing]'", name=error.name
    )

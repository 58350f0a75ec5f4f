"""Libraries of the extra ``metron-async[testing]``."""

from __future__ import annotations

__all__ = ["missing"]


def missing(error: ImportError) -> ImportError:
    """Return the error for a library of the extra that is not installed."""
    return ImportError(
        f"{error.name} is not installed: pip install 'metron-async[testing]'", name=error.name
    )

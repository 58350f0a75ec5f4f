"""Checks of arguments that a test passes."""

from __future__ import annotations

import math

__all__ = ["require_callable", "require_count", "require_number"]


def require_number(name: str, value: float, least: float, most: float = math.inf) -> float:
    """Return *value*, if it is a number from *least* to *most*.

    Raises:
        TypeError: It is not a number.
        ValueError: It is out of range.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        msg = f"Invalid {name}: expected a number, got {type(value).__name__}"
        raise TypeError(msg)
    if not least <= value <= most:
        wanted = f"at least {least}" if most == math.inf else f"from {least} to {most}"
        msg = f"Invalid {name}: expected a number {wanted}, got {value}"
        raise ValueError(msg)
    return value


def require_count(name: str, value: int) -> None:
    """Check that *value* is a whole number of at least 0.

    Raises:
        TypeError: It is not a whole number.
        ValueError: It is negative.
    """
    require_number(name, value, 0)
    if not isinstance(value, int):
        msg = f"Invalid {name}: expected a whole number, got {value}"
        raise TypeError(msg)


def require_callable(name: str, value: object) -> None:
    """Check that *value* can be called later.

    Raises:
        TypeError: It cannot, perhaps since it is the result of a call.
    """
    if not callable(value):
        msg = (
            f"Invalid {name}: expected a function, got {type(value).__name__}. "
            "Pass the function itself, or a lambda"
        )
        raise TypeError(msg)

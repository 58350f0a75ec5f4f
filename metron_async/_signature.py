"""Signatures that spell out the keys of a ``TypedDict``.

``**filters: Unpack[IssueFilters]`` serves type checkers and editors. In a running interpreter
``help()``, ``inspect.signature`` and completion read ``__signature__`` instead.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["spelled_out"]

F = TypeVar("F", bound="Callable[..., Any]")


def spelled_out(schema: type) -> Callable[[F], F]:
    """Return a decorator that shows the keys of *schema* in a function's signature.

    The function itself stays as it is. Its ``**keywords`` parameter is shown as one keyword per
    key, with the default ``...`` for "not given".

    Args:
        schema: The ``TypedDict`` of the keywords.
    """

    def decorate(function: F) -> F:
        shown: Any = function
        signature = inspect.signature(function)
        plain = [one for one in signature.parameters.values() if one.kind != one.VAR_KEYWORD]
        keywords = [
            inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY, default=_NOT_GIVEN, annotation=kind
            )
            for name, kind in _kinds(schema).items()
        ]
        shown.__signature__ = signature.replace(parameters=[*plain, *keywords])
        return function

    return decorate


class _NotGiven:
    """Default of a keyword that may be left out."""

    def __repr__(self) -> str:
        return "..."


_NOT_GIVEN = _NotGiven()
_KEYWORD = inspect.Parameter.KEYWORD_ONLY


def _kinds(schema: Any) -> dict[str, Any]:
    try:
        return get_type_hints(schema)
    except NameError:  # types that are imported for type checkers only
        found = schema.__annotations__.items()
        return {name: getattr(kind, "__forward_arg__", kind) for name, kind in found}

"""The base of everything that is read with ``async for``."""

from __future__ import annotations

import abc
import contextlib
import operator
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from metron_async._values import show
from metron_async.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

__all__ = ["CallError", "LazyList", "checked_limit", "checked_whole", "collected"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class CallError(UsageError, TypeError):
    """A call of the wrong form. The message shows the right one."""


class LazyList(abc.ABC, Generic[T_co]):
    """Items that are fetched only as far as they are read.

    Creating one sends nothing. Each ``async for`` starts from the beginning.

    Close the iterator where a loop may end early and its requests must end at once::

        async with contextlib.aclosing(aiter(items)) as open_items:
            async for item in open_items: ...
    """

    @abc.abstractmethod
    def __aiter__(self) -> AsyncGenerator[T_co, None]:  # noqa: PYI058 - it can be closed
        """Iterate all items."""

    async def collect(self, limit: int | None = None) -> list[T_co]:
        """Fetch the items into a list.

        Args:
            limit: Maximum number of items, or ``None`` for all.

        Returns:
            The items, in the order in which the iteration yields them.

        Raises:
            UsageError: If *limit* is not a whole number from 0.
        """
        return await collected(self.__aiter__(), checked_limit(limit))

    async def first(self) -> T_co | None:
        """Fetch the first item, or return ``None`` if there are none."""
        found = await collected(self.__aiter__(), 1)
        return found[0] if found else None

    if not TYPE_CHECKING:  # type checkers refuse both by themselves

        def __iter__(self) -> NoReturn:
            msg = (
                f"{self!r} is asynchronous: write 'async for item in ...', or 'await ....collect()'"
            )
            raise CallError(msg)

        def __await__(self) -> NoReturn:
            msg = f"{self!r} cannot be awaited: use 'await ....collect()', or 'async for'"
            raise CallError(msg)


def checked_limit(limit: Any) -> int | None:
    """Return the *limit* of ``collect`` if it is valid.

    Raises:
        UsageError: If it is neither ``None`` nor a whole number from 0.
    """
    return None if limit is None else checked_whole(limit, "limit", 0)


def checked_whole(number: Any, name: str, least: int) -> int:
    """Return the argument *name* if it is a whole number from *least*; NumPy's count as well.

    Raises:
        UsageError: If it is not.
    """
    if isinstance(number, bool) or not hasattr(number, "__index__") or number < least:
        msg = f"{name} must be a whole number from {least}, got {show(number)}"
        raise UsageError(msg)
    return operator.index(number)


async def collected(items: AsyncGenerator[T, None], limit: int | None) -> list[T]:
    """Return the first *limit* items, and close the generator."""
    found: list[T] = []
    async with contextlib.aclosing(items):
        if limit == 0:
            return found
        async for item in items:
            found.append(item)
            if len(found) == limit:
                break
    return found

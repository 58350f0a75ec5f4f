"""What a namespace holds: the shared core, and the options of this view of the client."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, TypeVar

from metron_async._engine.decoding import decoder_for
from metron_async._engine.vouching import vouched_for
from metron_async.types import NOT_MODIFIED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from metron_async._engine.core import Core
    from metron_async._engine.messages import Answer, Request, Stale
    from metron_async.types import Added, CallOptions, NotModified

__all__ = ["Caller"]

T = TypeVar("T")


class Caller:
    """Makes calls with one set of options.

    Args:
        core: What all views of a client share.
        options: How calls of this view behave.
    """

    __slots__ = ("core", "options")

    def __init__(self, core: Core, options: CallOptions) -> None:
        self.core: Core = core
        self.options: CallOptions = options

    async def fetch(self, request: Request, kind: type[T]) -> Answer[T]:
        """Make *request* and return its answer, decoded into *kind*."""
        pipeline = await self.core.ready()
        answer: Answer[Any] = await pipeline.read(request, decoder_for(kind), self.options)
        return answer

    async def get(self, request: Request, kind: type[T]) -> T:
        """Make *request*, and remember where the object came from."""
        answer = await self.fetch(request, kind)
        self.core.origins.remember(answer.value, answer.origin)
        return answer.value

    async def forget(self, requests: Iterable[Request]) -> None:
        """Drop the answers to *requests* from the cache: together they turned out to be wrong.

        Offline there is nothing better to be had, so nothing is dropped.
        """
        shelf = (await self.core.ready()).shelf
        if shelf.is_there and not self.options.offline:
            await shelf.cache.delete([shelf.key_of(request) for request in requests])

    async def known(
        self, rows: Mapping[int, tuple[Request, datetime]], kind: type[T], as_of: float
    ) -> dict[int, T]:
        """Return the cached objects that the rows of a list show to be current, by id.

        Args:
            rows: For each id the request for its detail, and ``modified`` of its row.
            kind: Type of the details.
            as_of: Wall-clock seconds for which the rows speak.
        """
        shelf = (await self.core.ready()).shelf
        if not shelf.is_there or self.options.refresh or not rows:
            return {}
        answers = await vouched_for(shelf, rows, decoder_for(kind), as_of)
        self.core.stats.vouched += len(answers)
        for answer in answers.values():
            self.core.origins.remember(answer.value, answer.origin)
        return {number: answer.value for number, answer in answers.items()}

    def with_options(self, **options: Any) -> Caller:
        """Return a caller on the same core whose calls behave differently."""
        return Caller(self.core, dataclasses.replace(self.options, **options))

    async def get_if_modified(self, request: Request, kind: type[T]) -> T | NotModified:
        """Make *request* with its own ``If-Modified-Since``, past the cache."""
        pipeline = await self.core.ready()
        answer = await pipeline.read_if_modified(request, decoder_for(kind), self.options)
        if answer is None:
            return NOT_MODIFIED
        self.core.origins.remember(answer.value, answer.origin)
        value: T = answer.value
        return value

    async def write(
        self,
        request: Request,
        kind: type[T] | None,
        stale: Callable[[T | None], Iterable[Stale]],
    ) -> Added[T]:
        """Send a write whose answer is a *kind*, or (``None``) has no body.

        Args:
            request: The write.
            kind: Type of the answer.
            stale: Says what the write made stale, given the answer if there is one.
        """
        pipeline = await self.core.ready()
        decoder: Callable[[bytes], Any] = _nothing if kind is None else decoder_for(kind)
        return await pipeline.write(request, decoder, self.options, stale)


def _nothing(_: bytes) -> None:
    """Stand in for a decoder where there is nothing to decode."""

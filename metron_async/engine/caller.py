"""What a namespace holds: the shared core, and the options of this view of the client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from metron_async.engine.decoding import decoder_for
from metron_async.engine.messages import NOT_MODIFIED

if TYPE_CHECKING:
    from metron_async.engine.core import Core
    from metron_async.engine.messages import Answer, CallOptions, NotModified, Request

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
        self.core = core
        self.options = options

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

    async def get_if_modified(self, request: Request, kind: type[T]) -> T | NotModified:
        """Make *request* with its own ``If-Modified-Since``, past the cache."""
        pipeline = await self.core.ready()
        answer = await pipeline.read_if_modified(request, decoder_for(kind), self.options)
        if answer is None:
            return NOT_MODIFIED
        self.core.origins.remember(answer.value, answer.origin)
        value: T = answer.value
        return value

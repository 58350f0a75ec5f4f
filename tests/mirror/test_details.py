"""Fetching complete objects: requests in flight end with the run."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from metron_async import TransportError
from metron_async.mirror.details import DetailFetcher
from metron_async.mirror.selection import Selection


class Line:
    """A caller and a store. The first object fails, requests for the others do not end."""

    def __init__(self) -> None:
        self.in_flight = 0

    def with_options(self, **_: object) -> Line:
        return self

    async def fetch(self, request: Any, _kind: object) -> Any:
        if request.object_id == 1:
            while self.in_flight < 3:  # noqa: ASYNC110 - a stand-in sets no event
                await asyncio.sleep(0)
            message = "The connection failed"
            raise TransportError(message, path=request.target)
        self.in_flight += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.in_flight -= 1

    async def pending_count(self, _: object) -> int:
        return 4

    async def pending(self, _: object, after: int, _most: int) -> list[tuple[int, str]]:
        return [] if after else [(number, "2026-11-20T17:00:00Z") for number in range(1, 5)]


async def test_an_error_leaves_no_request_behind() -> None:
    line: Any = Line()
    selection = Selection(id=1, name="issues", filters=(), details=True)
    fetcher = DetailFetcher(line, line, selection, lambda _: None)
    with pytest.raises(TransportError) as caught:
        await fetcher.run(None)
    assert fetcher.requests == 4
    assert line.in_flight == 0
    assert caught.value.path == "issue/1/"

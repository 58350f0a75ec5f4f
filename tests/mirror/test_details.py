"""Fetching the objects in full: what runs ahead ends with the run."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from metron_async import TransportError
from metron_async.mirror.details import DetailFetcher
from metron_async.mirror.selection import Selection


class Line:
    """A caller, a store and a worker: the first object cannot be had, the others take for ever."""

    def __init__(self) -> None:
        self.under_way = 0

    def with_options(self, **_: object) -> Line:
        return self

    async def fetch(self, request: Any, _kind: object) -> Any:
        if request.object_id == 1:
            while self.under_way < 3:  # noqa: ASYNC110 - a stand-in rings no bell
                await asyncio.sleep(0)
            message = "The connection failed"
            raise TransportError(message, path=request.target)
        self.under_way += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.under_way -= 1

    async def run(self, function: Any, *args: Any) -> Any:
        return function(*args)

    def pending_count(self, _: object) -> int:
        return 4

    def pending(self, _: object, after: int, _most: int) -> list[tuple[int, str]]:
        return [] if after else [(number, "2026-11-20T17:00:00Z") for number in range(1, 5)]


async def test_an_error_leaves_no_request_behind() -> None:
    line: Any = Line()
    selection = Selection(id=1, name="issues", filters=(), details=True)
    fetcher = DetailFetcher(line, line, line, selection, lambda _: None)
    with pytest.raises(TransportError) as caught:
        await fetcher.run(None)
    assert fetcher.requests == 4
    assert line.under_way == 0
    assert caught.value.path == "issue/1/"

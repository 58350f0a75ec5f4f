"""Stub of the seam to storages, until metron_async.storage.base is merged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple, Protocol, TypeVar

T = TypeVar("T")


class Loaded(NamedTuple):
    account: bytes | None
    address: bytes | None
    now: float
    epoch: bytes = b""
    jumps: tuple[tuple[float, float], ...] = ()

    def age(self, stamp: float) -> float:
        jumped = sum(by for at, by in self.jumps if stamp < at)
        return max(0.0, self.now - stamp - jumped)


class Decided(NamedTuple, Generic[T]):
    reply: T
    account: bytes | None = None
    address: bytes | None = None


class Storage(Protocol):
    async def transact(
        self, account: str, address: str, decide: Callable[[Loaded], Decided[T]]
    ) -> T: ...

    async def aclose(self) -> None: ...

"""Protocol of the storages: where the state that processes share is kept.

A storage is dumb. It loads two states, calls a pure decision with them and with its clock, and
saves what the decision returns, as one transaction. All rules are in the decision.

The state of a network address must not be lost: it holds the failures that the server's firewall
counts. Two measures protect it. A storage keeps the last version it has seen and hands that to the
decision when the stored one is gone or damaged, which a checksum shows. And the stored version
begins with a random *epoch*, so that a process notices when another one has started the state again
without this process's failures.
"""

from __future__ import annotations

import logging
import os
import threading
import warnings
import zlib
from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, TypeVar

from metron_async.errors import ClosedError, MetronWarning, StorageError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

__all__ = [
    "MAX_STATE",
    "Binding",
    "Decided",
    "Loaded",
    "States",
    "Storage",
    "announce",
    "check_size",
    "checksum",
]

T = TypeVar("T")

MAX_STATE = 4096
"""Bytes of the longest state that is saved or loaded."""

PATIENCE = 10.0
"""Seconds after which a transaction fails if the caller sets no earlier deadline."""

_EPOCH, _HEAD = 8, 12  # bytes of the epoch, and of the checksum after it

logger: logging.Logger = logging.getLogger("metron_async.storage")


class Loaded(NamedTuple):
    """States and time that a storage hands to a decision."""

    account: bytes | None
    """State of the account as last saved, ``None`` if there is none."""
    address: bytes | None
    """State of the network address as last saved or seen, ``None`` if there is none."""
    now: float
    """Seconds on the clock of the storage, which all users of the storage share."""
    epoch: bytes = b""
    """Identity of the address's state, which changes when that state was lost and begins again."""
    jumps: tuple[tuple[float, float], ...] = ()
    """Changes of the clock seen by this process, as pairs of the new time and the seconds added."""

    def age(self, stamp: float) -> float:
        """Return the seconds since *stamp*, never negative, not counting what the clock jumped."""
        jumped = sum(by for at, by in self.jumps if stamp < at)
        return max(0.0, self.now - stamp - jumped)


class Decided(NamedTuple, Generic[T]):
    """Result of a decision: the reply to the caller and the states to save."""

    reply: T
    account: bytes | None = None
    """New state of the account, ``None`` to leave the saved one unchanged."""
    address: bytes | None = None
    """New state of the network address, ``None`` to leave the saved one unchanged."""


class Storage(Protocol):
    """Place for the state that clients, processes and hosts share.

    Implement it to keep the state elsewhere. One storage object may serve many clients.
    """

    async def transact(
        self, account: str, address: str, decide: Callable[[Loaded], Decided[T]]
    ) -> T:
        """Load two states, decide, and save, atomically.

        The call may be cancelled at any time, for example by a timeout. A transaction is then
        saved completely or not at all.

        Args:
            account: Name of the account's state, ASCII without secrets.
            address: Name of the network address's state, in the same namespace.
            decide: Pure function of the states. It may be called repeatedly; only its last
                result counts. What it raises is raised here, and nothing is saved.

        Returns:
            The reply of the decision.

        Raises:
            StorageError: If the state cannot be loaded or saved. With Redis the change may have
                been saved if the connection failed at the end.
            ClosedError: If a transaction of another event loop or process is in flight.
        """
        ...

    async def aclose(self) -> None:
        """Close files and connections. The next transaction opens them again."""
        ...


class States:
    """Conversion between stored bytes and the states of a decision."""

    def __init__(self) -> None:
        self._seen: dict[str, bytes] = {}

    def load(
        self,
        name: str,
        account: object,
        address: object,
        now: float,
        jumps: tuple[tuple[float, float], ...] = (),
    ) -> Loaded:
        """Return what the decision gets; *name* is the one of the address."""
        failures: bytes | None
        stored = address if isinstance(address, bytes) else b""
        body = stored[_HEAD:]
        if 0 < len(body) <= MAX_STATE and stored[_EPOCH:_HEAD] == checksum(body):
            epoch, failures = stored[:_EPOCH], body
        else:
            epoch, failures = os.urandom(_EPOCH), self._seen.get(name)
        known = isinstance(account, bytes) and 0 < len(account) <= MAX_STATE
        return Loaded(account if known else None, failures, now, epoch, jumps)  # type: ignore[arg-type]

    def pack(self, loaded: Loaded, decided: Decided[T]) -> tuple[bytes | None, bytes | None]:
        """Return the bytes to store for the account and for the address, ``None`` for unchanged.

        Raises:
            StorageError: If a state is longer than :data:`MAX_STATE`.
        """
        account, address = check_size(decided.account), check_size(decided.address)
        if address is not None:
            address = loaded.epoch + checksum(address) + address
        return account, address

    def keep(self, name: str, loaded: Loaded, decided: Decided[T]) -> T:
        """Remember the address's state after a transaction and return the reply."""
        seen = loaded.address if decided.address is None else decided.address
        if seen is not None:
            self._seen[name] = seen
        return decided.reply


class Binding:
    """Event loop and process that use a storage, which change only while the storage is idle.

    Args:
        rebind: Called before the first use in another loop or process, with whether it is another
            process.
    """

    def __init__(self, rebind: Callable[[bool], None]) -> None:
        self._rebind = rebind
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._active = 0
        self._generation = 0

    def enter(self, loop: asyncio.AbstractEventLoop) -> int:
        """Mark a transaction as in flight in *loop*, and return its token.

        Raises:
            ClosedError: If one is in flight in another loop or process.
        """
        if self._pid != os.getpid():
            self._lock = threading.Lock()  # another thread of the parent may have held it
        with self._lock:
            if self._loop is not loop or self._pid != os.getpid():
                self._move(loop)
            self._active += 1
            return self._generation

    def leave(self, token: int) -> None:
        """Mark the transaction with this *token* as finished."""
        with self._lock:
            if token == self._generation:
                self._active -= 1

    def _move(self, loop: asyncio.AbstractEventLoop) -> None:
        forked = self._pid != os.getpid()
        if self._active and (forked or (self._loop is not None and not self._loop.is_closed())):
            msg = (
                "The storage is in use by another event loop or process:"
                " create a client for each of them"
            )
            raise ClosedError(msg)
        if forked or self._loop is not None:
            self._rebind(forked)
        self._loop, self._pid = loop, os.getpid()
        self._active = 0
        self._generation += 1


def checksum(body: bytes) -> bytes:
    """Return four bytes that show whether *body* was changed."""
    return zlib.crc32(body).to_bytes(4, "little")


def check_size(state: bytes | None) -> bytes | None:
    """Return *state*, unless it is too long to be saved.

    Raises:
        StorageError: If it is longer than :data:`MAX_STATE`.
    """
    if state is not None and len(state) > MAX_STATE:
        msg = f"State of {len(state)} bytes refused: at most {MAX_STATE} are stored"
        raise StorageError(msg)
    return state


def announce(message: str) -> None:
    """Warn of *message*, or log it where warnings are errors: it must not fail a call."""
    try:
        warnings.warn(message, MetronWarning, stacklevel=2)
    except MetronWarning:
        logger.warning("%s", message)

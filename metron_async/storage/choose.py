"""Resolution of the client's ``storage=`` and ``address=`` arguments."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar, cast

from metron_async.errors import ConfigurationError
from metron_async.storage.base import check_size
from metron_async.storage.memory import MemoryStorage
from metron_async.storage.sqlite import SQLiteStorage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from metron_async.storage.base import Decided, Loaded, Storage

__all__ = ["VARIABLE", "Chosen", "SplitStorage", "address_name", "choose_storage"]

T = TypeVar("T")

VARIABLE = "METRON_ASYNC_STORAGE"
"""Environment variable that overrides the default storage."""

_REDIS = ("redis://", "rediss://")
_EXPECTED = "expected a directory, ':memory:', 'redis://...', 'rediss://...' or a storage object"


class Chosen(NamedTuple):
    """Storage of a client."""

    storage: Storage
    """Storage of the state."""
    owned: bool
    """Whether the client created it, and therefore closes it."""
    place: Storage
    """Storage as the user chose it, which says where the cache belongs."""


def choose_storage(
    storage: Storage | str | os.PathLike[str] | None = None,
    *,
    remote: bool,
    environment: Mapping[str, str] = os.environ,
) -> Chosen:
    """Return the storage for a client.

    Args:
        storage: What the user passed. ``None`` stands for ``METRON_ASYNC_STORAGE``, or for the
            user's cache directory if that variable is not set.
        remote: Whether requests go over the network to another machine. The failures of a client
            in memory then still go to the file of this machine.
        environment: Environment variables.

    Raises:
        ConfigurationError: If *storage* does not name or implement a storage.
    """
    place = storage if storage is not None else environment.get(VARIABLE, "").strip() or None
    if place is None or isinstance(place, str | os.PathLike):
        chosen = _open(place)
    elif callable(getattr(place, "transact", None)):
        chosen = place
    else:
        msg = f"Invalid storage of type {type(place).__name__}: {_EXPECTED}"
        raise ConfigurationError(msg)
    owned = chosen is not place
    if remote and isinstance(chosen, MemoryStorage):
        return Chosen(SplitStorage(chosen, SQLiteStorage(None)), owned=True, place=chosen)
    return Chosen(chosen, owned, chosen)


def _open(place: str | os.PathLike[str] | None) -> Storage:
    text = None if place is None else cast("str | bytes", os.fspath(place))
    if text is None:
        return SQLiteStorage(None)
    if text == ":memory:":
        return MemoryStorage()
    if isinstance(text, str) and text.startswith(_REDIS):
        from metron_async.storage.redis import RedisStorage  # noqa: PLC0415

        return RedisStorage(text)
    if not isinstance(text, str) or not text or "://" in text or "\0" in text:
        # The value may hold a password.
        msg = f"Invalid storage: {_EXPECTED}"
        raise ConfigurationError(msg)
    try:
        directory = Path(text).expanduser()
        os.fsencode(directory)
        is_file = directory.is_file()
    except (RuntimeError, OSError, UnicodeEncodeError) as error:
        msg = f"Invalid storage: {error}"
        raise ConfigurationError(msg) from error
    if is_file:
        msg = f"Invalid storage: {directory} is a file, expected a directory"
        raise ConfigurationError(msg)
    return SQLiteStorage(directory)


def address_name(address: str | None = None) -> str:
    """Return the name of a network address's state.

    Args:
        address: What the user passed: a name for the network address of this host, where hosts
            with different addresses share a storage. ``None`` for the one address of all.

    Raises:
        ConfigurationError: If it is not a string, or empty.
    """
    if address is None:
        return "address"
    if not isinstance(address, str) or not address:
        msg = "Invalid address: expected a name, a string that is not empty"
        raise ConfigurationError(msg)
    return "address:" + hashlib.sha256(address.encode("utf-8", "replace")).hexdigest()[:32]


class SplitStorage:
    """Accounts in memory, and the network address's failures in the machine's file.

    The server's firewall bans an address, and with it all processes of the machine. Their
    failures are counted together, wherever a client keeps the rest.

    Args:
        memory: Storage of the accounts.
        machine: Storage of the address, whose clock serves both. It is closed with this one.
    """

    def __init__(self, memory: MemoryStorage, machine: SQLiteStorage) -> None:
        self._memory = memory
        self._machine = machine

    def __repr__(self) -> str:
        return f"SplitStorage({self._memory!r}, {self._machine!r})"

    async def transact(
        self, account: str, address: str, decide: Callable[[Loaded], Decided[T]]
    ) -> T:
        """Load two states, decide, and save: see :meth:`Storage.transact`."""
        accounts, changed = self._memory.accounts, None

        def decide_for_both(loaded: Loaded) -> Decided[T]:
            nonlocal changed
            decided = decide(loaded._replace(account=accounts.get(account)))
            changed = check_size(decided.account)
            return decided._replace(account=None)

        reply = await self._machine.transact(account, address, decide_for_both)
        # A SQLiteStorage decides, saves and returns in one step: no other task ran in between.
        if changed is not None:
            accounts[account] = changed
        return reply

    async def prepare(self) -> None:
        """Open the machine's file."""
        await self._machine.prepare()

    async def aclose(self) -> None:
        """Close the machine's file. The accounts stay in the memory."""
        await self._machine.aclose()

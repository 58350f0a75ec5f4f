"""The file that the processes of one user share."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import statistics
import subprocess
import sys
import time
from pathlib import Path  # noqa: TC003 - read by pytest

import pytest

from metron_async._engine import guard as package
from metron_async._engine.guard import Guard, Outcome, SQLiteGuardStore
from metron_async._engine.guard import sqlite as module
from metron_async.errors import BlockedError
from metron_async.testing.bans import Firewall

BAD = Outcome.answered(401)


@pytest.fixture(autouse=True)
def no_memories() -> None:
    module._local.states.clear()


def guard_of(store: SQLiteGuardStore, key: str = "k") -> Guard:
    return Guard(store, credentials_key=key, host_key="h")


async def call(guard: Guard, status: int = 200) -> None:
    await guard.observe(await guard.admit(may_404=False, max_wait=5), Outcome.answered(status))


async def test_the_next_process_knows(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "guard.sqlite3"
    for expected in ("sent", "refused", "refused"):
        store = SQLiteGuardStore(path)
        guard = guard_of(store)
        if expected == "sent":
            await call(guard, 401)
        else:
            with pytest.raises(BlockedError):
                await call(guard)
        await guard.aclose()
        await store.aclose()
    assert path.stat().st_mode & 0o077 == 0
    store = SQLiteGuardStore(path)
    guard = guard_of(store)
    await guard.clear()
    await call(guard)
    await guard.aclose()
    await store.aclose()
    assert b"token" not in path.read_bytes()


async def test_servers_are_kept_apart(tmp_path: Path) -> None:
    store = SQLiteGuardStore(tmp_path / "g")
    first, second = guard_of(store), Guard(store, credentials_key="k", host_key="elsewhere")
    await call(first, 401)
    await call(second)
    await first.aclose()
    await second.aclose()
    await store.aclose()


async def test_a_clock_set_back_does_not_open_a_latch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SQLiteGuardStore(tmp_path / "g")
    guard = guard_of(store)
    await call(guard, 401)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 86_400)
    with pytest.raises(BlockedError) as caught:
        await call(guard)
    assert caught.value.retry_after <= 600
    await guard.aclose()
    await store.aclose()


async def test_an_unusable_place_means_memory_and_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    path = tmp_path / "file" / "guard.sqlite3"
    stores = [SQLiteGuardStore(path), SQLiteGuardStore(path)]
    guards = [guard_of(store) for store in stores]
    with caplog.at_level(logging.WARNING, "metron_async.guard"):
        await call(guards[0], 401)
        with pytest.raises(BlockedError):
            await call(guards[0])
        stores[0]._retry_at = 0.0  # half a minute later
        with pytest.raises(BlockedError):
            await call(guards[0])
    assert len(caplog.records) == 1
    with pytest.raises(BlockedError):
        await call(guards[1])  # of the same process
    for guard, store in zip(guards, stores, strict=True):
        await guard.aclose()
        await store.aclose()


async def test_what_a_locked_file_missed_is_told_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "g"
    store = SQLiteGuardStore(path, busy_timeout=0.05)
    guard = guard_of(store)
    await call(guard)
    lock = sqlite3.connect(path, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    start = time.monotonic()
    await call(guard, 403)
    await call(guard, 403)
    assert time.monotonic() - start < 2
    lock.execute("ROLLBACK")
    lock.close()
    store._retry_at = 0.0
    await guard.clear()
    assert not module._local.states
    other = SQLiteGuardStore(path)
    late = guard_of(other)
    for _ in range(3):
        await call(late, 403)
    with pytest.raises(BlockedError, match="403"):
        await call(late)
    for each in (guard, late, store, other):
        await each.aclose()


@pytest.mark.parametrize("damage", ["no database", "other tables", "garbage in it", "row gone"])
async def test_damage_is_survived(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "g"
    store = SQLiteGuardStore(path)
    if damage == "no database":
        path.write_bytes(b"nonsense" * 1000)
        path.chmod(0o600)
    elif damage == "other tables":
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE guard (something TEXT)")
        connection.close()
        path.chmod(0o600)
    guard = guard_of(store)
    await call(guard)
    if damage in {"garbage in it", "row gone"}:
        with sqlite3.connect(path) as connection:
            connection.execute(
                "UPDATE guard SET state = x'7b22'" if "garbage" in damage else "DELETE FROM guard"
            )
        connection.close()
    await call(guard, 401)
    with pytest.raises(BlockedError):
        await call(guard)
    assert store._retry_at == 0.0  # the file is in use
    await guard.aclose()
    await store.aclose()


async def test_damage_in_use_is_survived(tmp_path: Path) -> None:
    path = tmp_path / "g"
    store = SQLiteGuardStore(path)
    guard = guard_of(store)
    await call(guard)
    assert store._connection is not None
    real = store._update
    failed = []

    async def update(*args: object) -> object:
        if not failed:
            failed.append(True)
            msg = "database disk image is malformed"
            raise sqlite3.DatabaseError(msg)
        return await real(*args)

    store._update = update  # type: ignore[method-assign]
    await call(guard, 401)
    assert any(name.startswith("g.damaged-") for name in os.listdir(tmp_path))  # noqa: PTH208
    with pytest.raises(BlockedError):
        await call(guard)
    await guard.aclose()
    await store.aclose()


def test_names_of_the_package() -> None:
    assert package.SQLiteGuardStore is SQLiteGuardStore
    with pytest.raises(AttributeError):
        _ = package.Nothing  # type: ignore[attr-defined]
    assert str(SQLiteGuardStore()._path).endswith("guard.sqlite3")


async def test_an_exchange_takes_little_time(tmp_path: Path) -> None:
    store = SQLiteGuardStore(tmp_path / "g")
    guard = guard_of(store)
    times = []
    for _ in range(200):
        start = time.process_time()  # of this process, its threads included: others may be busy
        await guard.clear()
        times.append(time.process_time() - start)
    assert statistics.median(times) < 0.02  # about 0.3 ms
    await guard.aclose()
    await store.aclose()


CHILD = """
import asyncio, sys
from metron_async._engine.guard import Guard, Outcome, SQLiteGuardStore
from metron_async.errors import BlockedError

async def one(guard, port, target):
    try:
        pass_ = await guard.admit(may_404=True, max_wait=1.0)
    except BlockedError:
        return
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {target} HTTP/1.1\\r\\n\\r\\n".encode())
    status = int((await reader.readline()).split()[1])
    await reader.read()
    writer.close()
    await guard.observe(pass_, Outcome.answered(status))

async def main(path, port, key, target, rounds):
    store = SQLiteGuardStore(path)
    guard = Guard(store, credentials_key=key, host_key="h")
    for _ in range(int(rounds)):
        await asyncio.gather(*(one(guard, int(port), target) for _ in range(8)))
        if key == "bad":
            await guard.clear()
    await guard.aclose()
    await store.aclose()

asyncio.run(main(*sys.argv[1:]))
"""


class Server:
    """Answers with the status that is asked for, after a while, behind the firewall."""

    def __init__(self) -> None:
        self.firewall = Firewall()
        self.seen: list[int] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await reader.readline()
            status = int(line.split()[1].strip(b"/")) if line else 499
            if line and not await self.waits(reader):
                status = 499
            self.seen.append(status)
            self.firewall.count("here", str(status), time.monotonic())
            if status != 499:
                writer.write(f"HTTP/1.1 {status} X\r\n\r\n".encode())
        finally:
            writer.close()

    async def waits(self, reader: asyncio.StreamReader) -> bool:
        """Take a while; tell whether the client is still there."""
        try:
            async with asyncio.timeout(0.15):
                while await reader.readline():
                    pass
                return False
        except TimeoutError:
            return True


async def run_children(tmp_path: Path, plans: list[tuple[str, str, int]], kill: int = 0) -> Server:
    server = Server()
    listener = await asyncio.start_server(server.answer, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    children = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", CHILD, str(tmp_path / "g"), str(port), key, target, str(n)),
            env=environment,
            stderr=subprocess.PIPE,
        )
        for key, target, n in plans
    ]
    if kill:
        await asyncio.sleep(2.0)
        for child in children[:kill]:
            child.kill()
    for number, child in enumerate(children):
        _, errors = await child.communicate()
        assert number < kill or child.returncode == 0, errors.decode()
    listener.close()
    await listener.wait_closed()
    return server


@pytest.mark.parametrize("keys", [["bad"] * 4, ["bad1", "bad2", "bad3", "bad4"]])
async def test_processes_with_bad_tokens_are_not_banned(tmp_path: Path, keys: list[str]) -> None:
    server = await run_children(tmp_path, [(key, "/401", 5) for key in keys])
    assert not server.firewall.bans
    assert 1 <= server.seen.count(401) <= 2


@pytest.mark.parametrize("status", [403, 404, 429])
async def test_processes_in_a_storm_are_not_banned(tmp_path: Path, status: int) -> None:
    calm = await run_children(tmp_path, [("good", "/200", 1)])
    assert calm.seen.count(200) == 8
    plans = [("good", f"/{status}", 3), ("good", f"/{status}", 3), ("good", "/200", 3)]
    server = await run_children(tmp_path, plans)
    assert not server.firewall.bans
    assert server.seen.count(status) >= 5


async def test_killed_processes_are_counted(tmp_path: Path) -> None:
    plans = [("good", "/200", 1000)] * 2 + [("good", "/200", 30)] * 2
    server = await run_children(tmp_path, plans, kill=2)
    assert not server.firewall.bans
    store = SQLiteGuardStore(tmp_path / "g")
    guard = guard_of(store, "good")
    await asyncio.sleep(0)
    await guard.clear()
    state = store._seen["h"]
    hung_up = len(state.events.get(499, ())) + sum(lease.total for lease in state.leases.values())
    assert hung_up >= server.seen.count(499)
    await guard.aclose()
    await store.aclose()

"""What a request costs in SQLite: after a day of 5,000 requests, and on a fresh account.

Run it: ``python -m benchmarks.components.admission_cost``.
"""

import asyncio
import statistics
import sys
import tempfile
import time

from metron_async.admission.codec import decision, encode_account
from metron_async.admission.commands import Acquire, Settle
from metron_async.admission.decide import apply
from metron_async.admission.state import DEFAULT_RULES, Account
from metron_async.storage import Decided, Loaded, SQLiteStorage

ROUNDS, PAIRS = 15, 20


def a_day(now: float) -> bytes:
    """Return the state of an account after a day of 5,000 requests that ended *now*."""
    account, address = Account.fresh(DEFAULT_RULES, now - 86_000), []
    for number in range(5000):
        at = now - 85_000 + number * 17
        lease = apply(account, address, DEFAULT_RULES, at, Acquire(lease=number, priority=0)).lease
        assert lease is not None
        end = Settle(lease=lease, proves=True, burst=(20, 18, 30.0), sustained=(10_000, 5000, 9.0))
        apply(account, address, DEFAULT_RULES, at + 0.3, end)
    return encode_account(account)


async def pair(storage: SQLiteStorage, name: str, number: int) -> None:
    ask = Acquire(lease=number, priority=0, credentials="x")
    reply = await storage.transact(name, "address", decision(ask, DEFAULT_RULES))
    assert reply.lease is not None, reply.refusal
    end = Settle(
        lease=reply.lease,
        credentials="x",
        proves=True,
        burst=(60, 40, 30.0),
        sustained=(10_000, 5000, 9.0),
    )
    await storage.transact(name, "address", decision(end, DEFAULT_RULES))


async def main() -> bool:
    with tempfile.TemporaryDirectory() as directory:
        storage = SQLiteStorage(directory)
        now = await storage.transact("clock", "address", lambda loaded: Decided(loaded.now))
        state = a_day(now)

        costs: dict[str, list[float]] = {"fresh": [], "old": [], "bare": []}
        for round_ in range(ROUNDS):
            for kind, spent in costs.items():
                name = f"{kind} {round_}"
                if kind == "old":
                    await storage.transact(name, "address", lambda _: Decided(None, state))
                began = time.perf_counter()
                for number in range(PAIRS):
                    if kind == "bare":
                        for _ in range(2):
                            await storage.transact(name, "address", bare)
                    else:
                        await pair(storage, name, 10**6 + number)
                spent.append((time.perf_counter() - began) / PAIRS)
        await storage.aclose()
    fresh, old, plain = (statistics.median(costs[kind]) for kind in ("fresh", "old", "bare"))
    print(
        f"a pair: fresh {fresh * 1e6:.0f} us, after a day {old * 1e6:.0f} us ({old / fresh:.2f}x), "
        f"a bare pair {plain * 1e6:.0f} us ({fresh / plain:.2f}x); "
        f"state after a day {len(state)} bytes"
    )
    return old / fresh <= 1.25 and fresh / plain <= 3 and len(state) <= 4096


def bare(_: Loaded) -> Decided[None]:
    return Decided(None, bytes(1000), bytes(30))


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(main()) else 1)

"""A process that uses an account as hard as it can, for tests with several of them.

Prints one line per answer: the status and what the caller waited for it, in seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
import time

import httpx

from metron_async.quota import (
    Limiter,
    MemoryStore,
    Observation,
    RedisStore,
    Rules,
    SQLiteStore,
    WindowRules,
    parse_rate_headers,
    parse_retry_after,
)
from metron_async.types import Priority


def scaled_rules(minute: float) -> Rules:
    """Return the rules for a server whose minute lasts *minute* seconds."""
    return Rules(
        burst=WindowRules(limit=20, period=minute, margin=0.05, grain=0.0, reserve=1),
        lease=minute / 3,
        doubt=1.5 * minute,
        doubt_above=minute / 12,
    )


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("store")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--minute", type=float, default=6.0)
    parser.add_argument("--tasks", type=int, default=5)
    options = parser.parse_args()
    rules = scaled_rules(options.minute)
    if options.store == "memory":
        store = MemoryStore(rules=rules)
    elif options.store.startswith("redis:"):
        store = RedisStore(options.store, rules=rules)
    else:
        store = SQLiteStore(options.store, rules=rules)
    limiter = Limiter(store, "reader")
    headers = {"authorization": "Bearer reader-token", "user-agent": "quota-worker/1.0"}
    end = time.monotonic() + options.seconds
    async with httpx.AsyncClient(base_url=options.url, headers=headers) as client:

        async def work() -> None:
            while time.monotonic() < end:
                began = time.monotonic()
                ticket = await limiter.acquire(Priority.NORMAL, max_wait=math.inf)
                response = await client.get("/api/publisher/1/")
                await limiter.settle(
                    ticket,
                    Observation(
                        parse_rate_headers(response.headers),
                        throttled=response.status_code == 429,
                        retry_after=parse_retry_after(response.headers),
                        counted=response.status_code not in (401, 403),
                    ),
                )
                sys.stdout.write(f"{response.status_code} {time.monotonic() - began:.4f}\n")
                sys.stdout.flush()

        async with asyncio.timeout(options.seconds):
            await asyncio.gather(*(work() for _ in range(options.tasks)))


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except TimeoutError:
        sys.exit(0)

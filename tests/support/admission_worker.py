"""A process that admits requests on a shared storage, and reports what happened."""

from __future__ import annotations

import asyncio
import os
import sys

import msgspec
from support.admission import admit

from metron_async.admission import DEFAULT_RULES, Controller, RequestEnd, Rules, Waiter
from metron_async.errors import BlockedError, MetronError
from metron_async.storage import RedisStorage, SQLiteStorage, Storage


def _say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def rules() -> Rules:
    lease = float(os.environ.get("LEASE", DEFAULT_RULES.lease))
    return msgspec.structs.replace(DEFAULT_RULES, lease=lease)


def storage_at(place: str) -> Storage:
    return RedisStorage(place) if place.startswith("redis:") else SQLiteStorage(place)


async def main(directory: str, number: int, think: float, close: str) -> None:
    storage = storage_at(directory)
    controller = Controller(storage, account="me", address="here", credentials="x", rules=rules())
    for _ in range(number):
        try:
            permit = await admit(controller, Waiter(), max_wait=20)
        except BlockedError as error:
            _say("blocked", error.reason)
            return
        except MetronError as error:
            _say("refused", error)
            return
        _say("sent")
        await asyncio.sleep(think)
        headers = {
            "x-ratelimit-burst-limit": "1000",
            "x-ratelimit-burst-remaining": "999",
            "x-ratelimit-sustained-limit": "5000",
            "x-ratelimit-sustained-remaining": "4999",
        }
        controller.settle(permit, RequestEnd.answered(200, headers))
        await asyncio.sleep(0.05)
        _say("settled")
    if close == "idle":
        await asyncio.sleep(600)
    # A script that does not close anything.


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]))

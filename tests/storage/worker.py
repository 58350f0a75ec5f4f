"""A process that uses a storage: ``worker.py SPEC NUMBER [hold]``.

It reports each transaction that was saved in a line, or stays inside of one with ``hold``.
"""

import asyncio
import sys
import time

from metron_async.storage import Decided
from metron_async.storage.choose import choose_storage


def count(loaded):
    number = int(loaded.account or b"0") + 1
    failures = int(loaded.address or b"0") + 1
    return Decided(number, b"%d" % number, b"%d" % failures)


def hold(loaded):
    sys.stdout.write("in\n")
    sys.stdout.flush()
    time.sleep(1)
    return count(loaded)


async def main(spec, number, *how):
    storage = choose_storage(spec, remote=False).storage
    decide = hold if how else count
    for _ in range(int(number)):
        sys.stdout.write(f"{await storage.transact('a', 'b', decide)}\n")
        sys.stdout.flush()
    await storage.aclose()


asyncio.run(main(*sys.argv[1:]))

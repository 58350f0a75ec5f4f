"""A program that mirrors the issues of the server at argv[1] into the file argv[2]."""

from __future__ import annotations

import asyncio
import json
import sys

from metron_async import AsyncMetron
from metron_async.mirror import Mirror


async def main(url: str, path: str) -> None:
    """Mirror, and print the report."""
    async with (
        AsyncMetron("reader-token", base_url=url, cache=None, storage=":memory:") as metron,
        Mirror(metron, path) as mirror,
    ):
        print(json.dumps((await mirror.run("issues")).to_dict()))  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

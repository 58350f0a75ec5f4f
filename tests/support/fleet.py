"""Several real processes, each with a client, that share one storage."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys

from metron_async import AsyncMetron, MetronError, Priority


class Worker:
    """One process with a client."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def ask(self, *ids: int, **options: object) -> list[object]:
        """Return what each of the issues *ids* is to the process: a number, or an error's class."""
        self.begin(*ids, **options)
        return await self.answers()

    def begin(self, *ids: int, **options: object) -> None:
        """Make the process ask for the issues *ids* at once, with a view's *options*."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([ids, options]).encode() + b"\n")

    async def answers(self) -> list[object]:
        """Return the answers to what was begun."""
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        assert line, "the process has ended"
        found: list[object] = json.loads(line)
        return found

    def stop(self) -> None:
        """Stop the process, as a laptop's lid does."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let a stopped process go on."""
        self.process.send_signal(signal.SIGCONT)


@contextlib.asynccontextmanager
async def fleet(count, url, storage, token, **options):
    """Start *count* processes with a client of the server at *url*, and kill them at the end."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    text = json.dumps({"base_url": url, "storage": str(storage), "token": token, **options})
    workers = []
    try:
        for _ in range(count):
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "support.fleet", text,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env=environment,
            )  # fmt: skip
            workers.append(Worker(process))
        yield workers
    finally:
        for worker in workers:
            with contextlib.suppress(ProcessLookupError):
                worker.process.kill()
        for worker in workers:
            await worker.process.communicate()


async def _answer(metron, number):
    try:
        return (await metron.issues.get(number)).number
    except MetronError as error:
        return type(error).__name__


async def _main(options):
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
    )
    priority = Priority(options.pop("priority", Priority.NORMAL))
    async with AsyncMetron(**options, priority=priority) as metron:
        while line := await lines.readline():
            ids, view = json.loads(line)
            asked = [_answer(metron.with_options(**view), number) for number in ids]
            print(json.dumps(await asyncio.gather(*asked)), flush=True)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(_main(json.loads(sys.argv[1])))

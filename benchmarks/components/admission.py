"""What admission achieves, against the server's exact throttle, on virtual time.

Run it: ``python -m benchmarks.components.admission [group ...]``. The groups are ``jobs``,
``alone``, ``beside``, ``command``, ``hosts``, ``many`` and ``rough``. Without one, all of them are
measured, and written to ``benchmarks/results/admission.md``.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from support.admission import (
    DAY,
    Client,
    CountingStorage,
    Server,
    fetch_many,
    quantile,
    saturate,
    visit,
)

from metron_async.admission import Priority
from metron_async.testing.clock import run_virtual

HOUR = 3600.0
BULK, NORMAL, INTERACTIVE = Priority.BULK, Priority.NORMAL, Priority.INTERACTIVE
RESULTS = Path(__file__).parents[1] / "results" / "admission.md"
misses: list[str] = []
rows: list[str] = []


def report(name: str, target: str, result: str, *, ok: bool) -> None:
    print(f"{'ok  ' if ok else 'MISS'} {name}: {result}  (target: {target})", flush=True)
    rows.append(f"| {name} | {target} | {result} | {'yes' if ok else '**no**'} |")
    if not ok:
        misses.append(name)


def job(number: int, most: float, lane: Priority = BULK, before: Priority | None = None) -> None:
    async def main(gap: float, seed: int) -> tuple[float, int]:
        server = Server()
        client = Client(server, seed=seed)
        if before is not None:
            await client.call(before)
            await asyncio.sleep(gap)
        took = await fetch_many(client, number, lane)
        await client.controller.aclose()
        return took, len(server.rejected)

    gaps = (0.0,) if before is None else (61.0, 150.0, 290.0)
    runs = [run_virtual(main(gap, seed)) for gap in gaps for seed in range(1, 6)]
    longest, rejected = max(took for took, _ in runs), sum(each for _, each in runs)
    after = "" if before is None else f", within 5 min of {before.name}"
    report(
        f"{number} ids as {lane.name}{after}", f"{most:g} s, 0 429s",
        f"{longest:.0f} s, {rejected} 429s", ok=longest <= most and not rejected,
    )  # fmt: skip


def alone(tasks: int, lane: Priority, least: float, hours: float = 6) -> None:
    async def main() -> Server:
        server = Server(day=25_000)
        client = Client(server, seed=tasks)
        await saturate(client, tasks, hours * HOUR, lane)
        await client.controller.aclose()
        return server

    server = run_virtual(main())
    share = len(server.served) / (1200 * hours)
    report(
        f"{lane.name} alone, {tasks} tasks, {hours} h", f"{least:.1%}, 0 429s",
        f"{share:.2%}, {len(server.rejected)} 429s", ok=share >= least and not server.rejected,
    )  # fmt: skip


def beside(
    lane: Priority, clients: int, least: float, *, hours: float = 6, most: float = 1.0,
    seeds: int = 3, **visits: Any,
) -> None:  # fmt: skip
    async def main(seed: int) -> tuple[Server, list[float], int]:
        server, storage, end = Server(day=100_000), CountingStorage(), hours * HOUR
        ours = [Client(server, storage, seed=100 * seed + i) for i in range(clients)]
        jobs = [saturate(each, 20, end, lane) for each in ours[: max(1, clients - 1)]]
        *_, took = await asyncio.gather(*jobs, visit(ours[-1], end - 60, **visits))
        for each in ours:
            await each.controller.aclose()
        return server, took, storage.looks

    took: list[float] = []
    served = rejected = looks = 0
    for seed in range(1, seeds + 1):
        server, more, looked = run_virtual(main(seed))
        took += more
        served += sum(at <= hours * HOUR for at in server.served)
        rejected += len(server.rejected)
        looks += looked
    share, p95 = served / (1200 * hours * seeds), quantile(took, 0.95)
    every = visits.get("every", 40)
    report(
        f"{visits.get('calls', 1)} INTERACTIVE every {every:g} s beside {lane.name}, "
        f"{clients} clients, {hours} h x {seeds}",
        f"p95 < {most:g} s, {least:.0%}, 0 429s",
        f"p50 {quantile(took, 0.5):.2f}, p95 {p95:.2f}, p99 {quantile(took, 0.99):.2f} s, "
        f"{share:.2%}, {rejected} 429s, {looks / served:.1f} looks a request",
        ok=p95 < most and share >= least and not rejected,
    )


def hosts(
    number: int, least: int, *, day: int = 5000, stagger: float = 0.0, seed: int = 1,
    server: Server | None = None, name: str = "hosts without a shared storage",
    others: Callable[[Server], Coroutine[Any, Any, None]] | None = None, days: int = 1,
) -> None:  # fmt: skip
    async def main() -> tuple[Server, list[Client]]:
        world = server or Server(day=day)
        ours = [
            Client(world, seed=100 * seed + i, name=f"host {i}", address=f"host {i}")
            for i in range(number)
        ]

        async def host(place: int) -> None:
            await asyncio.sleep(place * stagger)
            await saturate(ours[place], 8, days * DAY)

        noise = asyncio.ensure_future(others(world)) if others else None
        await asyncio.gather(*map(host, range(number)))
        if noise:
            noise.cancel()
        for each in ours:
            await each.controller.aclose()
        return world, ours

    began = time.perf_counter()
    world, ours = run_virtual(main())
    names = [each.name for each in ours]
    rejected = max(
        (sum(each in names for each, _ in group) for group in by_day(world.log).values()), default=0
    )
    served = [world.by[each] for each in names]
    report(
        f"{number} {name}, {day} a day, {stagger:g} s apart, seed {seed}",
        f"< 50 429s a day, {least} responses",
        f"{rejected} 429s, {sum(served)} responses {served} ({time.perf_counter() - began:.0f} s)",
        ok=rejected < 50 and sum(served) >= least,
    )


def by_day(log: list[tuple[Any, float]]) -> dict[int, list[tuple[Any, float]]]:
    days: dict[int, list[tuple[Any, float]]] = {}
    for name, at in log:
        days.setdefault(int(at // DAY), []).append((name, at))
    return days


def floating(step: float) -> Callable[[Server], Coroutine[Any, Any, None]]:
    async def weather(server: Server) -> None:
        while True:
            for limit in (60, 20):
                server.limit = limit
                await asyncio.sleep(step)

    return weather


async def naive(server: Server) -> None:
    loop = asyncio.get_running_loop()
    while True:
        server.handle(loop.time(), "naive script")
        await asyncio.sleep(2)


class Wall(Server):
    """A proxy that answers 429 to everything."""

    def handle(self, now: float, who: object = None) -> tuple[int, dict[str, str]]:
        self.log.append((who, now))
        return 429, {"retry-after": "1"}


def jobs_rows() -> None:
    for number, most in ((20, 5), (52, 126), (123, 378), (300, 912)):
        job(number, most)
    job(20, 5, NORMAL, INTERACTIVE)
    job(20, 25, BULK, NORMAL)


def alone_rows() -> None:
    for tasks in (1, 5, 20, 50):
        alone(tasks, NORMAL, 0.994)
    for tasks in (1, 20):
        alone(tasks, BULK, 0.945)


def beside_rows() -> None:
    for lane in (BULK, NORMAL):
        for clients in (1, 2):
            beside(lane, clients, 0.93)


def command_rows() -> None:
    for clients in (1, 2):
        beside(BULK, clients, 0.94, hours=12, every=600, poisson=False)
        beside(BULK, clients, 0.94, hours=12, every=600, poisson=False, calls=3, most=4.0)
    beside(BULK, 3, 0.93, seeds=1)
    beside(NORMAL, 3, 0.93, seeds=1)


def hosts_rows() -> None:
    for stagger in (0.0, HOUR):
        hosts(2, 4500, stagger=stagger)
        hosts(3, 4500, stagger=stagger)
    hosts(2, 0, day=2500)


def many_rows() -> None:
    hosts(5, 23_000, day=25_000)
    hosts(5, 4500)


def rough_rows() -> None:
    for step in (60.0, 10.0):
        hosts(1, 0, day=25_000, others=floating(step), name=f"client, limit floating {step:g} s")
    hosts(1, 0, server=Wall(), name="client behind a proxy that answers 429")
    hosts(1, 0, others=naive, name="client beside a naive script")


GROUPS = {
    "jobs": jobs_rows,
    "alone": alone_rows,
    "beside": beside_rows,
    "command": command_rows,
    "hosts": hosts_rows,
    "many": many_rows,
    "rough": rough_rows,
}


if __name__ == "__main__":
    for group in sys.argv[1:] or GROUPS:
        GROUPS[group]()
    if not sys.argv[1:]:
        head = ["# Admission", "", "Made by `python -m benchmarks.components.admission`.", ""]
        head += ["<!-- --8<-- [start:rows] -->", "", "| work | target | measured | met |"]
        table = [*head, "|---|---|---|---|", *rows, "", "<!-- --8<-- [end:rows] -->"]
        RESULTS.write_text("\n".join(table) + "\n", encoding="utf-8")
    sys.exit(1 if misses else 0)

"""The whole run: what is measured, in which order, how much of it at once."""

import argparse
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.comparison import (
    costs,
    counting,
    decoding,
    fleets,
    machine,
    matching,
    timing,
    waiting,
)
from benchmarks.comparison.contenders import Ours
from benchmarks.comparison.harness import alone
from benchmarks.comparison.peers import FOUR, HishelAsking, MokkariAsking
from benchmarks.report import claims, render

RESULTS = Path(__file__).parent / "results"
TOGETHER = 5
"""Jobs against the quota that run at once: they do little but wait."""

Lines = list[dict[str, Any]]
Jobs = list[tuple[Callable[..., dict[str, Any]], Any]]


def together(jobs: Jobs) -> Lines:
    """Run jobs, a few at once, each in processes of its own; keep their order."""
    with ThreadPoolExecutor(TOGETHER) as pool:
        return list(pool.map(lambda job: job[0](*job[1]), jobs))


def counted() -> dict[str, Lines]:
    """Count requests."""
    return {"walk": counting.series_twice(), "refresh": counting.known_issues()}


def matched() -> dict[str, Lines]:
    """Find the issues that files are."""
    return {"match": matching.measure()}


def timed() -> dict[str, Lines]:
    """Spend the quota on jobs."""
    tag: Jobs = [(timing.tagging, (kind,)) for kind in FOUR]
    tag.append((timing.tagging, (Ours, timing.tag_by_series)))
    read: Jobs = [(timing.reading, (kind,)) for kind in FOUR]
    asking = (*FOUR, MokkariAsking, HishelAsking)
    sync: Jobs = [(timing.syncing, (kind,)) for kind in asking]
    lines = together([*tag, *read, *sync])
    first, second = len(tag), len(tag) + len(read)
    return {"tag": lines[:first], "read": lines[first:second], "sync": lines[second:]}


def people() -> dict[str, Lines]:
    """Let people wait: two contenders at once, since what they wait for is short."""
    with ThreadPoolExecutor(2) as pool:
        return {name: list(pool.map(job, FOUR)) for name, job in waiting.JOBS.items()}


def cost() -> dict[str, Any]:
    """Measure what is spent on this side."""
    return {
        "decoding": alone(decoding.decoding),
        "stores": alone(decoding.stores),
        **costs.measure(),
    }


PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    "cost": cost,
    "counted": counted,
    "matched": matched,
    "fleet": lambda: {"fleet": fleets.measure()},
    "timed": timed,
    "people": people,
}


def main() -> int:
    """Measure, and write."""
    parser = argparse.ArgumentParser(description="Measure, and write it down.")
    parser.add_argument("--only", choices=PARTS, help="measure this part, keep the others")
    parser.add_argument("--render", action="store_true", help="measure nothing, write all")
    options = parser.parse_args()
    data = RESULTS / "results.json"
    results: dict[str, Any] = json.loads(data.read_text()) if data.exists() else {}
    wanted = [] if options.render else [options.only] if options.only else list(PARTS)
    for name in wanted:
        began = time.perf_counter()
        print(f"{name} ...", flush=True)
        results |= PARTS[name]() | {"about": machine.about()}
        data.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        print(f"{name}: {time.perf_counter() - began:.0f} s", flush=True)
    render.write(results)
    missed = claims.missed(results)
    for promise in missed:
        print(f"MISSED: {promise}")
    return int(bool(missed))

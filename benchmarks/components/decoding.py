"""How long decoding a page of 100 issues takes, as ratios measured in one run.

Three ways of reading the same bytes are timed in turn, many times over, and their medians are
compared, so that whatever else the machine does meanwhile hits all of them alike:

* our decoder, into the Structs that users get;
* ``msgspec.json.decode`` into plain dicts and lists;
* ``pydantic.TypeAdapter.validate_json`` into models with equal fields.

The page is a recorded one with the texts of a live server put in: image URLs and cover hashes,
which the recorded catalogue lacks. Both are measured.

Run it: ``python -m benchmarks.components.decoding``. It exits with 1 if a target is missed.
"""

import argparse
import json
import random
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pydantic

from metron_async.models import IssueSummary, PageBody

EXCHANGES = Path(__file__).parents[2] / "tests" / "data" / "exchanges.json"
AGAINST_DICTS = 0.85  # at most this share of the time that dicts take
AGAINST_PYDANTIC = 3.0  # at least this many times faster than pydantic


class Series(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True)
    id: int
    name: str
    volume: int
    year_began: int


class Row(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True)
    id: int
    series: Series
    number: str
    issue_name: str = pydantic.Field(alias="issue")
    cover_date: date
    store_date: date | None = None
    image: str | None = None
    cover_hash: str = ""
    modified: datetime


class Page(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True)
    count: int
    next: str | None = None
    previous: str | None = None
    results: list[Row]


def recorded_page() -> bytes:
    """The recorded full page, as compact as a server sends it."""
    exchanges = json.loads(EXCHANGES.read_bytes())
    body = next(
        exchange["response"]["body"]
        for exchange in exchanges
        if exchange["name"] == "issue.list.page_full"
    )
    assert len(body["results"]) == 100
    return msgspec.json.encode(body)


def lifelike(page: bytes) -> bytes:
    """The same page with image URLs and cover hashes of the usual lengths."""
    rng = random.Random(8)
    body = json.loads(page)
    for row in body["results"]:
        row["cover_hash"] = f"{rng.getrandbits(64):016x}"
        row["image"] = (
            f"https://static.metron.cloud/media/issue/2024/05/01/{rng.getrandbits(128):032x}.jpg"
        )
    return msgspec.json.encode(body)


def time_in_turn(
    ways: dict[str, Callable[[bytes], Any]], body: bytes, rounds: int, calls: int
) -> dict[str, float]:
    """Median seconds per call of each way; every round times all of them, one after another."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            for _ in range(calls):
                way(body)
            times[name].append((time.perf_counter() - start) / calls)
    return {name: statistics.median(measured) for name, measured in times.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--calls", type=int, default=40)
    options = parser.parse_args()
    ways: dict[str, Callable[[bytes], Any]] = {
        "structs": msgspec.json.Decoder(PageBody[IssueSummary]).decode,
        "dicts": msgspec.json.decode,
        "pydantic": pydantic.TypeAdapter(Page).validate_json,
    }
    recorded = recorded_page()
    missed = False
    for label, body in (("as recorded", recorded), ("lifelike", lifelike(recorded))):
        # What is compared must be the same rows.
        ours, theirs = ways["structs"](body), ways["pydantic"](body)
        assert [(r.id, r.issue_name, r.modified) for r in ours.results] == [
            (r.id, r.issue_name, r.modified) for r in theirs.results
        ]
        seconds = time_in_turn(ways, body, options.rounds, options.calls)
        ratio = seconds["structs"] / seconds["dicts"]
        faster = seconds["pydantic"] / seconds["structs"]
        missed |= ratio > AGAINST_DICTS or faster < AGAINST_PYDANTIC
        shown = ", ".join(f"{name} {value * 1e6:.0f} us" for name, value in seconds.items())
        print(f"{label}, {len(body)} bytes: {shown}")
        print(f"  structs / dicts      {ratio:5.2f}  (at most {AGAINST_DICTS})")
        print(f"  pydantic / structs   {faster:5.1f}  (at least {AGAINST_PYDANTIC})")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())

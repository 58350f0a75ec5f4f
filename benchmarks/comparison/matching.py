"""The issues that files are: how many are found, how many wrongly, and for how many requests.

215 files: the names of the corpus in ``tests/data``, harder ones, and 150 files of 15 series, on
a server with at least 20 decoys for each. metron_async uses ``match_many``. mokkari is asked as
metron-tagger asks: by the series' name and the number, where a single answer is taken, and of
several the one whose cover is at most 10 bits away.
"""

import random
from typing import Any

from benchmarks.comparison.contenders import Ours, eight_at_a_time
from benchmarks.comparison.counting import minutes
from benchmarks.comparison.harness import alone, counts, home, reset, server
from benchmarks.comparison.peers import Mokkari
from metron_async.errors import UsageError
from metron_async.matching import IssueQuery, hamming
from metron_async.testing import FakeMetron
from tests.support.match_cases import CASES
from tests.support.match_corpus import Shop, corpus, library, stock, stock_cases

NEAR = 10
File = tuple[dict[str, Any], int]


def stocked(fake: FakeMetron, _scale: float) -> list[File]:
    """Fill the server; return what each file says, its cover included, and the right issue."""
    shop = Shop(fake)
    known = [(IssueQuery.from_filename(one.file), one.issue) for one in stock(shop, corpus())]
    cases = [IssueQuery.from_filename(case.file) for case in CASES]
    known += zip(cases, stock_cases(shop, CASES), strict=True)
    _, queries, wanted = library(shop)
    known += zip(queries, wanted, strict=True)
    rng = random.Random(7)
    issues = fake.catalogue.tables.issue
    for issue in issues.values():
        issue.cover_hash = f"{rng.getrandbits(64):016x}"
    fake.catalogue.edited()
    found: list[File] = []
    for query, right in known:
        bits = int(issues[right].cover_hash, 16)
        for bit in rng.sample(range(64), 3):  # a scan is never quite the cover
            bits ^= 1 << bit
        found.append((query.given() | {"cover_hash": f"{bits:016x}"}, right))
    return found


async def ours(url: str, directory: str, files: list[File], covers: bool) -> list[int | None]:
    """Match with metron_async."""
    async with Ours(url, directory, None) as client:
        queries = [IssueQuery(**fields_of(known, covers)) for known, _ in files]
        matches = await client.metron.issues.match_many(queries).collect()
    return [match.issue.id if match.issue else None for match in matches]


async def tagger(url: str, directory: str, files: list[File], covers: bool) -> list[int | None]:
    """Match with mokkari, file by file."""
    async with Mokkari(url, directory, None) as client:
        found: dict[int, int | None] = {}

        async def one(place: int) -> None:
            fields = fields_of(files[place][0], covers)
            number = str(fields.get("number", "1")).lstrip("0") or "0"
            asked = {"series_name": fields["series"], "number": number}
            rows = await client.call("issues_list", asked)
            if len(rows) > 1:
                rows = [row for row in rows if is_near(row.cover_hash, fields.get("cover_hash"))]
            found[place] = rows[0].id if len(rows) == 1 else None

        await eight_at_a_time(one, range(len(files)))
    return [found[place] for place in range(len(files))]


def fields_of(known: dict[str, Any], covers: bool) -> dict[str, Any]:
    """Return what a file says, with or without its cover."""
    return known if covers else {k: v for k, v in known.items() if k != "cover_hash"}


def is_near(own: str, asked: str | None) -> bool:
    """Return whether two covers are the same."""
    try:
        return asked is not None and hamming(own, asked) <= NEAR
    except UsageError:
        return False


def measure() -> list[dict[str, Any]]:
    """Match the files with each client, with their names alone and with their covers."""
    lines: list[dict[str, Any]] = []
    for name, work in (("metron_async", ours), ("mokkari", tagger)):
        for covers in (False, True):
            with home() as directory, server(issues=600) as fake:
                files = fake.tell(stocked)
                fake.tell(reset)
                found = alone(work, fake.url, directory, files, covers)
                seen = fake.tell(counts)
            right = sum(own == wanted for own, (_, wanted) in zip(found, files, strict=True))
            undecided = found.count(None)
            lines.append(
                {
                    "client": f"{name}, {'names and covers' if covers else 'names only'}",
                    "files": len(files),
                    "right": right,
                    "wrong": len(files) - right - undecided,
                    "undecided": undecided,
                    "requests": seen.requests,
                    "minutes": minutes(seen.requests),
                }
            )
    return lines

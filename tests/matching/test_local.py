"""Matches in a mirror's file: the same decisions, without a request, and an index kept true."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading

import pytest
from support.match_cases import CASES
from support.match_corpus import Shop, corpus, library, query_of, stock, stock_cases
from support.world import client

from metron_async import UsageError
from metron_async.matching.client import ClientSource
from metron_async.matching.local import LocalMatcher
from metron_async.matching.query import IssueQuery
from metron_async.matching.run import MatchRun
from metron_async.mirror import Mirror, MirrorBusyError, MirrorFileError


def mirrored(fake, path, *names, **options):
    """Bring a mirror of some lists up to date."""

    async def main():
        async with client(fake, cache=None) as metron, Mirror(metron, path) as mirror:
            for name in names or ("issues",):
                await mirror.run(name, **options)

    asyncio.run(main())


@contextlib.contextmanager
def matcher(path):
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        yield LocalMatcher(db)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "comics.db"


def test_the_corpus_is_matched_without_a_request(path):
    shop = Shop()
    known = list(stock(shop, corpus()))
    mirrored(shop.fake, path)
    before = len(shop.fake.requests)
    with matcher(path) as local:
        matches = [local.match(query_of(one.fields)) for one in known]
    wrong = [m for m, one in zip(matches, known, strict=True) if m and m.issue.id != one.issue]
    assert not wrong
    for match, one in zip(matches, known, strict=True):
        assert match.candidates[0].issue.id == one.issue, one
        # The rows of a mirror do not name the publisher, and a namesake is not guessed at.
        assert match or "publisher" in one.fields or not one.certain
        assert match.requests == 0
    assert len(shop.fake.requests) == before


def test_the_harder_names_are_matched(path):
    shop = Shop()
    wanted = stock_cases(shop, CASES)
    mirrored(shop.fake, path)
    mirrored(shop.fake, path, "series", details=True)
    with matcher(path) as local:
        for case, rid in zip(CASES, wanted, strict=True):
            match = local.match(IssueQuery.from_filename(case.file))
            assert (match.issue and match.issue.id) == rid, (case, match.why)


def test_a_library_is_matched(path):
    shop, queries, wanted = library()
    mirrored(shop.fake, path)
    with matcher(path) as local:
        assert [local.match(query).issue.id for query in queries] == wanted


def test_full_issues_and_series_say_more(path):
    shop = Shop(issues=20)
    series = shop.series("Doctor Marvellous", 1991, alt_names=("Captain Wonder",))
    issue = shop.issue(series, 4, 1992, cv_id=9_000_001, upc="75960608839302211", sku="JAN01")
    ghost = shop.issue(shop.series("Ghost", 1990, publisher="DC Comics"), 1, 1990)
    shop.issue(shop.series("Ghost", 1990, publisher="Dark Horse", volume=2), 1, 1990)
    mirrored(shop.fake, path, "issues", "series")
    with matcher(path) as local:
        assert not local.match(IssueQuery(cv_id=9_000_001))
        assert not local.match(IssueQuery(series="Captain Wonder", number="4"))
        assert not local.match(IssueQuery(series="Ghost", number="1", publisher="DC"))
        mirrored(shop.fake, path, "issues", "series", details=True)
        for query in (
            IssueQuery(cv_id=9_000_001),
            IssueQuery(upc="75960608839302211"),
            IssueQuery(sku="jan01"),
            IssueQuery(series="Captain Wonder", number="004"),
            IssueQuery(series_id=series, number="4"),
            IssueQuery(metron_id=issue),
        ):
            match = local.match(query)
            assert match.issue.id == issue, query
        assert local.match(IssueQuery(series="Ghost", number="1", publisher="DC")).issue.id == ghost


def test_the_index_follows_the_mirror(path):
    shop = Shop(issues=20)
    series = shop.run_of("Ghost", 1990, range(1, 6))
    mirrored(shop.fake, path)
    query = IssueQuery(series="Ghost", number="7")
    with matcher(path) as local, matcher(path) as other:
        assert not local.match(query)
        assert not other.match(query)
        added = shop.issue(series, 7, 1990)
        mirrored(shop.fake, path)
        assert local.match(query).issue.id == added
        assert other.match(query).issue.id == added
        shop.fake.touch("issue", added, number="8")
        mirrored(shop.fake, path)
        assert not local.match(query)
        assert local.match(IssueQuery(series="Ghost", number="008")).issue.id == added
        shop.fake.delete("issue", added)
        mirrored(shop.fake, path, deletions=True)
        assert not local.match(IssueQuery(series="Ghost", number="8"))
    with matcher(path) as local:  # the index lies in the file
        assert local.match(IssueQuery(series="Ghost", number="5"))


def test_a_damaged_index_is_built_again_from_scratch_when_its_tables_are_dropped(path):
    shop = Shop(issues=20)
    shop.run_of("Ghost", 1990, range(1, 6))
    mirrored(shop.fake, path)
    with matcher(path) as local:
        assert local.match(IssueQuery(series="Ghost", number="5"))
    with contextlib.closing(sqlite3.connect(path)) as db:
        found = db.execute(
            "SELECT type, name FROM sqlite_master WHERE name LIKE 'mirror_match_%'"
            " AND type IN ('table', 'trigger')"
        ).fetchall()
        for kind, name in sorted(found, reverse=True):
            db.execute(f"DROP {kind} {name}")
        db.commit()
    with matcher(path) as local:
        assert local.match(IssueQuery(series="Ghost", number="5"))


def test_a_former_name_leads_to_the_series(path):
    shop = Shop(issues=20)
    series = shop.run_of("Captain Wonder", 1990, range(1, 6))
    mirrored(shop.fake, path)
    with matcher(path) as local:
        before = local.match(IssueQuery(series="Captain Wonder", number="3"))
        shop.fake.rename("series", series, "Doctor Marvellous")
        mirrored(shop.fake, path, full=True)
        after = local.match(IssueQuery(series="Doctor Marvellous", number="3"))
        former = local.match(IssueQuery(series="Captain Wonder", number="3"))
    assert before.issue.id == after.issue.id == former.issue.id
    assert former.issue.series.name == "Doctor Marvellous"


def test_similar_covers(path):
    shop = Shop(issues=20)
    series = shop.series("Ghost", 1990)
    hashes = {"0" * 16: 0, "0" * 15 + "1": 1, "0" * 13 + "fff": 12, "f" * 16: 64}
    ids = [shop.issue(series, n, 1990, cover_hash=text) for n, text in enumerate(hashes, 1)]
    shop.issue(series, 9, 1990, cover_hash="no hash of cover")  # 16 characters
    mirrored(shop.fake, path)
    with matcher(path) as local:
        near = local.similar_covers("0" * 16)
        assert [(c.issue.id, c.distance) for c in near] == [(ids[0], 0), (ids[1], 1)]
        assert [c.distance for c in local.similar_covers("0" * 16, distance=12)] == [0, 1, 12]
        assert local.similar_covers("0" * 16, distance=0)[0].issue.id == ids[0]
        assert len(local.similar_covers("0" * 16, distance=64)) >= 4
        shop.fake.touch("issue", ids[1], cover_hash="f" * 16)
        mirrored(shop.fake, path)
        assert [c.issue.id for c in local.similar_covers("0" * 16)] == [ids[0]]
        for wrong in ({"cover_hash": "ff"}, {"cover_hash": "0" * 16, "distance": 65}):
            with pytest.raises(UsageError, match="Invalid"):
                local.similar_covers(**wrong)


def test_a_cover_finds_an_issue_whose_name_is_unknown(path):
    shop = Shop(issues=20)
    issue = shop.issue(shop.series("Ghost", 1990), 1, 1990, cover_hash="0" * 16)
    mirrored(shop.fake, path)
    with matcher(path) as local:
        match = local.match(IssueQuery(cover_hash="0" * 15 + "3"))
        assert match.candidates[0].issue.id == issue
        assert not local.match(IssueQuery(cover_hash="f" * 16)).candidates
        named = local.match(IssueQuery(series="Ghosts", number="1", cover_hash="0" * 16))
        assert named.issue.id == issue


def test_a_mirror_without_issues_says_so(path):
    shop = Shop(issues=20)
    mirrored(shop.fake, path, "publishers")
    with matcher(path) as local, pytest.raises(UsageError, match="run\\('issues'\\) first"):
        local.match(IssueQuery(series="Ghost", number="1"))


def test_it_decides_as_the_client_does(path):
    shop = Shop()
    known = list(stock(shop, corpus()))
    mirrored(shop.fake, path)
    queries = [query_of(one.fields) for one in known if "publisher" not in one.fields]

    async def main():
        async with client(shop.fake, cache=None) as metron:
            source = ClientSource(metron.issues, metron.series, metron.origin_of)
            return await MatchRun(source, queries).collect()

    online = asyncio.run(main())
    with matcher(path) as local:
        for match in online:
            assert local.match(match.query).issue == match.issue


async def test_a_mirror_matches_in_its_thread(path):
    shop = Shop(issues=20)
    issue = shop.issue(shop.series("Ghost", 1990), 1, 1990, cover_hash="0" * 16)
    async with client(shop.fake, cache=None) as metron, Mirror(metron, path) as mirror:
        with pytest.raises(UsageError, match="first"):
            await mirror.match(IssueQuery(series="Ghost", number="1"))
        await mirror.run("issues")
        before = len(shop.fake.requests)
        match = await mirror.match(IssueQuery(series="The Ghost", number="001"))
        assert match.issue.id == issue
        (found,) = await mirror.similar_covers("0" * 15 + "1")
        assert (found.issue.id, found.distance) == (issue, 1)
        with pytest.raises(UsageError, match="Invalid hash_limit"):
            await mirror.match(IssueQuery(series="Ghost", number="1"), hash_limit=65)
        assert len(shop.fake.requests) == before


async def test_the_client_matches():
    shop = Shop(issues=20)
    series = shop.run_of("Ghost", 1990, range(1, 6))
    async with client(shop.fake, cache=None) as metron:
        match = await metron.issues.match(IssueQuery(series="Ghost", number="3"), details=True)
        assert match.issue.series.id == series
        assert match.detail.number == "3"
        run = metron.issues.match_many([IssueQuery(series_id=series, number="4")])
        assert (await run.first()).issue.number == "4"
        with pytest.raises(UsageError, match="Invalid hash_limit"):
            metron.issues.match_many([], hash_limit=-1)


async def test_a_mirror_matches_while_another_process_writes(path, monkeypatch):
    monkeypatch.setattr("metron_async.mirror.matching._BUSY_TIMEOUT", 0.05)
    shop = Shop(issues=20)
    shop.run_of("Ghost", 1990, range(1, 6))
    query = IssueQuery(series="Ghost", number="3")
    async with client(shop.fake, cache=None) as metron, Mirror(metron, path) as mirror:
        await mirror.run("issues")
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(MirrorBusyError, match="locked"):
                await mirror.match(query)  # the index is yet to be built
            other.execute("ROLLBACK")
            assert await mirror.match(query)
            other.execute("BEGIN IMMEDIATE")
            assert await mirror.match(query)
            other.execute("ROLLBACK")
        await mirror.aclose()
        assert await mirror.match(query)  # opened again


async def test_matches_at_once_leave_the_loops_threads_to_others(path, monkeypatch):
    """Names are resolved and files opened in those; matches would wait in them for each other."""
    begun, goes_on, loop = asyncio.Event(), threading.Event(), asyncio.get_running_loop()

    def match(*_):
        loop.call_soon_threadsafe(begun.set)
        return goes_on.wait(20)

    monkeypatch.setattr(LocalMatcher, "match", match)
    async with client(Shop(issues=20).fake, cache=None) as metron, Mirror(metron, path) as mirror:
        query = IssueQuery(series="Ghost", number="3")
        matches = [asyncio.create_task(mirror.match(query)) for _ in range(50)]
        try:
            await begun.wait()
            for _ in range(10):
                await asyncio.sleep(0)
            assert await asyncio.wait_for(asyncio.to_thread(int, 1), 2) == 1
        finally:
            goes_on.set()
            assert all(await asyncio.gather(*matches))


async def test_a_file_that_is_damaged_says_so(path):
    shop = Shop(issues=20)
    async with client(shop.fake, cache=None) as metron, Mirror(metron, path) as mirror:
        await mirror.run("issues")
        with contextlib.closing(sqlite3.connect(path)) as db:
            db.execute("ALTER TABLE issues RENAME COLUMN number TO other")
        with pytest.raises(MirrorFileError, match="no such column"):
            await mirror.match(IssueQuery(series="Ghost", number="3"))


def test_a_transaction_that_fails_leaves_nothing_behind(path, monkeypatch):
    shop = Shop(issues=20)
    shop.run_of("Ghost", 1990, range(1, 6))
    mirrored(shop.fake, path)
    query = IssueQuery(series="Ghost", number="3")

    def fail(_):
        raise MemoryError

    with matcher(path) as local:
        with monkeypatch.context() as patch:
            patch.setattr("metron_async.matching.index.normal_number", fail)
            with pytest.raises(MemoryError):
                local.match(query)
        assert local.match(query)

"""Cancellation at every suspension of every public coroutine of the client.

Each is cancelled at its first suspension, then at its second, and so on until it comes to its end.
Every time nothing may be left over, and the next call has to work.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import inspect

import pytest
from support.calls import ISSUE, KEPT, LONG_AGO, OWN, SIZE, furnish
from support.scale import scaled
from support.stores import slow_cache, slow_storage
from support.suspensions import cancelled_after, cancelled_at
from support.virtual import virtual
from support.world import idle

from metron_async import AsyncMetron
from metron_async.client import MetronView
from metron_async.errors import NotFoundError, ValidationError
from metron_async.matching import IssueQuery
from metron_async.models import (
    ArcInput,
    CharacterInput,
    CreatorInput,
    CreditInput,
    ImprintInput,
    IssueInput,
    PublisherInput,
    SeriesInput,
    TeamInput,
    UniverseInput,
    VariantInput,
)
from metron_async.resources.base import Detailed
from metron_async.testing import FakeMetron

INPUTS = {
    "arcs": ArcInput(name="New"),
    "characters": CharacterInput(name="New"),
    "creators": CreatorInput(name="New"),
    "imprints": ImprintInput(name="New", publisher=1),
    "issues": IssueInput(series=1, number="99", cover_date=dt.date(2026, 1, 1)),
    "publishers": PublisherInput(name="New"),
    "series": SeriesInput(
        name="New",
        sort_name="New",
        volume=1,
        year_began=2026,
        series_type=1,
        publisher=1,
        status=4,
    ),
    "teams": TeamInput(name="New"),
    "universes": UniverseInput(name="New", publisher=1, designation="1"),
    "variants": VariantInput(issue=1, image=b"\x89PNG\r\n\x1a\n" + bytes(30)),
}


async def _many(namespace):
    return [got async for got in namespace.fetch_many([1, 2, 3], concurrency=2)]


async def _details(namespace):
    return await namespace.iter().details(concurrency=2).collect(3)


async def _rows(paginator):
    return [row.id async for row in paginator]


async def _walk(paginator):
    first = await paginator.first()
    count = await paginator.count()
    page = await paginator.page(1)
    return first, count, len(page), len(await paginator.collect(120))


GENERAL = {
    "get": lambda ns: ns.get(1),
    "get_if_modified": lambda ns: ns.get_if_modified(1, LONG_AGO),
    "fetch_many": _many,
    "iter": lambda ns: _rows(ns.iter()),
    "issues": lambda ns: _rows(ns.issues(1)),
}
SPECIAL = {
    ("collection", "get"): lambda ns: ns.get(KEPT),
    ("collection", "get_if_modified"): lambda ns: ns.get_if_modified(KEPT, LONG_AGO),
    ("collection", "stats"): lambda ns: ns.stats(),
    ("collection", "missing_series"): lambda ns: _rows(ns.missing_series()),
    ("collection", "missing_issues"): lambda ns: _rows(ns.missing_issues(1)),
    ("collection", "add"): lambda ns: ns.add(OWN),
    ("collection", "scrobble"): lambda ns: ns.scrobble(OWN - 1),
    ("collection", "rate"): lambda ns: ns.rate(KEPT, 4),
    ("collection", "remove"): lambda ns: ns.remove(KEPT),
    ("credits", "create"): lambda ns: ns.create([CreditInput(issue=ISSUE, creator=1, role=[1])]),
    ("issues", "iter"): lambda ns: _walk(ns.iter()),
    ("issues", "match"): lambda ns: ns.match(IssueQuery(metron_id=1)),
    ("issues", "match_many"): lambda ns: ns.match_many([IssueQuery(metron_id=1)]).collect(),
    ("publishers", "series"): lambda ns: _rows(ns.series(1)),
    ("pull_list", "get"): lambda ns: ns.get(),
    ("pull_list", "series"): lambda ns: _rows(ns.series()),
    ("pull_list", "issues"): lambda ns: _rows(ns.issues()),
    ("pull_list", "add_series"): lambda ns: ns.add_series(1),
    ("pull_list", "remove_series"): lambda ns: ns.remove_series(1),
    ("reading_lists", "items"): lambda ns: _rows(ns.items(1)),
    ("wish_list", "get"): lambda ns: ns.get(),
    ("wish_list", "items"): lambda ns: _rows(ns.items()),
    ("wish_list", "add"): lambda ns: ns.add(OWN),
    ("wish_list", "acquire"): lambda ns: ns.acquire(1),
    ("wish_list", "remove"): lambda ns: ns.remove(1),
}
OF_THE_CLIENT = {
    "quota": lambda metron: metron.quota(),
    "reset_quota": lambda metron: metron.reset_quota(),
    "retry_credentials": lambda metron: metron.retry_credentials(),
    "aclose": lambda metron: metron.aclose(),
}
PARTS = {"with_options", "origin_of", "stats", "cache", "last_quota"}  # nothing is awaited there


def namespaces():
    names = {name for name in dir(MetronView) if not name.startswith("_")}
    return sorted(names - OF_THE_CLIENT.keys() - PARTS)


def methods(metron, name):
    """Return the names of the public methods of the namespace *name*."""
    namespace = getattr(metron, name)
    members = inspect.getmembers(type(namespace), inspect.isfunction)
    return sorted(found for found, _ in members if not found.startswith("_"))


def how_to_call(name, method):
    """Return a function that makes the call, given the client."""
    if method in {"create", "update", "replace"} and name in INPUTS:
        given = () if method == "create" else (1,)
        return lambda metron: getattr(getattr(metron, name), method)(*given, INPUTS[name])
    call = SPECIAL.get((name, method)) or GENERAL[method]
    return lambda metron: call(getattr(metron, name))


def all_calls():
    metron = AsyncMetron("token", transport=FakeMetron(5).transport())
    for name in namespaces():
        for method in methods(metron, name):
            yield f"{name}.{method}", how_to_call(name, method)
        if isinstance(getattr(metron, name), Detailed):
            yield f"{name}.details", lambda metron, name=name: _details(getattr(metron, name))
    yield from OF_THE_CLIENT.items()


CALLS = dict(all_calls())
BRIEF = ("issues.get", "issues.iter", "issues.fetch_many", "publishers.details")
BRIEF += ("collection.add", "arcs.create", "issues.get_if_modified")


def build(fake, *, slow):
    options = {"storage": slow_storage(), "cache": slow_cache(keep_private=True)} if slow else {}
    return AsyncMetron("editor-token", transport=fake.transport(), max_wait=600, **options)


@pytest.mark.filterwarnings("ignore::metron_async.errors.MetronWarning")
@pytest.mark.parametrize(
    ("slow", "late"),
    [(False, False), (True, False), (True, True)],
    ids=["memory", "slow stores", "slow stores, late"],
)
@pytest.mark.parametrize("name", CALLS)
def test_cancelled_anywhere_nothing_is_left_behind(name, slow, late):
    fake = FakeMetron(SIZE, throttle=False)

    async def attempt(number):
        async with build(fake, slow=slow) as metron:
            if number % 2:  # a client that has been used, and one that is opened by the call
                await metron.roles.iter().first()
            ended = await cancelled_at(number, _forgiving(CALLS[name](metron)), late=late)
            if name != "aclose":
                await asyncio.sleep(1.0)  # what was sent comes to its end
                await idle(metron)
                assert (await metron.with_options(max_wait=0).publishers.get(2)).id == 2
                await idle(metron)
        assert not fake.bans
        assert not any(asked.status == 499 for asked in fake.requests), "a request was torn down"
        return ended

    async def setting():
        async with build(fake, slow=False) as metron:
            await furnish(metron)

    async def all_of_them():
        await setting()
        number = 1
        while not await attempt(number):
            number += 1
            assert number < 400

    virtual(all_of_them())


@pytest.mark.parametrize("name", [*BRIEF, *scaled([], sorted(CALLS.keys() - {"aclose", *BRIEF}))])
def test_cancelled_at_any_moment_what_was_sent_comes_to_its_end(name, monkeypatch):
    """The server sees no connection that is closed before its answer, whenever callers leave."""
    # Each round has a storage of its own, so nothing counts the 404s of all rounds together.
    fake = FakeMetron(SIZE, throttle=False, bans=False)
    fake.latency = 0.04

    async def attempt(seconds):
        async with build(fake, slow=True) as metron:
            ended = await cancelled_after(seconds, _forgiving(CALLS[name](metron)))
            await asyncio.sleep(1.0)
            await idle(metron)
        assert not any(asked.status == 499 for asked in fake.requests), "a request was torn down"
        return ended

    async def all_of_them():
        async with build(fake, slow=False) as metron:
            await furnish(metron)
        moment = 0
        while not await attempt(moment * 0.007):
            moment += 1
            assert moment < 1000

    virtual(all_of_them())


async def _forgiving(call):
    """Let a write that was made by an earlier round be refused."""
    try:
        return await call
    except (NotFoundError, ValidationError):
        return None


def test_every_public_coroutine_is_called():
    names = {name.partition(".")[0] for name in CALLS}
    assert names >= set(namespaces())
    assert len(CALLS) > 70

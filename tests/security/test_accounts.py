"""Two accounts on one cache file, in any order of calls: neither ever sees the other's answers."""

from __future__ import annotations

import asyncio
import contextlib

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from support.scale import scaled

from metron_async import AsyncMetron
from metron_async.cache import MemoryCache, SQLiteCache
from metron_async.errors import CacheError, MetronError
from metron_async.testing import FakeMetron
from metron_async.testing.clock import VirtualTimeLoop

ACCOUNTS = ("reader", "reader2", "editor")
WHO = st.sampled_from(ACCOUNTS)
ISSUE = st.integers(1, 20)


class TwoAccounts(RuleBasedStateMachine):
    """Three clients on one cache, which keeps private data, too."""

    def __init__(self):
        super().__init__()
        self.loop = VirtualTimeLoop()
        self.fake = FakeMetron(20, throttle=False)
        for name in ACCOUNTS:
            self.fake.accounts[name].shelf.items.clear()
        self.cache = self.make_cache()
        self.metrons = {name: self.client(name) for name in ACCOUNTS}
        self.ended = False

    def make_cache(self):
        return MemoryCache(keep_private=True, keep_empty_lists=True)

    def client(self, name):
        # The same account name for the budget of all of them must not share anything else.
        return AsyncMetron(
            self.fake.accounts[name].tokens[0],
            account="everybody",
            transport=self.fake.transport(),
            cache=self.cache,
            storage=":memory:",
        )

    def run_(self, work):
        return self.loop.run_until_complete(work)

    def owned(self, name):
        return sorted(item.issue for item in self.fake.accounts[name].shelf.items.values())

    async def listed(self, view):
        return sorted([row.issue.id async for row in view.collection.iter()])

    @rule(who=WHO, issue=ISSUE)
    def add(self, who, issue):
        self.run_(self.metrons[who].collection.add(issue))
        assert self.run_(self.listed(self.metrons[who])) == self.owned(who)

    @rule(who=WHO)
    def read_collection(self, who):
        assert self.run_(self.listed(self.metrons[who])) == self.owned(who)

    @rule(who=WHO)
    def read_kept_collection(self, who):
        view = self.metrons[who].with_options(fresh_for=3600)
        assert self.run_(self.listed(view)) == self.owned(who)

    @rule(who=WHO)
    def read_offline(self, who):
        view = self.metrons[who].with_options(offline=True)
        with contextlib.suppress(CacheError):
            assert self.run_(self.listed(view)) == self.owned(who)

    @precondition(lambda self: any(self.owned(name) for name in ACCOUNTS))
    @rule(who=WHO, data=st.data())
    def read_an_item(self, who, data):
        everybodys = [
            (name, item.id)
            for name in ACCOUNTS
            for item in self.fake.accounts[name].shelf.items.values()
        ]
        owner, number = data.draw(st.sampled_from(everybodys))
        view = self.metrons[who].with_options(fresh_for=3600)
        try:
            item = self.run_(view.collection.get(number))
        except MetronError:
            assert owner != who
        else:
            assert owner == who
            assert item.user.username == who

    @rule(who=WHO, issue=ISSUE)
    def read_an_issue(self, who, issue):
        before = len(self.fake.requests)
        assert self.run_(self.metrons[who].issues.get(issue)).id == issue
        for asked in self.fake.requests[before:]:
            assert asked.account == who

    @rule(who=WHO, issue=ISSUE)
    def write_at_once_and_read(self, who, issue):
        async def both():
            await asyncio.gather(
                self.metrons[who].collection.add(issue),
                *(self.listed(metron) for metron in self.metrons.values()),
            )

        self.run_(both())
        for name in ACCOUNTS:
            assert self.run_(self.listed(self.metrons[name])) == self.owned(name)

    @rule(who=WHO)
    def restart(self, who):
        self.run_(self.metrons[who].aclose())
        self.metrons[who] = self.client(who)

    @invariant()
    def no_bans(self):
        assert not self.fake.bans

    def teardown(self):
        for metron in self.metrons.values():
            self.run_(metron.aclose())
        self.run_(self.cache.aclose())
        self.loop.close()


TestAccountsOnOneCache = TwoAccounts.TestCase
TestAccountsOnOneCache.settings = settings(
    max_examples=scaled(25, 500), stateful_step_count=25, deadline=None
)


async def test_accounts_on_one_file(tmp_path):
    """The same with the real file, and each client opened anew on what the others left."""
    fake = FakeMetron(20, throttle=False)
    for name in ACCOUNTS:
        fake.accounts[name].shelf.items.clear()
    for turn in range(9):
        name = ACCOUNTS[turn % 3]
        cache = SQLiteCache(tmp_path / "shared.db", keep_private=True)
        transport = fake.transport()
        async with AsyncMetron(
            fake.accounts[name].tokens[0], transport=transport, cache=cache, account="everybody"
        ) as metron:
            await metron.collection.add(turn + 1)
            view = metron.with_options(fresh_for=3600)
            for _ in range(2):
                seen = {row.issue.id async for row in view.collection.iter()}
                assert seen == {it.issue for it in fake.accounts[name].shelf.items.values()}
        await cache.aclose()

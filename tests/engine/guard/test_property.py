"""Whatever happens, in whatever order, the firewall never bans."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metron_async._engine.guard import Ending, Guard, MemoryGuardStore, Outcome, rules, table
from metron_async.errors import BlockedError
from metron_async.testing.bans import Firewall
from metron_async.testing.clock import run_virtual


@dataclass(frozen=True)
class Plan:
    """A run of several clients on one machine."""

    seed: int
    keys: tuple[str, ...]  # credentials, by client; those that start with "bad" are refused
    tasks: int
    weights: tuple[int, ...]  # 200, 403, 404, 429, given up, failed, connect timeout, nothing sent
    latency: float
    think: float
    prone: float
    split: bool  # admit, queue somewhere else, enter
    kills: bool
    clears: bool
    impatient: bool


plans = st.builds(
    Plan,
    seed=st.integers(0, 2**32),
    keys=st.lists(
        st.sampled_from(["good", "fine", "bad1", "bad2", "bad3"]), min_size=1, max_size=6
    ).map(tuple),
    tasks=st.integers(1, 10),
    weights=st.one_of(
        st.lists(st.integers(0, 4), min_size=8, max_size=8).map(lambda w: (w[0] + 1, *w[1:])),
        st.integers(1, 7).map(lambda one: tuple(int(i == one) for i in range(8))),
        st.integers(1, 7).map(lambda one: tuple(9 if i in {0, one} else 0 for i in range(8))),
    ),
    latency=st.sampled_from([0.01, 0.5, 5.0, 30.0]),
    think=st.sampled_from([0.0, 0.3, 3.0]),
    prone=st.sampled_from([0.0, 0.5, 1.0]),
    split=st.booleans(),
    kills=st.booleans(),
    clears=st.booleans(),
    impatient=st.booleans(),
)
OUTCOMES = (200, 403, 404, 429, "closed", "failed", "timeout", "unsent")


class Machine:
    """Clients behind one address, and the firewall that counts them."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.random = random.Random(plan.seed)
        self.firewall = Firewall()
        self.store = MemoryGuardStore()
        self.sent = 0
        self.served = 0
        self.good = [key for key in plan.keys if not key.startswith("bad")]

    def count(self, event: object) -> None:
        self.firewall.count("here", str(event), asyncio.get_running_loop().time())

    async def request(self, guard: Guard, key: str) -> None:
        rng, plan = self.random, self.plan
        prone = rng.random() < plan.prone
        wait = rng.choice([0.0, 1.0, None]) if plan.impatient else None
        pass_ = await guard.admit(may_404=prone, max_wait=wait, enter=not plan.split)
        if plan.split:
            await asyncio.sleep(rng.uniform(0, 3))
            try:
                await guard.enter(pass_)
            except BlockedError:
                guard.abandon(pass_)
                raise
        what = rng.choices(OUTCOMES, plan.weights)[0]
        if what == "unsent":
            guard.abandon(pass_)
        elif what == "timeout":
            await asyncio.sleep(10)
            await guard.observe(pass_, Outcome(Ending.CONNECT_TIMEOUT))
        else:
            await self.send(guard, pass_, key, what)

    async def send(self, guard: Guard, pass_: object, key: str, what: object) -> None:
        rng = self.random
        self.sent += 1
        if what == 404 and not pass_.may_404:
            what = 200
        if what == 403 and self.plan.kills:
            what = 200  # a 403 that nobody heard is the one thing that is not counted
        try:
            await asyncio.sleep(rng.uniform(0, self.plan.latency))
        except asyncio.CancelledError:
            self.count("499")  # killed: the kernel closes the connection
            raise
        if key.startswith("bad") and what != "closed":
            status = 401
        else:
            status = what if isinstance(what, int) else 200
        if what == "closed":
            asyncio.get_running_loop().call_later(rng.uniform(0, 4), self.count, "499")
            await guard.observe(pass_, Outcome(Ending.CLOSED_BY_US))
            return
        self.count(status)  # when it answers, not when we hear of it
        self.served += status == 200
        await asyncio.sleep(rng.uniform(0, self.plan.latency))
        outcome = Outcome(Ending.FAILED) if what == "failed" else Outcome.answered(status)
        await guard.observe(pass_, outcome)

    async def work(self, guard: Guard, key: str, until: float) -> None:
        loop = asyncio.get_running_loop()
        while loop.time() < until:
            try:
                await self.request(guard, key)
            except BlockedError as error:
                assert error.retry_after > 0  # noqa: PT017 - every refusal is looked at
                await asyncio.sleep(min(error.retry_after, 60 * self.random.random() + 1))
            if self.plan.clears and self.random.random() < 0.05:
                await guard.clear()
            await asyncio.sleep(self.random.uniform(0, self.plan.think) + 0.01)

    async def client(self, key: str, until: float) -> None:
        """Run a process; where there are kills, it is started again and again."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self.random.uniform(0, 2))
        while loop.time() < until:
            guard = Guard(self.store, credentials_key=key, host_key="h")
            tasks = [
                asyncio.ensure_future(self.work(guard, key, until)) for _ in range(self.plan.tasks)
            ]
            life = self.random.uniform(1, 60) if self.plan.kills else until
            done, _ = await asyncio.wait(tasks, timeout=life)
            for task in done:
                task.result()
            if self.plan.kills:
                kill(guard, tasks)
                await asyncio.gather(*tasks, return_exceptions=True)
            else:
                await asyncio.gather(*tasks)
                await guard.aclose()
                assert guard._block.in_flight == 0

    async def run(self, seconds: float) -> None:
        await asyncio.gather(*(self.client(key, seconds) for key in self.plan.keys))
        await asyncio.sleep(10)


def kill(guard: Guard, tasks: list[asyncio.Task[None]]) -> None:
    """Let nothing of a guard reach the store any more."""

    class Nowhere:
        async def exchange(self, host: str, report: object) -> object:
            raise asyncio.CancelledError

    guard._store = Nowhere()
    if guard._timer is not None:
        guard._timer.cancel()
    guard._closed = True
    for task in tasks:
        task.cancel()


@given(plans)
@settings(max_examples=60, deadline=None)
def test_never_banned(plan: Plan) -> None:
    machine = Machine(plan)
    run_virtual(machine.run(400.0))
    assert not machine.firewall.bans, machine.firewall.bans
    if plan.weights == (9, 0, 0, 0, 0, 0, 0, 0) and machine.good:
        assert machine.served


STORMS = {"403": 1, "404": 2, "429": 3, "499": 4, "failed": 5}


@pytest.mark.parametrize("storm", STORMS)
@pytest.mark.parametrize("share", [0, 9])
def test_storms(storm: str, share: int) -> None:
    """Six clients with eight tasks each, all of which go wrong at once."""
    weights = tuple(share if i == 0 else int(i == STORMS[storm]) for i in range(8))
    for seed in range(2):
        machine = Machine(
            Plan(seed, ("good",) * 6, 8, weights, 0.5, 0.0, 1.0, False, False, False, False)
        )
        run_virtual(machine.run(450.0))
        assert not machine.firewall.bans
        assert machine.sent > 1


@pytest.mark.parametrize("clients", [1, 4, 9, 14])
@pytest.mark.parametrize("split", [False, True])
def test_nobody_starves(clients: int, split: bool) -> None:
    """With more clients than permits, all of them busy, each gets its share."""
    machine = Machine(
        Plan(3, ("good",) * clients, 4, (1,) + (0,) * 7, 0.5, 1.0, 0.5, split, False, False, False)
    )
    served = dict.fromkeys(range(clients), 0)

    async def client(number: int) -> None:
        guard = Guard(machine.store, credentials_key="good", host_key="h")
        loop = asyncio.get_running_loop()

        async def work() -> None:
            while loop.time() < 120:
                await machine.request(guard, "good")
                served[number] += 1
                await asyncio.sleep(0.2)

        await asyncio.gather(*(work() for _ in range(4)))
        await guard.aclose()

    async def run() -> None:
        await asyncio.gather(*(client(number) for number in range(clients)))

    run_virtual(run())
    # Nine in flight of half a second each: some 2,000 in two minutes.
    assert min(served.values()) > 20, served
    if not split:
        assert sum(served.values()) > (300 if clients == 1 else 900), served


def banned(weights: tuple[int, ...], *keys: str, latency: float = 0.5) -> bool:
    machine = Machine(Plan(1, keys, 8, weights, latency, 0.0, 1.0, False, False, False, False))
    run_virtual(machine.run(300.0))
    return bool(machine.firewall.bans)


OK, FORBIDDEN, MISSING = (1, *[0] * 7), (1, 1, *[0] * 6), (0, 0, 1, *[0] * 5)


def test_the_property_catches_permits_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not banned(FORBIDDEN, *["good"] * 6)
    monkeypatch.setattr(rules, "_rooms", lambda state: (99, 99))
    assert banned(FORBIDDEN, *["good"] * 6)


def test_the_property_catches_probes_at_will(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not banned(OK, *["bad"] * 6, latency=5.0)
    monkeypatch.setattr(rules, "_may_probe", lambda state, key: True)
    assert banned(OK, *["bad"] * 6, latency=5.0)


def test_the_property_catches_a_wrong_number(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not banned(MISSING, *["good"] * 3)
    old = table.LIMITS[404]
    monkeypatch.setitem(table.LIMITS, 404, table.Limit(40, 30, old.window, old.ban, old.what))
    assert banned(MISSING, *["good"] * 3)

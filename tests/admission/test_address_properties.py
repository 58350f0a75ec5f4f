"""Whatever happens, in whatever order, the firewall never bans."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.admission import CountingStorage, Server, admit
from support.virtual import virtual

from metron_async.admission import Controller, EndKind, Priority, RequestEnd, Waiter, address
from metron_async.admission.table import LIMITS, Limit
from metron_async.errors import BlockedError, MetronError
from metron_async.testing.bans import Firewall


@dataclass(frozen=True)
class Plan:
    """A run of several processes at one address."""

    seed: int
    keys: tuple[str, ...]  # credentials, by process; those that start with "bad" are refused
    tasks: int
    weights: tuple[int, ...]  # 200, 403, 404, 429, given up, lost, connect timeout, nothing sent
    latency: float
    think: float
    may_404: float
    kills: bool
    retries: bool


plans = st.builds(
    Plan,
    seed=st.integers(0, 2**32),
    keys=st.lists(
        st.sampled_from(["good", "fine", "bad1", "bad2", "bad3"]), min_size=1, max_size=5
    ).map(tuple),
    tasks=st.integers(1, 6),
    weights=st.one_of(
        st.lists(st.integers(0, 4), min_size=8, max_size=8).map(lambda w: (w[0] + 1, *w[1:])),
        st.integers(1, 7).map(lambda one: tuple(int(i == one) for i in range(8))),
        st.integers(1, 7).map(lambda one: tuple(9 if i in {0, one} else 0 for i in range(8))),
    ),
    latency=st.sampled_from([0.01, 0.5, 5.0, 30.0]),
    think=st.sampled_from([0.0, 0.3, 3.0]),
    may_404=st.sampled_from([0.0, 0.5, 1.0]),
    kills=st.booleans(),
    retries=st.booleans(),
)
ENDS = (200, 403, 404, 429, "closed", "lost", "timeout", "unsent")


class Dead(CountingStorage):
    """What a killed process can reach."""

    async def transact(self, account, address, decide):
        raise asyncio.CancelledError


class Machine:
    """Processes behind one address, and the firewall that counts what they do."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.random = random.Random(plan.seed)
        self.firewall = Firewall()
        self.storage = CountingStorage()
        self.sent = self.served = 0
        self.servers: dict[str, Server] = {}

    def count(self, event: object) -> None:
        self.firewall.count("here", str(event), asyncio.get_running_loop().time())

    async def request(self, controller: Controller, key: str) -> None:
        rng, plan = self.random, self.plan
        waiter = Waiter(rng.choice(list(Priority)), may_404=rng.random() < plan.may_404)
        permit = await admit(controller, waiter, max_wait=rng.choice([None, 1.0, 500.0]))
        what = rng.choices(ENDS, plan.weights)[0]
        if what == "unsent":
            controller.release(permit)
        elif what == "timeout":
            await asyncio.sleep(10)
            controller.settle(permit, RequestEnd(EndKind.CONNECT_TIMEOUT, error=OSError("timeout")))
        else:
            await self.send(controller, permit, key, what, may_404=waiter.may_404)

    async def send(self, controller, permit, key, what, *, may_404):
        rng, plan = self.random, self.plan
        self.sent += 1
        if what == 404 and not may_404:
            what = 200
        if what == 403 and plan.kills:
            what = 200  # a 403 whose process died is the one thing that is not counted
        try:
            await asyncio.sleep(rng.uniform(0, plan.latency))
        except asyncio.CancelledError:
            self.count("499")  # killed: the kernel closes the connection
            raise
        status = what if isinstance(what, int) else 200
        if key.startswith("bad") and what != "closed":
            status = 401
        if what == "closed":
            asyncio.get_running_loop().call_later(rng.uniform(0, 4), self.count, "499")
            controller.settle(permit, RequestEnd(EndKind.CLOSED, error=OSError("closed")))
            return
        self.count(status)  # when it answers, not when we hear of it
        headers = {}
        if status in {200, 404}:
            now = asyncio.get_running_loop().time()
            _, headers = self.servers.setdefault(key, Server(500, 100_000)).handle(now)
        self.served += status == 200
        await asyncio.sleep(rng.uniform(0, plan.latency))
        end = RequestEnd.answered(status, headers)
        controller.settle(
            permit, RequestEnd(EndKind.LOST, error=OSError("lost")) if what == "lost" else end
        )

    async def work(self, controller: Controller, key: str, until: float) -> None:
        loop = asyncio.get_running_loop()
        while loop.time() < until:
            try:
                await self.request(controller, key)
            except MetronError as error:
                assert error.retry_after > 0  # noqa: PT017 - every refusal is looked at
                await asyncio.sleep(min(error.retry_after, 60 * self.random.random() + 1))
            if self.plan.retries and self.random.random() < 0.05:
                await controller.retry_credentials()
            await asyncio.sleep(self.random.uniform(0, self.plan.think) + 0.01)

    async def process(self, key: str, until: float) -> None:
        """Run a process. Where there are kills, it is started again and again."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self.random.uniform(0, 2))
        while loop.time() < until:
            controller = Controller(self.storage, account=key, address="here", credentials=key)
            tasks = [
                asyncio.ensure_future(self.work(controller, key, until))
                for _ in range(self.plan.tasks)
            ]
            life = self.random.uniform(1, 60) if self.plan.kills else until
            done, pending = await asyncio.wait(tasks, timeout=life)
            for task in done:
                task.result()
            if pending:
                controller._client._storage = Dead()
                for task in pending:
                    task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await controller.aclose()

    async def run(self, seconds: float) -> None:
        await asyncio.gather(*(self.process(key, seconds) for key in self.plan.keys))
        await asyncio.sleep(10)


@given(plans)
@settings(max_examples=10, deadline=None)
def test_never_banned(plan: Plan) -> None:
    machine = Machine(plan)
    virtual(machine.run(250.0))
    assert not machine.firewall.bans, machine.firewall.bans
    if plan.weights == (9, *[0] * 7) and not all(key.startswith("bad") for key in plan.keys):
        assert machine.served


STORMS = {"403": 1, "404": 2, "429": 3, "499": 4, "lost": 5}


def plan_for(weights, *keys, tasks=8, latency=0.5):
    return Plan(1, keys, tasks, weights, latency, 0.0, 1.0, False, False)


@pytest.mark.parametrize("storm", STORMS)
@pytest.mark.parametrize("share", [0, 9])
def test_storms(storm: str, share: int) -> None:
    """Five processes with eight tasks each, all of which go wrong at once."""
    weights = tuple(share if i == 0 else int(i == STORMS[storm]) for i in range(8))
    machine = Machine(plan_for(weights, *["good"] * 5))
    virtual(machine.run(300.0))
    assert not machine.firewall.bans
    assert machine.sent > 1


def banned(weights, *keys, latency=0.5):
    machine = Machine(plan_for(weights, *keys, latency=latency))
    virtual(machine.run(300.0))
    return bool(machine.firewall.bans)


OK, FORBIDDEN, MISSING = (1, *[0] * 7), (1, 1, *[0] * 6), (0, 0, 1, *[0] * 5)
ACCOUNTS = ("good", "fine", "great", "best")


def test_the_property_catches_flights_without_an_end(monkeypatch):
    assert not banned(FORBIDDEN, *ACCOUNTS)
    monkeypatch.setattr(address, "room", lambda events, now: 99)
    assert banned(FORBIDDEN, *ACCOUNTS)


def test_the_property_catches_probes_at_will(monkeypatch):
    keys = [f"bad{i}" for i in range(6)]
    assert not banned(OK, *keys, latency=5.0)
    monkeypatch.setattr(address, "may_probe", lambda events, now: True)
    assert banned(OK, *keys, latency=5.0)


def test_the_property_catches_a_wrong_number(monkeypatch):
    assert not banned(MISSING, *ACCOUNTS)
    old = LIMITS[404]
    monkeypatch.setitem(LIMITS, 404, Limit(40, 30, old.window, old.ban, old.what))
    monkeypatch.setattr(address, "_MOST_MISSING", (39, 39, 39))
    assert banned(MISSING, *ACCOUNTS)


def test_an_interactive_call_is_not_held_up_by_bulk_calls_for_missing_objects():
    async def main():
        loop, storage, took = asyncio.get_running_loop(), CountingStorage(), []
        bulk, person = (
            Controller(storage, account="me", address="a", credentials="x") for _ in range(2)
        )

        async def missing():
            while loop.time() < 600:
                try:
                    permit = await admit(bulk, Waiter(Priority.BULK, may_404=True), max_wait=700)
                except BlockedError:
                    return
                await asyncio.sleep(0.3)
                bulk.settle(permit, RequestEnd.answered(404, {}))

        tasks = [asyncio.ensure_future(missing()) for _ in range(8)]
        while loop.time() < 590:
            await asyncio.sleep(45)
            began = loop.time()
            permit = await person.admit(Waiter(Priority.INTERACTIVE, may_404=True))
            await asyncio.sleep(0.3)
            person.settle(permit, RequestEnd.answered(200, {}))
            took.append(loop.time() - began)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for each in (bulk, person):
            await each.aclose()
        return took

    assert max(virtual(main())) < 1.5


def test_lists_do_not_queue_behind_missing_objects():
    async def main():
        loop, storage = asyncio.get_running_loop(), CountingStorage()
        controller = Controller(storage, account="me", address="a", credentials="x")
        for _ in range(16):
            permit = await controller.admit(Waiter(Priority.INTERACTIVE, may_404=True))
            controller.settle(permit, RequestEnd.answered(404, {}))
            await asyncio.sleep(0.3)
        waits = []
        waiting = asyncio.ensure_future(
            controller.admit(Waiter(may_404=True, on_wait=waits.append))
        )
        await asyncio.sleep(1)
        began = loop.time()
        controller.release(await admit(controller, Waiter(Priority.BULK), max_wait=2))
        assert loop.time() - began < 1.5
        assert not waiting.done()
        assert waits[0].cause.guard
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await controller.aclose()

    virtual(main())

"""Random edits between any two requests, and kills between any two steps.

A run that says ``complete`` has every row of the server, as the server has it. With
``deletions=True`` it has no other rows, except those deleted just before its last request.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import random
from typing import TYPE_CHECKING

import pytest
from support.mirrors import fake_metron, mirror_of, served, stored
from support.scale import scaled

from metron_async.mirror import PageStored
from metron_async.testing import Fault, run_virtual

if TYPE_CHECKING:
    from pathlib import Path

    from metron_async.mirror import Event, Report
    from metron_async.testing import FakeMetron


class History:
    """A server that is edited while it is mirrored."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.fake: FakeMetron = fake_metron(self.chance.choice([250, 600, 1000, 2000]))
        self.fake.latency = self.chance.choice([0.0, 0.3, 3.0])
        self.left = self.chance.choice([0, 1, 5, 30])
        self.rate = self.chance.choice([0.1, 0.3, 0.8])
        self.kills = self.chance.choice([0, 0, 1, 3])
        self.requests = 0
        self.deleted_at = dict[int, int]()
        self.fleeting = list[int]()
        self.fake.faults.add(Fault.during(self.before_request), times=None, path="/api/issue/")

    def before_request(self) -> None:
        self.requests += 1
        while self.left and self.chance.random() < self.rate:
            self.left -= 1
            self.edit()

    def edit(self) -> None:
        issues = list(self.fake.catalogue.tables.issue)
        series = list(self.fake.catalogue.tables.series)
        kind = self.chance.choice(["delete", "add", "pair", "pair", "fleeting", "move", "touch"])
        if self.fleeting and self.chance.random() < 0.7:  # it leaves no trace but in the count
            self.deleted_at[self.fleeting[-1]] = self.requests
            self.fake.delete("issue", self.fleeting.pop())
            return
        if kind in {"delete", "pair", "fleeting"}:
            gone = self.chance.choice(issues)
            self.fake.delete("issue", gone)
            self.deleted_at[gone] = self.requests
        if kind in {"add", "pair", "fleeting"}:
            day = dt.date(1950, 1, 1) + dt.timedelta(days=self.chance.randrange(28_000))
            number = str(self.chance.randrange(10_000, 10**9))
            added = self.fake.add_issue(self.chance.choice(series), number, cover_date=day)
            if kind == "fleeting":
                self.fleeting.append(added.id)
        if kind == "move":
            self.fake.touch("issue", self.chance.choice(issues), series=self.chance.choice(series))
        if kind == "touch":
            number = self.chance.choice(issues)
            self.fake.touch("issue", number, number=str(self.chance.randrange(10**9)))

    async def run(self, path: Path, *, deletions: bool) -> Report:
        """Run the mirror, killed some times, and return the report of the last run."""
        while True:
            kill_at = self.chance.randrange(1, 25) if self.kills else 10**9
            try:
                async with mirror_of(self.fake, path, cache=None) as mirror:
                    return await mirror.run(
                        "issues", deletions=deletions, on_event=self.killer(kill_at)
                    )
            except ConnectionResetError:
                self.kills -= 1
            await asyncio.sleep(self.chance.choice([0, 1, 5000]))

    def killer(self, at: int):
        left = [at]

        def listen(event: Event) -> None:
            left[0] -= isinstance(event, PageStored)
            if left[0] == 0:
                raise ConnectionResetError

        return listen


def history(seed: int, path: Path) -> tuple[bool, bool]:
    """Mirror one history, and return whether it was complete, and whether it was ever edited."""
    made = History(seed)
    edits = made.left

    async def main() -> bool:
        complete = False
        for turn in range(3):
            deletions = made.chance.random() < 0.5
            report = await made.run(path, deletions=deletions)
            requests, left, made.left = made.requests, made.left, 0
            truth, held = await served(made.fake, "issues"), stored(path, "issues")
            made.left = left
            lost = {number for number, row in truth.items() if held.get(number) != row}
            if report.complete:
                assert not lost, (seed, turn, lost)
                surplus = held.keys() - truth.keys()
                if deletions:  # the last request shows changes, and cannot show a deletion
                    late = {n for n in surplus if made.deleted_at[n] == requests}
                    assert surplus == late, (seed, turn, surplus)
            complete = complete or report.complete
        return complete

    return run_virtual(main()), bool(edits)


@pytest.mark.parametrize("seed", range(scaled(25, 500)))
def test_a_complete_mirror_equals_the_server(tmp_path: Path, seed: int) -> None:
    complete, edited = history(seed, tmp_path / "comics.db")
    assert complete or edited


@pytest.mark.parametrize(("issues", "pages"), [(250, 3), (600, 6), (2000, 20)])
async def test_without_edits_a_walk_costs_its_pages_and_two_requests_at_most(
    tmp_path: Path, issues: int, pages: int
) -> None:
    fake = fake_metron(issues)
    async with mirror_of(fake, tmp_path / "comics.db") as mirror:
        first = await mirror.run("issues")
        assert (first.complete, first.requests) == (True, pages + 1)
        again = await mirror.run("issues")
        assert (again.complete, again.requests) == (True, 2)
        purged = await mirror.run("issues", deletions=True)
        assert (purged.complete, purged.requests) == (True, pages + 1)


async def test_a_row_that_no_count_shows_is_not_lost(tmp_path: Path) -> None:
    """Between pages 3 and 4 one row of page 2 is deleted, and one is added at the end."""
    fake = fake_metron(1000)
    order = list(await served(fake, "issues"))
    last = fake.catalogue.tables.issue[order[-1]].series
    left = [1]

    def listen(event: Event) -> None:
        if isinstance(event, PageStored) and event.page == 3 and left:
            left.pop()
            fake.delete("issue", order[150])
            fake.add_issue(last, "99999", cover_date=dt.date(2099, 1, 1))

    path = tmp_path / "comics.db"
    async with mirror_of(fake, path) as mirror:
        report = await mirror.run("issues", on_event=listen)
    assert report.complete
    truth, held = await served(fake, "issues"), stored(path, "issues")
    assert {number: held.get(number) for number in truth} == truth


@pytest.mark.parametrize("seen", [False, True], ids=["before it is read", "after it was read"])
async def test_an_added_row_that_is_deleted_again_hides_no_other_deletion(
    tmp_path: Path, seen: bool
) -> None:
    fake = fake_metron(1000)
    order = list(await served(fake, "issues"))
    last = fake.catalogue.tables.issue[order[-1]].series
    added: list[int] = []

    def listen(event: Event) -> None:
        if not isinstance(event, PageStored) or event.kind != "full":
            return
        if event.page == 3 and not added:
            fake.delete("issue", order[150])
            number = fake.add_issue(last, "99999", cover_date=dt.date(2099, 1, 1)).id
            added.append(number)
        if event.page == (10 if seen else 6) and added and added[0] in fake.catalogue.tables.issue:
            fake.delete("issue", added[0])

    path = tmp_path / "comics.db"
    async with mirror_of(fake, path) as mirror:
        report = await mirror.run("issues", deletions=True, on_event=listen)
    assert report.complete
    assert stored(path, "issues").keys() == (await served(fake, "issues")).keys()

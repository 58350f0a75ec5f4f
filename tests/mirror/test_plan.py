"""The walk as a state: each of its decisions, on plain values."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from metron_async.mirror.forecast import DAY, Allowance, forecast
from metron_async.mirror.plan import (
    ATTEMPTS,
    LONG_GAP,
    OVERLAP,
    after_end,
    after_page,
    after_shrinking,
    next_walk,
    pages_left,
)
from metron_async.mirror.walk import Arrived, Walk


def page(rows: int = 100, count: int = 1000, **more: Any) -> Arrived:
    values = {"has_next": True, "as_of": 0.0, **more}
    changes = tuple((number, 0.0) for number in range(rows))
    return Arrived(**{"rows": changes, "count": count, **values})


def full(**changes: Any) -> Walk:
    values = {"kind": "full", "generation": 1, "page_size": 100, "count": 1000, "began": 50.0}
    return Walk(**{**values, **changes})


# --- how a run begins -----------------------------------------------------------------------------


def begin(stopped: Walk | None = None, *, watermark: float | None = None, **more: Any) -> Walk:
    values = {"generation": 7, "watermark": watermark, "by_change": True, **more}
    return next_walk(stopped, **values)


def test_the_first_run_walks_everything() -> None:
    assert begin() == Walk(kind="full", generation=7)


def test_a_later_run_looks_at_the_count_and_then_for_changes_with_an_overlap() -> None:
    assert begin(watermark=1000.0) == Walk(kind="check", generation=7, since=1000.0 - OVERLAP)


def test_deletions_take_a_full_walk() -> None:
    assert begin(watermark=1000.0, purge=True) == Walk(kind="full", generation=7, purge=True)
    assert begin(watermark=1000.0, full=True) == Walk(kind="full", generation=7)


def test_a_list_without_changes_is_always_walked_in_full() -> None:
    found = begin(watermark=1000.0, by_change=False)
    assert (found.kind, found.purge) == ("full", True)


def test_an_interrupted_walk_resumes() -> None:
    stopped = full(page=5)
    assert begin(stopped) == stopped
    assert begin(stopped, full=True) == stopped
    assert begin(stopped, purge=True) == msgspec.structs.replace(stopped, purge=True)
    proof = Walk(kind="changes", generation=2, proves=stopped)
    assert begin(proof, full=True) == proof
    assert begin(proof, purge=True).proves == msgspec.structs.replace(stopped, purge=True)
    changes = Walk(kind="changes", generation=3, page=2)
    assert begin(changes, watermark=9.0) == changes
    assert begin(changes, watermark=9.0, full=True) == Walk(kind="full", generation=7)


# --- from page to page ----------------------------------------------------------------------------


def test_the_first_page_tells_size_count_and_time() -> None:
    after = after_page(Walk(kind="full", generation=1), page(as_of=9.0))
    assert (after.page, after.page_size, after.count) == (2, 100, 1000)
    assert (after.began, after.seen_at, after.fetched) == (9.0, 9.0, 1)
    assert not after.ended


def test_the_time_of_the_first_page_stays() -> None:
    after = after_page(full(page=2), page(as_of=99.0))
    assert (after.began, after.seen_at) == (50.0, 99.0)


def test_a_page_without_a_next_ends_the_walk() -> None:
    assert after_page(full(page=10), page(has_next=False)).ended
    assert after_page(Walk(kind="full", generation=1), page(3, 3, has_next=False)).page_size == 0


def test_a_check_ends_with_its_first_page() -> None:
    assert after_page(Walk(kind="check", generation=1), page()).ended


def test_a_server_that_leads_on_for_ever_is_not_followed() -> None:
    walk = full(page=10)
    for _ in range(5):
        walk = after_page(walk, page())
    assert walk.ended


@pytest.mark.parametrize(
    ("at", "drop", "back"), [(5, 1, 4), (5, 100, 4), (5, 101, 3), (3, 900, 1), (2, 1, 1)]
)
def test_a_lower_count_makes_it_step_back(at: int, drop: int, back: int) -> None:
    after = after_page(full(page=at), page(count=1000 - drop))
    assert (after.page, after.ended) == (back, False)


def test_it_steps_back_from_the_last_page_too() -> None:
    after = after_page(full(page=10), page(count=999, has_next=False))
    assert (after.page, after.ended) == (9, False)


def test_a_higher_count_needs_nothing() -> None:
    assert after_page(full(page=5), page(count=1003)).page == 6


def test_it_steps_back_only_once_for_one_cached_page() -> None:
    walk = after_page(full(page=5), page(count=999))
    walk = after_page(walk, page(count=1000))  # page 4, fresh
    walk = after_page(walk, page(count=999, cached=True))  # page 5, the same as before
    assert (walk.page, walk.cached) == (6, True)


def test_a_long_gap_is_followed_by_a_proof_before_the_walk_goes_on() -> None:
    walk = full(page=5, seen_at=0.0)
    after = after_page(walk, page(as_of=LONG_GAP + 1))
    assert (after.page, after.ended, after.at_end, after.seen_at) == (5, True, False, 0.0)
    assert after_page(walk, page(as_of=LONG_GAP)).page == 6
    assert after_page(full(page=5), page(as_of=LONG_GAP + 1)).page == 6
    assert after_page(full(page=1, seen_at=0.0), page(as_of=LONG_GAP + 1)).page == 2


def test_after_a_long_gap_a_list_without_traces_is_walked_from_its_first_page() -> None:
    walk = full(page=5, seen_at=0.0, traced=False, digest=7)
    after = after_page(walk, page(as_of=LONG_GAP + 1))
    assert (after.page, after.ended, after.attempt) == (1, False, 1)


def test_a_step_back_that_is_not_made_again_leaves_a_doubt() -> None:
    walk = full(page=5, turned=(5, 999))
    assert after_page(walk, page(count=999)).doubtful
    assert after_page(full(page=5), page(count=1001)).doubtful
    assert not after_page(full(page=5), page(count=999)).doubtful


def test_a_page_that_is_gone_sends_back_once() -> None:
    walk = after_shrinking(full(page=5))
    assert (walk.page, walk.ended) == (4, False)
    again = after_shrinking(msgspec.structs.replace(walk, page=5))
    assert again.ended
    assert after_shrinking(full(page=1)).ended


# --- at the end -----------------------------------------------------------------------------------


def end(walk: Walk, *, seen: int = 1000, tracked: int = 1000, **more: Any) -> Any:
    return after_end(walk, mark=9, seen=seen, tracked=tracked, **more)


def walked(**changes: Any) -> Walk:
    """Return a full walk that has stored all of its ten pages."""
    values = {"page": 11, "ended": True, "at_end": True, "fetched": 10, "edited_after": 50.0}
    return full(**{"seen_at": 60.0, **values, **changes})


def proof(walk: Walk, *edits: tuple[int, float], began: float = 70.0) -> Walk:
    """Return a proof of *walk*, of one page that shows these edits."""
    changes = Walk(kind="changes", generation=9, since=0.0, proves=walk)
    arrived = Arrived(rows=edits, count=len(edits), has_next=False, as_of=began)
    return after_page(changes, arrived)


def proven(walk: Walk, *edits: tuple[int, float], **more: Any) -> Any:
    return end(proof(walk, *edits, **more), seen=len(edits))


def test_a_walk_of_several_pages_is_followed_by_its_proof() -> None:
    outcome = end(walked())
    assert outcome.next == Walk(kind="changes", generation=9, since=50.0 - OVERLAP, proves=walked())
    assert (outcome.watermark, outcome.repeats) == (None, False)


def test_a_proof_without_edits_ends_the_walk_at_its_own_time() -> None:
    outcome = proven(walked(), (3, 40.0))  # an edit before the walk began
    assert (outcome.next.ended, outcome.next.proven, outcome.repeats) == (True, 10, False)
    assert end(outcome.next).watermark == 70.0


def test_edits_after_the_last_page_do_not_matter_to_it() -> None:
    assert proven(walked(), (3, 65.0)).next.ended
    assert not proven(walked(), (3, 61.5)).next.ended  # a `Date` is cut to seconds


def test_edits_during_the_walk_make_it_resume_and_prove_in_short_intervals() -> None:
    resumed = proven(walked(proven=4, proven_count=1000), (3, 55.0), (5, 56.0)).next
    assert (resumed.page, resumed.proven, resumed.stride, resumed.ended) == (4, 3, 1, False)
    assert (resumed.edited_after, resumed.accounted) == (70.0, ())
    many = [(number, 55.0) for number in range(100)]
    assert proven(walked(proven=4, proven_count=1000), *many).next.page == 4
    assert proven(walked(proven=4, proven_count=1001), *many).next.page == 3
    assert proven(walked(), (3, 55.0)).next.page == 1


def test_an_edit_that_a_proof_has_accounted_for_is_not_counted_again() -> None:
    first = proven(walked(), (3, 69.5), (4, 55.0)).next
    assert first.accounted == ((3, 69.5),)
    changes = {"edited_after": 70.0, "seen_at": 75.0, "accounted": first.accounted}
    again = msgspec.structs.replace(walked(), **changes)
    assert proven(again, (3, 69.5), began=80.0).next.ended
    assert not proven(again, (3, 69.6), began=80.0).next.ended


def test_intervals_grow_while_proofs_succeed_and_shrink_when_they_fail() -> None:
    part = walked(page=5, proven=3, stride=2, at_end=False)
    grown = proven(part).next
    assert (grown.page, grown.proven, grown.stride, grown.ended) == (5, 4, 4, False)
    shrunk = proven(msgspec.structs.replace(part, stride=8), (3, 55.0)).next
    assert (shrunk.page, shrunk.stride) == (3, 4)
    walk = full(page=4, proven=3, stride=2)
    walk = after_page(walk, page())
    assert not walk.ended
    walk = after_page(walk, page())
    assert (walk.ended, walk.at_end) == (True, False)


def test_a_gap_steps_back_over_the_edits_that_fell_into_it() -> None:
    part = walked(page=5, at_end=False)
    resumed = proven(part, (3, 900.0), (4, 901.0), began=1000.0).next
    assert (resumed.page, resumed.proven, resumed.stride) == (4, 3, 0)


def test_a_doubt_without_edits_starts_from_the_first_page() -> None:
    assert proven(walked(doubtful=True, proven=7)).next.page == 1


def test_it_gives_up_when_the_list_is_edited_without_a_pause() -> None:
    outcome = proven(walked(fetched=60), (3, 55.0))
    assert (outcome.next, outcome.proven, outcome.watermark) == (None, False, None)


def test_a_walk_without_a_proof_by_changes_is_proven_by_the_same_pages_again() -> None:
    for more in ({"traced": False}, {"dated": False}, {"proves": walked()}):
        first = end(walked(digest=7, **more)).next
        assert (first.page, first.attempt, first.digest_before) == (1, 2, 7)
        second = walked(digest=7, digest_before=7, attempt=2, **more)
        assert end(second).proven
        third = walked(digest=8, digest_before=7, attempt=ATTEMPTS, **more)
        assert (end(third).next, end(third).proven) == (None, False)


def test_without_a_date_the_newest_row_limits_the_watermark() -> None:
    walk = walked(dated=False, digest=7, digest_before=7, page=2, page_size=0)
    assert end(walk, newest=45.0).watermark == 35.0  # the walk took ten seconds
    assert end(walk, newest=80.0).watermark == 50.0


def test_one_page_is_a_state_by_itself() -> None:
    assert end(walked(page=2, page_size=0)).watermark == 50.0


def test_a_walk_that_is_short_of_rows_is_repeated_and_rows_seen_before_count() -> None:
    outcome = end(walked(), seen=999)
    assert (outcome.next.page, outcome.next.attempt, outcome.next.generation) == (1, 2, 1)
    assert (outcome.missing, outcome.repeats, outcome.watermark) == (1, True, None)


def test_after_some_walks_it_gives_up_and_keeps_the_watermark() -> None:
    outcome = end(walked(attempt=ATTEMPTS), seen=999)
    assert (outcome.next, outcome.watermark, outcome.missing) == (None, None, 1)


def test_deletions_are_the_rows_that_a_proven_walk_did_not_see() -> None:
    assert end(walked(purge=True)).purge_before is None
    assert end(walked(purge=True, proven=10)).purge_before == 1


def test_rows_that_were_deleted_during_the_walk_take_a_new_mark() -> None:
    outcome = end(walked(purge=True, proven=10), seen=1001)
    assert (outcome.next.generation, outcome.repeats, outcome.purge_before) == (9, True, None)
    last = end(walked(purge=True, proven=10, attempt=2 * ATTEMPTS), seen=1001)
    assert (last.purge_before, last.proven) == (1, False)


def check(**more: Any) -> Walk:
    return Walk(**{"kind": "check", "generation": 4, "since": 7.0, "began": 800.0, **more})


def test_a_check_is_followed_by_the_changes_with_a_mark_of_their_own() -> None:
    outcome = end(check(count=500, page_size=100))
    assert outcome.next == Walk(kind="changes", generation=9, since=7.0, expected=500)


def test_a_watermark_in_the_future_takes_a_full_walk() -> None:
    outcome = end(check(count=500, page_size=100, since=800.0 - OVERLAP + 1.5))
    assert outcome.next == Walk(kind="full", generation=9)
    assert end(check(count=500, page_size=100, since=500.0)).next.kind == "changes"


def test_a_check_that_shows_the_whole_list_is_enough() -> None:
    walk = check(count=5, began=70.0, fetched=1, ended=True, at_end=True)
    assert end(walk, seen=5, tracked=5).watermark == 70.0
    assert end(walk, seen=4, tracked=4).repeats


def test_changes_move_the_watermark_to_their_own_beginning() -> None:
    assert end(walked(kind="changes", expected=900, proven=10)).watermark == 50.0


def test_rows_that_appeared_without_a_trace_take_a_full_walk() -> None:
    outcome = end(walked(kind="changes", expected=1005, proven=10))
    assert outcome.next == Walk(kind="full", generation=9)
    assert (outcome.missing, outcome.repeats, outcome.watermark) == (5, True, None)


def test_pages_left() -> None:
    assert pages_left(full(page=4)) == 7
    assert pages_left(full(page=12)) == 1
    assert pages_left(full(at_end=True)) == 0
    assert pages_left(Walk(kind="full", generation=1)) == 1
    assert pages_left(Walk(kind="check", generation=1, count=900, page_size=100)) == 1


# --- the promise itself ---------------------------------------------------------------------------


class Listed:
    """A list on a server that is edited between requests, and a mirror of it."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.rows = list(range(self.chance.choice([30, 80, 150])))
        self.modified = dict.fromkeys(self.rows, -1e9)
        self.clock = 0.0
        self.fresh = 1000
        self.marks: dict[int, int] = {}
        self.left = self.chance.choice([0, 1, 4, 20])
        self.rate = self.chance.choice([0.05, 0.2, 0.5])
        self.pause = self.chance.choice([0.0, 0.0, 3.0, LONG_GAP * 3])

    def edit(self) -> None:
        """Delete, add or move a row, or replace one by another."""
        self.clock += self.chance.choice([0.0, 0.3, self.pause])
        if self.left and self.chance.random() < self.rate:
            self.left -= 1
            kind = self.chance.choice(["delete", "add", "move", "pair", "pair"])
            row = self.fresh
            if kind != "add":
                row = self.rows.pop(self.chance.randrange(len(self.rows)))
            if kind != "delete":
                row = row if kind == "move" else self.fresh
                self.fresh += 1
                self.rows.insert(self.chance.randrange(len(self.rows) + 1), row)
                self.modified[row] = self.clock

    def fetch(self, walk: Walk) -> Walk:
        self.edit()
        listed = self.rows
        if walk.kind == "changes":
            listed = [row for row in listed if self.modified[row] > (walk.since or 0.0)]
        start = (walk.page - 1) * 10
        rows = listed[start : start + 10]
        if not rows and walk.page > 1:
            return after_shrinking(walk)
        self.marks.update(dict.fromkeys(rows, walk.generation))
        changes = tuple((row, self.modified[row]) for row in rows)
        more = start + 10 < len(listed)
        return after_page(walk, Arrived(changes, len(listed), more, float(int(self.clock))))


@pytest.mark.parametrize("seed", range(1500))
def test_a_proven_walk_has_seen_every_row_whatever_was_edited_meanwhile(seed: int) -> None:
    server = Listed(seed)
    walk, mark, pages, outcome = Walk(kind="full", generation=1), 1, 0, None
    edits = server.left
    while walk is not None:
        while not walk.ended:
            walk = server.fetch(walk)
            mark, pages = max(mark, walk.generation), pages + 1
            assert pages < 1000
        seen = sum(each >= walk.generation for each in server.marks.values())
        outcome = after_end(walk, mark=mark + 1, seen=seen, tracked=len(server.marks))
        walk = outcome.next
    assert outcome is not None
    if outcome.proven and not outcome.missing:
        assert set(server.rows) <= set(server.marks)
    if not edits and server.pause < LONG_GAP:
        assert outcome.proven
        assert pages == len(server.rows) // 10 + 1


# --- what it costs --------------------------------------------------------------------------------


def allowance(left: int = 20, today: int = 5000) -> Allowance:
    burst = SimpleNamespace(limit=20, remaining=left, resets_in=60.0)
    day = SimpleNamespace(limit=5000, remaining=today, resets_in=600.0)
    return Allowance.of(SimpleNamespace(burst=burst, sustained=day))  # type: ignore[arg-type]


def test_an_allowance_leaves_something_to_the_others() -> None:
    assert allowance() == Allowance(19, 20, 4750, 4750, 600.0)
    assert allowance(0, 0) == Allowance(19, 0, 4750, 0, 600.0)


@pytest.mark.parametrize(
    ("requests", "left", "today", "seconds", "days"),
    [
        (0, 20, 5000, 0.0, 1),
        (10, 20, 5000, 0.0, 1),
        (200, 20, 5000, 180 / 19 * 60, 1),
        (4750 + 19, 20, 5000, DAY + 60.0, 2),
        (4750 * 3, 20, 5000, 2 * DAY + 15_000.0, 3),
        (19, 0, 0, 660.0, 1),
        (4750 + 19, 0, 0, 600.0 + DAY + 60.0, 2),
    ],
)
def test_forecast(requests: int, left: int, today: int, seconds: float, days: int) -> None:
    assert forecast(requests, allowance(left, today)) == (pytest.approx(seconds), days)

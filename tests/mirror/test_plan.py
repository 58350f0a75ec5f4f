"""The walk as a state: every decision of it, on plain values."""

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
    Arrived,
    Walk,
    after_end,
    after_page,
    after_shrinking,
    gap_is_long,
    next_walk,
    pages_left,
)


def page(rows: int = 100, count: int = 1000, **more: Any) -> Arrived:
    values = {"has_next": True, "as_of": 0.0, **more}
    return Arrived(rows=rows, count=count, **values)


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


def test_a_walk_that_was_broken_off_goes_on() -> None:
    stopped = full(page=5)
    assert begin(stopped) == stopped
    assert begin(stopped, full=True) == stopped
    assert begin(stopped, purge=True) == msgspec.structs.replace(stopped, purge=True)
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


def test_changes_unseen_for_long_count_like_deletions() -> None:
    walk = full(page=5, seen_at=0.0)
    late = page(as_of=LONG_GAP + 1)
    assert gap_is_long(walk, late)
    assert after_page(walk, late, changed=101).page == 3
    assert not gap_is_long(walk, page(as_of=LONG_GAP))
    assert not gap_is_long(full(page=5), late)
    assert not gap_is_long(full(page=1, seen_at=0.0), late)


def test_a_page_that_is_gone_sends_back_once() -> None:
    walk = after_shrinking(full(page=5))
    assert (walk.page, walk.ended) == (4, False)
    again = after_shrinking(msgspec.structs.replace(walk, page=5))
    assert again.ended
    assert after_shrinking(full(page=1)).ended


# --- at the end -----------------------------------------------------------------------------------


def end(walk: Walk, *, seen: int = 1000, tracked: int = 1000, by_change: bool = True) -> Any:
    return after_end(walk, seen=seen, tracked=tracked, by_change=by_change)


def test_what_changed_during_a_long_walk_is_asked_for() -> None:
    outcome = end(full(fetched=10))
    assert outcome.next == Walk(kind="changes", generation=2, since=50.0 - OVERLAP)
    assert outcome.watermark is None


def test_one_page_is_a_state_by_itself() -> None:
    assert end(full(fetched=1)).watermark == 50.0
    assert end(full(fetched=10), by_change=False).watermark == 50.0


def test_a_walk_that_came_short_is_repeated_and_what_was_seen_counts() -> None:
    outcome = end(full(fetched=10, page=11, ended=True), seen=999)
    assert (outcome.next.page, outcome.next.attempt, outcome.next.generation) == (1, 2, 1)
    assert (outcome.missing, outcome.repeats, outcome.watermark) == (1, True, None)


def test_after_some_walks_it_gives_up_and_keeps_the_watermark() -> None:
    outcome = end(full(fetched=30, attempt=ATTEMPTS), seen=999)
    assert (outcome.next, outcome.watermark, outcome.missing) == (None, None, 1)


def test_deletions_are_what_the_walk_has_not_met() -> None:
    outcome = end(full(fetched=10, purge=True))
    assert outcome.purge_before == 1
    assert outcome.next.kind == "changes"


def test_rows_that_went_during_the_walk_take_a_new_mark() -> None:
    outcome = end(full(fetched=10, purge=True), seen=1001)
    assert (outcome.next.generation, outcome.repeats, outcome.purge_before) == (2, True, None)
    last = end(full(fetched=10, purge=True, attempt=ATTEMPTS), seen=1001)
    assert last.purge_before == 1


def test_a_check_is_followed_by_the_changes_with_a_mark_of_their_own() -> None:
    outcome = end(Walk(kind="check", generation=4, since=7.0, count=500, page_size=100))
    assert outcome.next == Walk(kind="changes", generation=5, since=7.0, expected=500)


def test_a_check_that_shows_the_whole_list_is_enough() -> None:
    walk = Walk(kind="check", generation=4, since=7.0, count=5, began=70.0, fetched=1)
    assert end(walk, seen=5, tracked=5).watermark == 70.0
    assert end(walk, seen=4, tracked=4).repeats


def test_changes_move_the_watermark_to_their_own_beginning() -> None:
    assert end(full(kind="changes", expected=900)).watermark == 50.0


def test_rows_that_came_without_a_trace_take_a_full_walk() -> None:
    outcome = end(full(kind="changes", expected=1005))
    assert outcome.next == Walk(kind="full", generation=2)
    assert (outcome.missing, outcome.repeats, outcome.watermark) == (5, True, None)


def test_pages_left() -> None:
    assert pages_left(full(page=4)) == 7
    assert pages_left(full(page=12)) == 1
    assert pages_left(full(ended=True)) == 0
    assert pages_left(Walk(kind="full", generation=1)) == 1
    assert pages_left(Walk(kind="check", generation=1, count=900, page_size=100)) == 1


# --- the promise itself ---------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(300))
def test_no_deletion_at_any_moment_loses_a_row(seed: int) -> None:
    """Walks a list of which rows vanish, and to which rows are added, between any two pages."""
    chance = random.Random(seed)
    listed = list(range(300))
    seen: set[int] = set()
    walk = Walk(kind="full", generation=1)
    clock, fresh, changed_at = 0.0, 1000, dict.fromkeys(listed, -1000000000.0)
    while not walk.ended:
        pause = chance.choice([1.0, 1.0, LONG_GAP * 3])
        clock += pause
        for _ in range(chance.choice([0, 0, 1, 12])):
            if chance.random() < 0.6 and listed:
                listed.remove(chance.choice(listed))
            elif pause > LONG_GAP:  # an addition hides a deletion only where nobody looked
                listed.insert(chance.randrange(len(listed) + 1), fresh)
                changed_at[fresh] = clock
                fresh += 1
        size, start = 10, (walk.page - 1) * 10
        rows = listed[start : start + size]
        if not rows and walk.page > 1:
            walk = after_shrinking(walk)
            continue
        came = Arrived(len(rows), len(listed), start + size < len(listed), clock)
        changed = 0
        if gap_is_long(walk, came):
            since = (walk.seen_at or 0.0) - OVERLAP
            changed = sum(1 for number in listed if changed_at[number] > since)
        seen.update(rows)
        walk = after_page(walk, came, changed)
        assert walk.fetched < 2000
    unseen = {number for number in listed if number < 1000} - seen
    missing = max(0, len(listed) - len(seen))
    assert not unseen or missing


# --- what it costs --------------------------------------------------------------------------------


def allowance(left: int = 20, today: int = 5000) -> Allowance:
    burst = SimpleNamespace(limit=20, remaining=left, resets_in=60.0)
    day = SimpleNamespace(limit=5000, remaining=today, resets_in=600.0)
    return Allowance.of(SimpleNamespace(burst=burst, sustained=day))  # type: ignore[arg-type]


def test_an_allowance_leaves_something_to_the_others() -> None:
    assert allowance() == Allowance(19, 10, 4750, 4750, 600.0)
    assert allowance(0, 0) == Allowance(19, 0, 4750, 0, 600.0)


@pytest.mark.parametrize(
    ("requests", "left", "today", "seconds", "days"),
    [
        (0, 20, 5000, 0.0, 1),
        (10, 20, 5000, 0.0, 1),
        (200, 20, 5000, 600.0, 1),
        (4750 + 19, 20, 5000, DAY + 60.0, 2),
        (4750 * 3, 20, 5000, 2 * DAY + 15_000.0, 3),
        (19, 0, 0, 660.0, 1),
        (4750 + 19, 0, 0, 600.0 + DAY + 60.0, 2),
    ],
)
def test_forecast(requests: int, left: int, today: int, seconds: float, days: int) -> None:
    assert forecast(requests, allowance(left, today)) == (pytest.approx(seconds), days)

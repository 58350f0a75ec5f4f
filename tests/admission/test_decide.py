"""The decision, as a function of plain values."""

from __future__ import annotations

import itertools
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metron_async.admission import account as accounts
from metron_async.admission import address as addresses
from metron_async.admission.codec import (
    decision,
    decode_account,
    decode_address,
    encode_account,
    encode_address,
)
from metron_async.admission.commands import (
    Acquire,
    Cause,
    Peek,
    Refusal,
    Renew,
    Reset,
    Retry,
    Settle,
)
from metron_async.admission.decide import apply
from metron_async.admission.log import CELL, MOST, CellLog, EntryLog
from metron_async.admission.state import BURST, DEFAULT_RULES, SUSTAINED, Account, Budget, Lease
from metron_async.admission.table import FLIGHT, LIMITS, LOST, MAY_404, PROBE, possibly_banned
from metron_async.admission.waits import spoken, wait_error
from metron_async.errors import BlockedError, RateLimitError
from metron_async.storage import Loaded
from metron_async.types import Priority

INTERACTIVE, NORMAL, BULK = Priority


class Room:
    """An account at an address, with a clock that the test moves."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now
        self.account = Account.fresh(DEFAULT_RULES, now)
        self.address: list[tuple[int, float]] = []
        self.ids = iter(range(1, 10**9))

    def do(self, command):
        return apply(self.account, self.address, DEFAULT_RULES, self.now, command)

    def ask(self, priority=NORMAL, **options):
        options = {"credentials": "x", **options}
        return self.do(Acquire(lease=next(self.ids), priority=priority, **options))

    def end(self, lease, *, left=None, limit=20, day=(), reset=30.0, **options):
        options = {"credentials": "x", "proves": True, **options}
        if left is None:
            left = limit - self.account.burst.used - self.account.burst.foreign - 1
        if day == ():
            day = (5000, 4999 - self.account.sustained.used)
        sustained = (*day, 80_000.0) if day else ()
        options.setdefault("burst", (limit, left, reset))
        self.do(Settle(lease=lease, sustained=sustained, **options))

    def serve(self, number=1, priority=NORMAL, took=0.2, **options):
        for _ in range(number):
            credentials = options.get("credentials", "x")
            reply = self.ask(priority, last=False, credentials=credentials)
            assert reply.lease is not None, reply.refusal
            self.now += took
            self.end(reply.lease, **options)

    def refuse(self, priority=NORMAL, **options) -> Refusal:
        refusal = self.ask(priority, **options).refusal
        assert refusal is not None
        return refusal


def test_the_first_request_goes_alone_and_then_eight():
    room = Room()
    first = room.ask()
    assert room.refuse().cause is Cause.FLIGHT
    room.end(first.lease)
    leases = [room.ask().lease for _ in range(9)]
    assert sum(lease is not None for lease in leases) == 8
    assert room.refuse().cause is Cause.FLIGHT


def test_asking_again_with_the_same_lease_is_harmless():
    room = Room()
    first = room.do(Acquire(lease=7, priority=1))
    assert room.do(Acquire(lease=7, priority=1)).lease == first.lease
    assert len(room.account.leases) == 1


def test_silence_makes_the_first_request_go_alone_again():
    room = Room()
    room.serve()
    room.now += 89
    room.ask()
    assert room.ask().lease is not None
    room = Room()
    room.serve()
    room.now += 91
    room.ask()
    assert room.refuse().cause is Cause.FLIGHT


def test_above_a_floating_limit_five_seconds_are_silence():
    room = Room()
    room.serve()
    room.end(room.ask().lease, limit=60, left=58)
    for _ in range(25):
        room.end(room.ask().lease, limit=60, left=59 - room.account.burst.used)
    room.now += 4
    room.ask()
    assert room.ask().lease is not None
    room.now += 2
    assert room.refuse().cause is Cause.FLIGHT


def test_a_full_window_opens_when_its_oldest_request_left_the_server():
    room = Room()
    room.serve(20)
    refusal = room.refuse()
    assert refusal.cause is Cause.WINDOW
    assert refusal.scope == BURST
    oldest = room.account.burst.log.entries[0].stamp
    assert room.now + refusal.wait == pytest.approx(oldest + 60.05)
    room.now = oldest + 60.04
    assert room.refuse().wait > 0
    room.now = oldest + 60.05
    assert room.ask().lease is not None


def test_a_429_is_waited_out_and_then_tried_alone():
    room = Room()
    room.serve()
    lease = room.ask().lease
    room.end(lease, burst=(), day=None, throttled=True, retry_after=30, jitter=0.5, proves=False)
    refusal = room.refuse()
    assert refusal.cause is Cause.REJECTED
    assert refusal.wait == pytest.approx(30.5)
    assert refusal.scope == BURST
    room.now += 30.6
    lease = room.ask().lease
    assert room.refuse().cause in {Cause.FLIGHT, Cause.PACE}
    room.now += 5
    room.end(lease, left=18)
    assert not room.account.half_open


@pytest.mark.parametrize(
    ("retry_after", "day", "left", "scope"),
    [
        (30.0, (5000, 4000), 0, BURST),
        (121.0, (5000, 4000), 0, SUSTAINED),
        (119.0, None, 0, BURST),
        (30.0, (5000, 0), 3, SUSTAINED),
        (30.0, (5000, 0), 0, BURST),
    ],
)
def test_which_window_a_429_blames(retry_after, day, left, scope):
    room = Room()
    room.serve()
    room.end(room.ask().lease, day=day, left=left, throttled=True, retry_after=retry_after)
    assert room.account.blocked_by_day == (scope == SUSTAINED)
    assert day == (5000, 0) or room.refuse().scope == scope


def test_a_429_without_a_word_waits_a_minute_and_one_with_too_much_a_day():
    for said, waited in ((-1.0, 60.0), (999_999.0, 86_400.0)):
        room = Room()
        room.end(room.ask().lease, throttled=True, retry_after=said, burst=(), day=None)
        assert room.account.blocked_until - room.now == pytest.approx(waited)


def spend_the_day(room: Room) -> None:
    room.serve()
    lease = room.ask().lease
    room.end(lease, day=(5000, 0), left=10, throttled=True, retry_after=70_000.0, proves=False)


def test_a_spent_day_is_probed_once_an_hour():
    room = Room()
    spend_the_day(room)
    refusal = room.refuse()
    assert refusal.scope == SUSTAINED
    assert refusal.wait == pytest.approx(3600)
    room.now += 3599
    assert room.refuse().wait == pytest.approx(1)
    room.now += 1.1
    probe = room.ask().lease
    assert probe is not None
    assert room.refuse().wait > 3500
    room.end(probe, day=(5000, 0), left=10, throttled=True, retry_after=60_000.0)
    assert room.refuse().wait == pytest.approx(3600)
    room.now += 3601
    probe = room.ask().lease
    room.end(probe, day=(25_000, 20_000), left=19)
    assert room.ask().lease is not None


def test_a_day_that_our_own_log_explains_is_not_probed():
    room = Room()
    room.serve()
    for _ in range(4999):
        room.now += 3.1
        room.serve()
    assert room.account.sustained.used == 5000
    refusal = room.refuse()
    assert refusal.scope == SUSTAINED
    assert refusal.wait > 60_000
    assert refusal.limit == 5000
    assert len(encode_account(room.account)) < 4096


def test_a_day_that_was_seen_to_end_is_probed_ever_less():
    room = Room()
    room.serve()
    for left in (40, 1, 0):
        lease = room.ask(INTERACTIVE).lease
        room.now += 1
        room.end(lease, day=(5000, left), left=16)
    waits = []
    for _ in range(3):
        refusal = room.refuse()
        waits.append(round(refusal.wait / 3600))
        room.now += refusal.wait + 0.01
        lease = room.ask().lease
        room.end(lease, day=(5000, 0), left=18, throttled=True, retry_after=70_000.0)
    assert waits == [1, 4, 16]


def test_one_garbled_response_does_not_lock_for_long():
    room = Room()
    room.serve(3)
    room.end(room.ask().lease, limit=1, left=0, day=(1, 0))
    refusal = room.refuse()
    assert refusal.wait <= 3600
    room.now += refusal.wait + 0.01
    room.end(room.ask().lease, left=19, day=(5000, 4990))
    assert room.ask().lease is not None
    assert room.account.burst.floor == 0


@pytest.mark.parametrize("left", [0, 12])
def test_garbled_limits_in_a_row_do_not_lock_for_long_either(left):
    room = Room()
    for _ in range(60):
        room.now += 4
        room.serve(day=(5000, 4900))
    leases = [room.ask().lease, room.ask().lease]
    for lease in leases:
        room.end(lease, day=(20, left))
    refusal = room.refuse()
    assert refusal.scope == SUSTAINED
    assert refusal.wait <= 3600
    room.now += refusal.wait + 0.01
    room.end(room.ask().lease, left=19, day=(5000, 4890))
    assert room.ask().lease is not None


def test_a_reset_forgets_a_spent_day_but_not_the_minute():
    room = Room()
    room.serve(19)
    room.end(room.ask().lease, day=(5000, 0), left=0, throttled=True, retry_after=70_000.0)
    used = room.account.burst.used
    reply = room.do(Reset())
    assert not any(window.known for window in reply.windows)
    assert room.account.burst.used == used
    room.now += 61
    assert room.ask().lease is not None


def test_a_response_that_was_in_flight_over_a_reset_counts_no_foreign_requests():
    room = Room()
    room.serve()
    lease = room.ask().lease
    room.do(Reset())
    room.end(lease, left=5)
    assert room.account.burst.foreign == 0
    room.end(room.ask().lease, left=4)
    assert room.account.burst.foreign > 0


def test_bulk_leaves_a_share_of_the_day():
    room = Room()
    room.serve()
    room.account.sustained.foreign = 4748
    room.account.sustained.foreign_last = math.inf
    assert room.account.sustained.used == 1
    room.account.last_low = -math.inf
    assert room.ask(BULK).lease is not None
    refusal = room.refuse(BULK)
    assert refusal.scope == SUSTAINED
    assert room.ask(NORMAL).lease is not None


@pytest.mark.parametrize(("limit", "room"), [(100, 95), (21, 19), (1, 1)])
def test_the_reserve_of_the_day_is_rounded_up_and_leaves_one(limit, room):
    from metron_async.admission import window  # noqa: PLC0415

    day = Account.fresh(DEFAULT_RULES, 0.0).sustained
    day.limit = limit
    assert window.capacity(day, DEFAULT_RULES.sustained, 0.0, reserved=True) == room


def test_bulk_leaves_one_slot_once_it_runs():
    room = Room()
    room.serve(19, BULK)
    assert room.refuse(BULK, last=False).cause is Cause.WINDOW
    assert room.ask(BULK, last=True).lease is not None
    room = Room()
    room.serve(1, BULK)
    room.now += 70
    room.serve(19, BULK)
    assert room.refuse(BULK, last=True).cause is Cause.WINDOW
    assert room.ask(BULK, late=True).lease is not None


def test_bulk_that_runs_very_long_is_spaced():
    room = Room()
    while room.now < 2300:
        reply = room.ask(BULK, last=False)
        if reply.lease:
            room.now += 0.1
            room.end(reply.lease, left=19 - room.account.burst.used)
        else:
            room.now += max(reply.refusal.wait, 0.1)
    assert reply.refusal is None or reply.refusal.cause in {Cause.PACE, Cause.WINDOW}
    stamps = [entry.stamp for entry in room.account.burst.log.entries]
    gaps = [later - earlier for earlier, later in itertools.pairwise(stamps)]
    assert min(gaps) > 2


def test_a_job_beside_a_higher_priority_in_use_is_short_at_first_and_then_spaced():
    room = Room()
    room.serve(1, INTERACTIVE)
    room.now += 61
    room.serve(19, NORMAL, took=0.1)
    assert room.refuse(NORMAL, last=False).cause is Cause.WINDOW
    room.now += 61
    room.serve(1, NORMAL)
    refusal = room.refuse(NORMAL)
    assert refusal.cause is Cause.PACE
    assert refusal.wait == pytest.approx(60 / 19 - 0.2)
    assert room.ask(INTERACTIVE).lease is not None
    room.now = room.account.lanes[INTERACTIVE].asked + 301
    room.serve(2, NORMAL)


def test_a_waiting_request_goes_before_lower_priorities_in_other_processes():
    room = Room()
    room.serve(20)
    room.refuse(INTERACTIVE)
    room.now += room.refuse(INTERACTIVE).wait + 0.01
    assert room.refuse(NORMAL).cause in {Cause.PRIORITY, Cause.WINDOW}
    assert room.ask(INTERACTIVE).lease is not None


def test_late_bulk_goes_before_normal_and_never_before_interactive():
    room = Room()
    room.serve(20)
    refusal = room.refuse(BULK, late=True)
    room.now += refusal.wait + 0.01
    assert room.refuse(NORMAL).cause is Cause.PRIORITY
    assert room.refuse(BULK).cause is Cause.PRIORITY
    assert room.ask(BULK, late=True).lease is not None
    room.now += 61
    room.serve(19, INTERACTIVE)
    room.now += room.refuse(INTERACTIVE).wait + 0.01
    assert room.refuse(BULK, late=True).cause in {Cause.PRIORITY, Cause.WINDOW}


def test_a_refusal_is_saved_only_when_its_mark_changes():
    room = Room()
    room.serve(20)
    assert room.ask(NORMAL).changed
    assert not room.ask(NORMAL).changed
    room.now += 1
    assert not room.ask(NORMAL).changed
    room.now += 15
    assert room.ask(NORMAL).changed, "it is noted that the priority is still in use"


# -- foreign requests and 429s -----------------------------------------------------------------


def test_foreign_requests_that_grow_make_careful():
    room = Room()
    room.serve(3)
    room.now += 1
    room.end(room.ask().lease, left=10)
    assert room.account.burst.foreign == 6
    assert accounts.shared(room.account.budget, room.now)
    room.ask(INTERACTIVE)
    assert room.refuse(INTERACTIVE).cause is Cause.FLIGHT
    room.now += 3
    assert room.refuse(NORMAL).cause in {Cause.PACE, Cause.FLIGHT}


def test_foreign_requests_after_a_pause_are_no_news():
    room = Room()
    room.serve(3)
    room.now += 91
    room.end(room.ask().lease, left=10)
    assert room.account.burst.foreign > 0
    assert not accounts.shared(room.account.budget, room.now)


def test_foreign_requests_leave_one_at_the_reset_and_all_after_a_minute():
    room = Room()
    room.end(room.ask().lease, left=9, reset=20.0)
    assert room.account.burst.foreign == 10
    room.now += 20.0
    room.do(Peek())
    assert room.account.burst.foreign == 10
    room.now += 0.1
    room.do(Peek())
    assert room.account.burst.foreign == 9
    room.now += 39.9
    room.do(Peek())
    assert room.account.burst.foreign == 9
    room.now += 0.1
    room.do(Peek())
    assert room.account.burst.foreign == 0


def test_a_single_foreign_request_is_gone_after_the_reset():
    room = Room()
    room.end(room.ask().lease, left=18, reset=20.0)
    assert room.account.burst.foreign == 1
    room.now += 20.1
    room.do(Peek())
    assert room.account.burst.foreign == 0
    assert room.account.burst.foreign_last == -math.inf


def test_kept_slots_double_once_per_episode_and_sink():
    room = Room()
    room.serve(4)
    leases = [room.ask().lease for _ in range(3)]
    room.now += 0.5
    for lease in leases:
        room.end(lease, left=0, throttled=True, retry_after=1.0, proves=False)
    budget = room.account.budget
    assert (budget.keep, budget.rejected, budget.streak) == (4, 3, 3)
    room.now += 100
    lease = room.ask(INTERACTIVE).lease
    room.now += 0.1
    room.end(lease, left=0, throttled=True, retry_after=1.0, proves=False)
    assert accounts.kept_free(room.account.budget, room.now) == 8
    assert accounts.kept_free(room.account.budget, room.now + 901) == 7
    assert accounts.kept_free(room.account.budget, room.now + 1799) == 7
    assert accounts.kept_free(room.account.budget, room.now + 4 * 901) == 4
    assert accounts.kept_free(room.account.budget, room.now + 9 * 901) == 0


@pytest.mark.parametrize(
    ("rejected", "streak", "pause"),
    [(0, 0, 0), (0, 2, 60), (0, 4, 240), (39, 0, 60), (41, 0, 240), (47, 0, 7200), (3, 12, 7200)],
)
def test_pauses_double_late_in_the_budget_and_after_three_in_a_row(rejected, streak, pause):
    room = Room()
    room.account.budget = Budget(rejected=rejected, streak=streak)
    lease = room.ask().lease
    room.end(lease, left=0, throttled=True, retry_after=1.0, burst=(), day=None)
    assert max(0.0, room.account.budget.paused_until - room.now) == pytest.approx(pause)
    if pause:
        room.now += 2.1
        refusal = room.refuse()
        assert refusal.cause is Cause.PAUSE
        assert refusal.scope == (BURST if pause <= 120 else SUSTAINED)


def test_the_budget_ends_before_fifty_and_begins_anew_with_the_servers_day():
    room = Room(now=5000.0)
    room.account.budget = Budget(rejected=48)
    midnight = 1_795_219_200.0
    lease = room.ask().lease
    room.end(lease, left=0, throttled=True, retry_after=1.0, date=midnight - 600.0)
    # A response with the server's date shows that a new day is being counted.
    assert room.account.budget.rejected == 1
    room.account.budget.rejected = 48
    room.now += 62
    lease = room.ask(INTERACTIVE).lease
    room.end(lease, left=0, throttled=True, retry_after=1.0, date=midnight - 538.0)
    assert room.account.budget.paused_until - room.now == pytest.approx(538)
    assert room.do(Peek()).rejected == 49
    room.now += 539
    assert room.ask(INTERACTIVE).lease is not None


def test_a_lowered_limit_is_a_floor_for_an_hour():
    room = Room()
    for limit in (60, 20, 60):
        room.now += 1
        room.end(room.ask().lease, limit=limit, left=limit - 1 - room.account.burst.used)
    assert room.account.burst.limit == 60
    for _ in range(17):
        room.end(room.ask().lease, limit=60, left=59 - room.account.burst.used)
    assert room.refuse().cause is Cause.WINDOW
    room.now += 3700
    room.end(room.ask().lease, limit=60, left=59)
    for _ in range(25):
        room.end(room.ask().lease, limit=60, left=59 - room.account.burst.used)


def test_a_response_to_an_older_request_does_not_raise_the_limit_again():
    room = Room()
    room.end(room.ask().lease, limit=60, left=59)
    older, newer = room.ask().lease, room.ask().lease
    room.now += 1
    room.end(newer, limit=20, left=18)
    room.end(older, limit=60, left=58)
    assert room.account.burst.limit == 20


# -- leases and responses that were lost -------------------------------------------------------


def test_a_lease_that_expires_counts_once_in_both_states():
    room = Room()
    lease = room.ask(may_404=True).lease
    room.now += 19.9
    assert room.do(Peek()).in_flight == 1
    room.now += 0.2
    reply = room.do(Peek())
    assert reply.in_flight == 0
    assert reply.windows[0].used == 1
    assert room.address == [(FLIGHT | MAY_404 | PROBE | LOST, lease.expires)]
    room.do(Settle(lease=lease, counted=False, answered=False))
    assert room.do(Peek()).windows[0].used == 0
    assert room.address == []


def test_renewed_leases_live_on():
    room = Room()
    lease = room.ask().lease
    room.now += 15
    renewed = room.do(Renew((lease,))).renewed
    room.now += 15
    assert room.do(Peek()).in_flight == 1
    room.do(Settle(lease=renewed[0], counted=False, answered=False))
    assert room.address == []


def test_proven_credentials_that_are_lost_are_not_taken_for_refused():
    room = Room()
    room.serve()
    room.now += 901
    lease = room.ask().lease
    assert lease.kind & PROBE
    room.end(lease, burst=(), day=None, proves=False, failures=(FLIGHT | PROBE | LOST,))
    assert addresses.count(room.address, 401, room.now) == 0


def test_a_success_that_was_sent_before_a_refusal_proves_nothing():
    room = Room()
    room.serve()
    old, new = room.ask().lease, room.ask().lease
    room.now += 1
    room.end(new, counted=False, proves=False, failures=(401,))
    room.end(old)
    assert room.refuse().cause is Cause.REFUSED
    room.do(Retry("x"))
    assert room.ask().lease is not None


def test_refusals_end_when_they_say():
    for status, number in ((403, 5), (429, 10), (499, 10)):
        room = Room()
        room.serve()
        for _ in range(number):
            room.now += 1
            addresses.add(room.address, status, room.now)
        refusal = room.refuse()
        assert refusal.cause is Cause.FIREWALL
        assert refusal.what == LIMITS[status].what
        room.now += refusal.wait - 0.01
        assert room.refuse().cause is Cause.FIREWALL
        room.now += 0.02
        assert room.ask().lease is not None


def test_many_lost_responses_are_called_lost():
    room = Room()
    room.serve()
    for _ in range(10):
        addresses.add(room.address, FLIGHT | LOST, room.now)
    assert room.refuse().cause is Cause.LOST
    assert addresses.count(room.address, 403, room.now) == 0
    addresses.add(room.address, 403, room.now)
    assert addresses.count(room.address, 403, room.now) == 11


def test_at_most_nine_in_flight_at_an_address():
    room = Room()
    room.serve()
    for _ in range(9):
        addresses.add(room.address, FLIGHT, room.now + 15)
    assert room.refuse().cause is Cause.ROOM
    addresses.remove(room.address, FLIGHT, room.now + 15)
    assert room.ask().lease is not None


def test_missing_objects_are_spaced_and_leave_room_for_higher_priorities():
    events = [(404, 1000.0 + i) for i in range(10)]
    now = 1010.0
    assert addresses.missing_wait(events, now, INTERACTIVE) == 0
    assert addresses.missing_wait(events, now, BULK) == pytest.approx(11)
    assert addresses.missing_wait([*events, (FLIGHT | MAY_404, 1020.0)], now, NORMAL) == math.inf
    events += [(404, 1010.0)] * 4
    assert addresses.missing_wait(events, 1025.0, NORMAL) == 0
    assert addresses.missing_wait(events, 1025.0, BULK) == pytest.approx(1000 + 125 - 1025)
    events += [(404, 1020.0)] * 5
    assert addresses.missing_wait(events, 1025.0, INTERACTIVE) == pytest.approx(100)
    flights = [(FLIGHT | MAY_404, 1040.0)] * 19
    assert addresses.missing_wait(flights, 1025.0, INTERACTIVE) == math.inf
    room = Room()
    room.serve()
    room.address += [(404, room.now)] * 12
    assert room.refuse(BULK, may_404=True).cause is Cause.MISSING
    assert room.ask(BULK).lease is not None


def test_kinds_of_other_versions_are_kept_for_a_day():
    events = [(9999, 100.0), (404, 100.0)]
    addresses.advance(events, 50_000.0, 20.0)
    assert events == [(9999, 100.0)]
    addresses.advance(events, 100_000.0, 20.0)
    assert events == []


def test_times_from_the_future_count_as_now_and_no_kind_grows_without_end():
    events = [(404, 10**9 + float(i)) for i in range(100)] + [(FLIGHT, 10.0**9)]
    addresses.advance(events, 1000.0, 20.0)
    assert set(events) == {(404, 1000.0), (FLIGHT, 1020.0)}
    assert len(events) == 25


def test_a_clock_that_was_set_forward_does_not_age_failures():
    stored = encode_address([(403, 1000.0)] * 5)
    loaded = Loaded(None, stored, 1361.0, jumps=((1360.0, 360.0),))
    decided = decision(Acquire(lease=1, priority=1), DEFAULT_RULES)(loaded)
    assert decided.reply.refusal.cause is Cause.FIREWALL
    decided = decision(Acquire(lease=1, priority=1), DEFAULT_RULES)(loaded._replace(jumps=()))
    assert decided.reply.lease is not None


def test_a_clock_that_was_set_back_leaves_everything_as_old_as_it_was():
    room = Room(now=100_000.0)
    room.serve(20)
    wait = room.refuse().wait
    offset = room.account.budget.offset
    room.now -= 50_000
    assert room.refuse().wait == pytest.approx(wait)
    assert room.account.budget.offset == pytest.approx(offset + 50_000)
    assert room.do(Peek()).windows[1].used == 20


# -- what is stored ----------------------------------------------------------------------------


def test_a_state_stays_small_whatever_the_day_was_like():
    rng = random.Random(1)
    account, address = Account.fresh(DEFAULT_RULES, 0.0), []
    now = 0.0
    for number in range(25_000):
        now += rng.expovariate(1 / 3.4)
        ask = Acquire(lease=number, priority=0, credentials=f"{number % 9:032x}", key=f"{number}")
        reply = apply(account, address, DEFAULT_RULES, now, ask)
        if reply.lease is not None and rng.random() < 0.98:
            end = Settle(
                lease=reply.lease,
                credentials=ask.credentials,
                burst=(60, 40, 30.0),
                sustained=(25_000, 20_000, 100.0),
                proves=True,
                failures=rng.choice([(), (), (), (404,)]),
                outcome=200,
            )
            apply(account, address, DEFAULT_RULES, now, end)
        if number % 500 == 0:
            assert len(encode_account(account)) <= 4096
            assert len(encode_address(address)) <= 4096
    assert len(encode_account(account)) <= 4096


@given(st.binary(max_size=200))
def test_garbage_is_a_fresh_state(garbage):
    for stored in (garbage, b"\x01" + garbage):
        assert decode_account(stored, DEFAULT_RULES, 5.0) == Account.fresh(DEFAULT_RULES, 5.0)
    assert all(kind > 0 for kind, _ in decode_address(garbage))


@settings(max_examples=200)
@given(st.data())
def test_any_changed_byte_is_noticed(data):
    room = Room()
    room.serve(5)
    stored = bytearray(encode_account(room.account))
    assert decode_account(bytes(stored), DEFAULT_RULES, room.now) == room.account
    place = data.draw(st.integers(0, len(stored) - 1))
    stored[place] ^= data.draw(st.integers(1, 255))
    fresh = Account.fresh(DEFAULT_RULES, room.now)
    assert decode_account(bytes(stored), DEFAULT_RULES, room.now) == fresh


def test_states_out_of_bounds_are_fresh():
    def broken(change):
        room = Room()
        room.serve()
        change(room.account)
        fresh = Account.fresh(DEFAULT_RULES, 1.0)
        return decode_account(encode_account(room.account), DEFAULT_RULES, 1.0) == fresh

    assert not broken(lambda account: None)
    assert broken(lambda account: setattr(account, "blocked_until", math.inf))
    assert broken(lambda account: setattr(account.budget, "paused_until", 1e9))
    assert broken(lambda account: setattr(account, "now", math.nan))
    assert broken(lambda account: setattr(account.burst, "limit", 0))
    assert broken(lambda account: setattr(account.sustained, "used", -1))
    assert broken(lambda account: account.lanes.pop())
    assert decode_address(encode_address([(404, math.nan), (403, 1.0)])) == [(403, 1.0)]
    import zlib  # noqa: PLC0415

    wrong = b"\xa1x"
    checksum = zlib.crc32(wrong).to_bytes(4, "little")
    assert decode_account(b"\x01" + checksum + wrong, DEFAULT_RULES, 1.0).now == 1.0
    assert decode_address(wrong) == []


@given(
    st.lists(st.tuples(st.floats(0, 90_000), st.booleans()), max_size=80),
    st.floats(0, 90_000),
)
def test_both_logs_count_what_is_in_them(requests, until):
    for log in (EntryLog(), CellLog()):
        for stamp, sure in sorted(requests):
            log.record(stamp - 1, stamp, int(sure))
        entries = list(log.oldest())
        assert entries == list(log.newest())[::-1]
        assert sum(each.count for each in entries) == len(requests)
        sure = sum(confirmed for _, confirmed in requests)
        assert sum(each.confirmed for each in entries) <= sure
        gone, _ = log.drop(until)
        assert gone <= sum(stamp <= until for stamp, _ in requests)
        assert gone >= sum(stamp <= until - 2 * CELL for stamp, _ in requests) - MOST * (
            len(requests) > MOST
        )
        log.shift(-500.0)
        assert all(each.stamp >= until - 500 for each in log.oldest())


def test_a_request_that_is_recorded_late_takes_its_place_in_the_order():
    log = EntryLog()
    for stamp in (100.0, 300.0, 200.0):
        log.record(stamp - 1, stamp, 1)
    assert [each.stamp for each in log.oldest()] == [100.0, 200.0, 300.0]
    assert log.drop(200.0)[0] == 2


def test_a_cell_holds_no_more_than_two_bytes_can_count():
    log = CellLog()
    log.record(0.0, 0.0, 1)
    log.cells[:] = b"\xff\xff"
    log.record(0.0, 0.0, 1)
    assert [each.count for each in log.oldest()] == [65_535, 1]


def test_a_lost_request_can_be_forgotten_only_where_it_is():
    for log in (EntryLog(), CellLog()):
        log.record(0.0, 100.0, 0)
        log.record(0.0, 100.0, 1)
        assert not log.forget(700.0)
        assert log.forget(100.0)
        assert not log.forget(100.0)
        assert sum(each.count for each in log.oldest()) == 1


def test_joined_entries_of_a_minute_can_be_forgotten_too():
    log = EntryLog()
    for i in range(MOST + 5):
        log.record(float(i), 100.0, 0)
    assert len(log.entries) == MOST
    for _ in range(MOST + 5):
        assert log.forget(100.0)
    assert log.entries == []


def test_a_state_whose_list_was_lost_takes_over_what_a_process_has_seen():
    ask = Acquire(
        lease=1,
        priority=1,
        credentials="x",
        epoch=b"old",
        recent=((401, 5.0), (404, 3.0), (404, 2.9)),
    )
    loaded = Loaded(None, encode_address([(404, 997.0)]), 1000.0, epoch=b"new")
    decided = decision(ask, DEFAULT_RULES)(loaded)
    assert decided.reply.refusal.cause is Cause.REFUSED
    assert decided.reply.refusal.wait == pytest.approx(595)
    room = Room()
    room.serve()
    loaded = Loaded(encode_account(room.account), None, room.now + 1, epoch=b"new")
    assert decision(ask, DEFAULT_RULES)(loaded).reply.lease is not None, "proven since then"
    assert decision(Peek(), DEFAULT_RULES)(loaded).account is None


def test_requests_in_flight_are_entered_again_where_they_were_lost_and_only_there():
    room = Room()
    room.serve()
    kept, lost = room.ask().lease, Lease(77, room.now, room.now + 20, 1)
    ask = Acquire(lease=9, priority=1, credentials="x", epoch=b"old", flying=(kept, lost))
    loaded = Loaded(encode_account(room.account), None, room.now, epoch=b"new")
    decided = decision(ask, DEFAULT_RULES)(loaded)
    account = decode_account(decided.account, DEFAULT_RULES, room.now)
    assert [lease.id for lease in account.leases] == [kept.id, 77, 9]


def test_a_lease_that_a_lost_state_granted_is_taken_as_long_as_it_can_be():
    room = Room()
    lease = room.ask().lease
    other = Room(now=500.0)
    other.end(lease)
    assert other.account.burst.log.entries[0].sent == 200.0
    assert other.do(Peek()).windows[0].used == 1


def test_only_the_latest_credentials_are_remembered():
    room = Room()
    for number in range(12):
        room.serve(1, credentials=f"{number}")
    assert [each.key for each in room.account.credentials][-1] == "11"
    assert len(room.account.credentials) == 8


# -- what a caller learns ----------------------------------------------------------------------


def test_waits_and_their_errors():
    full = Refusal(Cause.WINDOW, 3.0, SUSTAINED, 5000)
    error = wait_error(full, 2.51)
    assert isinstance(error, RateLimitError)
    assert "the day's quota is used up. Retry in 2.6 s" in str(error)
    assert (error.scope, error.limit) == ("sustained", 5000)
    assert 2.51 < error.retry_after < 2.52
    minute = Refusal(Cause.FLIGHT)
    assert wait_error(minute).retry_after > 0
    banned = Refusal(Cause.FIREWALL, 90.0, what="forbidden requests (403)")
    blocked = wait_error(banned)
    assert isinstance(blocked, BlockedError)
    assert blocked.reason == "too many forbidden requests (403) from this address"
    assert "to avoid a firewall ban" in str(blocked)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (2.41, "2.5 s"),
        (89.9, "89.9 s"),
        (90.0, "2 min"),
        (3600, "1 h 0 min"),
        (11_520, "3 h 12 min"),
    ],
)
def test_durations_in_words(seconds, words):
    assert spoken(seconds) == words


def test_a_ban_is_suspected_only_after_much_and_several_timeouts():
    assert possibly_banned(2, 403, 10_000.0) is None
    assert possibly_banned(3, None, 10_000.0) is None
    assert possibly_banned(3, 403, 0.0) is None
    assert "3 hours" in possibly_banned(3, 403, 10_000.0)
    assert "10 minutes" in possibly_banned(3, 404, 600.0)

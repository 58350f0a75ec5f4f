"""The pure decision, case by case: plain values in, plain values out."""

from __future__ import annotations

import math

import msgspec
import pytest

from metron_async.quota import Rules, WindowRules, apply, fresh_state
from metron_async.quota.state import Acquire, Peek, Release, Renew, Settle, State
from metron_async.types import Priority

RULES = Rules(burst=WindowRules(limit=5, period=60.0, margin=0.05, grain=0.0, reserve=1))
N, B = Priority.NORMAL, Priority.BULK


class Account:
    """A state, its clock, and short names for the commands."""

    def __init__(self, rules=RULES):
        self.rules, self.now = rules, 100.0
        self.state = fresh_state(rules, self.now)
        self.leases = 0

    def apply(self, command):
        return apply(self.state, self.rules, self.now, command)

    def acquire(self, lane=N, at=None, most=8, hurried=False):
        self.now = self.now if at is None else at
        self.leases += 1
        return self.apply(Acquire(self.leases, lane, most, hurried=hurried))

    def settle(self, lease, at=None, left=None, *, limit=5, reset=-1.0, day=(), **kw):
        self.now = self.now if at is None else at
        burst = () if left is None else (float(limit), float(left), reset)
        return self.apply(Settle(lease, burst=burst, sustained=day, **kw))

    def send(self, at=None, rtt=0.1, left=4, **kw):
        assert self.acquire(at=at).granted
        self.settle(self.leases, self.now + rtt, left, **kw)

    @property
    def ghosts(self):
        return self.state.burst.ghosts


@pytest.fixture
def account():
    return Account()


def test_first_contact_is_one_probe(account):
    assert account.acquire().granted
    refused = account.acquire()
    assert (refused.granted, refused.wait, refused.scope) == (False, 0.0, None)
    account.settle(1, left=4)
    assert account.acquire().granted
    assert account.acquire().granted


def test_a_lost_probe_is_followed_by_another(account):
    account.acquire()
    account.settle(1, 101)
    assert account.acquire().granted
    assert not account.acquire().granted


def test_asking_twice_for_one_lease_is_one_grant(account):
    for _ in range(2):
        assert account.apply(Acquire(7, N, 8)).granted
    assert len(account.state.leases) == 1


def test_an_entry_stays_a_period_from_its_receipt(account):
    for left in (4, 3, 2, 1, 0):
        account.send(left=left)
    last = account.now
    refused = account.acquire()
    assert refused.scope == "burst"
    assert refused.wait == pytest.approx(100.1 + 60.05 - last)
    assert not account.acquire(at=160.1).granted
    assert account.acquire(at=160.16).granted


def test_a_release_gives_the_slot_back(account):
    account.send()
    account.acquire()
    account.apply(Release(account.leases))
    account.apply(Release(12345))
    assert (account.state.burst.used, account.state.leases) == (1, [])


def test_denied_requests_cost_nothing(account):
    account.acquire()
    account.settle(1, counted=False)
    assert (account.state.burst.used, account.state.sustained.used) == (0, 0)


def test_leases_expire_unless_renewed(account):
    account.acquire()
    account.now = 115
    account.apply(Renew((1, 99)))
    account.now = 134
    assert account.apply(Peek(N)).in_flight == 1
    account.now = 136
    assert account.apply(Peek(N)).in_flight == 0
    assert [(entry.stamp, entry.sure) for entry in account.state.burst.log] == [(135.0, 0)]
    assert account.state.sustained.used == 1
    # Its answer comes after all: the server may have counted it as late as that.
    account.settle(1, 150, left=4)
    assert account.state.burst.used == 2


def test_an_expired_lease_is_entered_where_it_belongs(account):
    account.send()
    account.acquire()
    account.acquire()
    account.now = 115.0
    account.apply(Renew((2,)))  # the older one expires later
    account.now = 140.0
    account.apply(Peek(N))
    assert [entry.stamp for entry in account.state.burst.log] == [100.1, 120.1, 135.0]


def test_phantoms_are_raised_and_lowered(account):
    account.send(left=1)
    assert account.ghosts == 3
    account.send(at=110, left=2)
    assert account.ghosts == 1
    account.send(at=111, left=2)
    assert account.ghosts == 0


def test_nothing_left_never_lowers_the_phantoms(account):
    account.send(left=1)
    account.send(at=110, left=0, limit=3)
    assert account.ghosts == 3


def test_what_left_in_flight_is_not_taken_for_a_phantom(account):
    account.send()
    account.acquire(at=160.0)  # counted while the first one still was in the server's window
    account.settle(2, 161.0, left=3)
    assert account.state.burst.left == 1
    assert account.ghosts == 0


def test_an_old_answer_does_not_lower_the_phantoms(account):
    account.send()
    account.acquire(at=101)
    account.acquire(at=101)
    account.settle(2, 102, left=0)
    assert account.ghosts == 2  # three may be ours
    account.settle(3, 103, left=3)
    assert account.ghosts == 2


def test_phantoms_leave_when_reset_says_so(account):
    account.send(left=0, reset=10.0)
    assert account.ghosts == 4
    refused = account.acquire()
    assert refused.wait == pytest.approx(10.05)
    peeked = account.apply(Peek(N))
    assert peeked.wait == pytest.approx(10 - 2 - 0.1)  # the roundings, and the flight
    assert account.acquire(at=110.2).granted
    assert account.ghosts == 3


def test_phantoms_leave_after_a_period_at_last(account):
    account.send(left=0)
    refused = account.acquire()
    assert refused.wait == pytest.approx(60.05)
    account.acquire(at=160.2)
    assert account.ghosts == 0


def test_the_oldest_may_be_ours(account):
    account.send(left=4)
    account.send(at=130, left=0, reset=31.0)
    assert account.ghosts == 3
    assert account.state.burst.ghost_next == math.inf


def test_the_oldest_of_the_day_is_a_phantom(account):
    account.send(day=(5000.0, 4999.0, 86_401.0))
    account.send(at=300, day=(5000.0, 100.0, 5000.0))
    window = account.state.sustained
    assert window.ghosts == 4898
    assert window.ghost_next == pytest.approx(300.1 + 5000 + 45)


def test_what_left_in_flight_may_have_been_the_oldest(account):
    account.send(left=4)
    account.acquire(at=159)
    account.settle(2, 161, left=0, reset=5.0)
    assert account.ghosts > 0
    assert account.state.burst.ghost_next == math.inf


def test_the_limit_follows_the_headers(account):
    account.send(left=59, limit=60)
    assert account.state.burst.limit == 60
    for _ in range(10):
        account.send(limit=60, left=60 - account.state.burst.used - 1)
    account.send(limit=3, left=0)
    assert (account.state.burst.limit, account.state.burst.used) == (3, 12)
    assert not account.acquire().granted


def test_an_answer_from_before_the_drop_does_not_raise_the_limit(account):
    account.send(limit=60, left=59)
    account.acquire(at=101)
    account.acquire(at=101)
    account.settle(3, 102, limit=20, left=17)
    account.settle(2, 103, limit=60, left=57)
    assert account.state.burst.limit == 20


def test_a_429_blocks_and_then_probes(account):
    account.acquire()
    account.settle(1, throttled=True, retry_after=30.0, jitter=0.5, left=0, day=(50.0, 49.0, -1.0))
    assert (account.state.burst.used, account.state.sustained.used) == (0, 1)
    refused = account.acquire(at=110)
    # Five phantoms that nothing is known of leave later than the block ends.
    assert refused.scope == "burst"
    assert account.apply(Peek(N)).wait == pytest.approx(20.5)
    assert account.acquire(at=170).granted
    assert not account.acquire().granted
    account.settle(account.leases - 1, left=3)
    assert account.acquire().granted
    assert account.acquire().granted


def test_a_429_of_the_day(account):
    account.acquire()
    account.settle(1, throttled=True, retry_after=3000.0, left=3, day=(50.0, 0.0, 3000.0))
    assert (account.state.burst.used, account.state.sustained.used) == (1, 0)
    refused = account.acquire()
    assert (refused.scope, refused.wait) == ("sustained", pytest.approx(3045.0))
    assert account.apply(Peek(N)).wait == pytest.approx(3000.0)


def test_a_429_of_both_windows_counts_in_both(account):
    account.acquire()
    account.settle(1, throttled=True, left=0, day=(50.0, 0.0, -1.0))
    assert (account.state.burst.used, account.state.sustained.used) == (1, 1)
    assert account.state.burst.sure == 0


def test_a_429_that_no_window_explains(account):
    account.acquire()
    account.settle(1, throttled=True, left=2, day=(50.0, 9.0, -1.0))
    assert (account.state.burst.used, account.state.burst.sure) == (1, 0)


def test_a_429_of_the_proxy(account):
    account.acquire()
    account.settle(1, throttled=True)
    assert account.state.blocked_until == pytest.approx(160.0)
    assert account.acquire().scope == "burst"


def test_a_garbled_retry_after_does_not_block_for_years(account):
    account.acquire()
    account.settle(1, throttled=True, retry_after=1e6)
    assert account.acquire().wait <= 86_400


def test_a_later_429_does_not_shorten_the_block(account):
    account.send()
    account.acquire()
    account.acquire()
    account.settle(2, throttled=True, retry_after=50.0)
    account.settle(3, throttled=True, retry_after=5.0)
    assert account.acquire().wait == pytest.approx(50.0)


def test_an_answer_to_a_request_before_the_429_does_not_end_the_probing(account):
    account.send()
    account.acquire()
    account.acquire()
    account.settle(2, throttled=True, retry_after=5.0)
    account.settle(3, left=3)
    assert account.state.half_open


def test_bulk_leaves_a_slot_and_a_share_of_the_day(account):
    for left in (4, 3, 2, 1):
        account.send(left=left)
    assert account.acquire(B).scope == "burst"
    assert account.acquire(B, hurried=True).granted
    day = Account(Rules(sustained=WindowRules(20, 86_400, 45, 60, 0.05)))
    for left in range(19):
        day.send(left=19 - left, limit=20)
    refused = day.acquire(B, hurried=True)
    assert refused.scope == "sustained"
    assert day.acquire(N).granted


def test_a_window_of_one_is_open_to_bulk():
    account = Account(Rules(burst=WindowRules(1, 60, 0.05, 0, 1)))
    assert account.acquire(B).granted


def test_bulk_leaves_a_place_in_flight(account):
    account.send(limit=60, left=59)
    assert account.acquire(B, most=2).granted
    assert not account.acquire(B, most=2, at=105).granted
    assert account.acquire(B, most=2, hurried=True).granted
    assert not account.acquire(most=2).granted


def test_bulk_is_paced_in_the_second_half(account):
    for left in (4, 3, 2):
        account.send(left=left)
    assert account.acquire(B).granted
    account.settle(account.leases, left=1)
    account.now += 60.1 - 0.3
    # One has left; there is one slot for BULK, and the next comes back at once.
    refused = account.acquire(B)
    assert refused.granted or refused.wait < 1


def test_others_in_the_window_slow_bulk_down(account):
    account.send(left=4)
    account.acquire(B)
    account.settle(account.leases, left=3)
    account.acquire(B)
    account.settle(account.leases, left=2)
    refused = account.acquire(B)
    assert not refused.granted
    assert refused.wait >= 60 / 4 - 0.5


def test_a_clock_that_goes_backwards_keeps_all_ages(account):
    for left in (4, 3, 2, 1, 0):
        account.send(left=left)
    account.acquire()
    before = account.apply(Peek(N)).wait
    account.now -= 1000
    assert account.apply(Peek(N)).wait == pytest.approx(before)


def test_the_day_is_kept_in_buckets():
    account = Account(Rules(burst=WindowRules(10**6, 60, 0.05, 0, 1)))
    for _ in range(3000):
        account.send(limit=10**6, left=10**6 - 1, rtt=1.0, day=(5000.0, 4000.0, -1.0))
    assert account.state.sustained.used == 3000
    assert len(account.state.sustained.log) <= 51
    assert len(msgspec.msgpack.encode(account.state)) < 6000
    account.now += 86_400 + 45 + 60
    assert account.apply(Peek(N)).windows[1].used == account.state.sustained.ghosts


def test_a_state_survives_storage(account):
    for left in (4, 3, 1):
        account.send(left=left, reset=50.0, day=(5000.0, 100.0, -1.0))
    account.acquire()
    stored = msgspec.msgpack.encode(account.state)
    assert msgspec.msgpack.decode(stored, type=State) == account.state


def test_the_estimate_counts_who_is_ahead(account):
    account.send()
    waits = [account.apply(Peek(N, ahead)).wait for ahead in range(12)]
    assert waits[:4] == [0, 0, 0, 0]
    assert waits[4] == pytest.approx(60.05)
    assert waits[5] == pytest.approx(60.05)
    assert waits[9] == pytest.approx(2 * 60.05)
    assert waits == sorted(waits)

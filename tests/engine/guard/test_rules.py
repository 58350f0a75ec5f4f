"""The decisions of the guard, as plain values."""

from __future__ import annotations

import msgspec
import pytest

from metron_async._engine.guard import possibly_banned
from metron_async._engine.guard.outcome import Ending, Outcome, events_of, proves
from metron_async._engine.guard.rules import step
from metron_async._engine.guard.state import (
    Credentials,
    Event,
    Lease,
    Reply,
    Report,
    State,
    Wait,
    merge,
)
from metron_async._engine.guard.table import LATCH, LEASE, LIMITS, PROOF
from metron_async.testing.bans import RULES


def ask(**values: object) -> Report:
    return Report(**{"guard": "g", "credentials": "k", "want": 1, "asks": True, **values})


def proven(now: float = 0.0, **values: object) -> State:
    return State(credentials={"k": Credentials(now, None)}, **values)


def test_our_limits_lie_below_those_of_the_firewall() -> None:
    for rule in RULES:
        if rule.event.isdigit():
            limit = LIMITS[int(rule.event)]
            assert (limit.banned_at, limit.ban) == (rule.threshold, rule.ban)
            assert limit.ours < rule.threshold
            assert limit.window > rule.period


def test_unproven_credentials_get_one_probe() -> None:
    state, reply = step(State(), ask(want=8, want_prone=1, asks_prone=True), 0.0)
    assert (reply.total, reply.prone, reply.probe, reply.wait) == (1, 1, True, None)
    other, reply = step(state, ask(guard="h"), 1.0)
    assert (reply.total, reply.wait) == (0, Wait.PROBE)
    assert "h" not in other.leases
    _, reply = step(state, ask(in_flight=1, probing=True, want=2), 1.0)
    assert (reply.total, reply.wait) == (1, Wait.PROBE)


def test_a_probe_needs_a_permit_too() -> None:
    crowd = {"x": Lease(9, 0, None, LEASE)}
    _, reply = step(State(leases=crowd), ask(), 0.0)
    assert (reply.total, reply.probe, reply.wait) == (0, False, Wait.PERMIT)


def test_two_probes_of_different_credentials_are_the_most() -> None:
    state = State(leases={name: Lease(1, 0, name, LEASE) for name in "ab"})
    _, reply = step(state, ask(), 0.0)
    assert reply.wait is Wait.PROBE
    state = State(events={401: [0.0]}, leases={"a": Lease(1, 0, "a", LEASE)})
    _, reply = step(state, ask(), 0.0)
    assert reply.wait is Wait.PROBE


def test_a_401_latches_for_ten_minutes() -> None:
    state, _ = step(proven(), ask(asks=False, want=0, events=((Event.REFUSED, 0.0),)), 5.0)
    _, reply = step(state, ask(), 6.0)
    assert reply.refusal is not None
    assert reply.refusal.retry_after == pytest.approx(LATCH - 1)
    assert reply.total == 0
    _, reply = step(state, ask(credentials="new"), 6.0)
    assert reply.probe
    _, reply = step(state, ask(), 5.0 + LATCH)
    assert reply.probe


def test_clearing_allows_a_probe_but_forgets_no_401() -> None:
    state, _ = step(State(), ask(asks=False, want=0, events=((Event.REFUSED, 0.0),)), 0.0)
    state, reply = step(state, ask(asks=False, want=0, clear=True), 1.0)
    assert reply.refusal is None
    _, reply = step(state, ask(), 1.0)
    assert reply.probe
    state.events[401].append(1.0)
    _, reply = step(state, ask(), 1.0)
    assert reply.refusal is not None
    assert "(401)" in reply.refusal.reason


def test_401s_of_others_do_not_stop_proven_credentials() -> None:
    state = proven(events={401: [0.0, 0.0]})
    assert step(state, ask(want=4), 1.0)[1].total == 4
    assert step(state, ask(credentials="other"), 1.0)[1].refusal is not None


@pytest.mark.parametrize(("kind", "ours"), [(403, 5), (429, 10), (499, 10)])
def test_too_many_events_refuse(kind: int, ours: int) -> None:
    _, reply = step(proven(events={kind: [0.0] * (ours - 1)}), ask(), 1.0)
    assert reply.refusal is None
    assert reply.total == 1
    state = proven(events={kind: [float(i) for i in range(ours)]})
    state, reply = step(state, ask(in_flight=2, want=8), 20.0)
    assert reply.refusal is not None
    assert reply.total == 2  # what is in flight stays
    assert reply.refusal.retry_after == pytest.approx(LIMITS[kind].window - 20)
    assert (reply.streak, reply.ban_left) == (kind, LIMITS[kind].ban)
    _, reply = step(state, ask(), 20.1 + reply.refusal.retry_after)
    assert reply.refusal is None
    _, reply = step(state, ask(), 21 + LIMITS[kind].ban)
    assert reply.streak is None


def test_permits_and_events_together_stay_below_a_ban() -> None:
    state = proven(events={403: [0.0] * 4}, leases={"x": Lease(3, 0, None, LEASE)})
    assert step(state, ask(want=8), 0.0)[1].total == 2
    state = proven(events={404: [0.0] * 16}, leases={"x": Lease(2, 2, None, LEASE)})
    _, reply = step(state, ask(want=4, want_prone=4, asks_prone=True), 0.0)
    assert (reply.total, reply.prone, reply.recent_missing) == (4, 1, 16)
    state.leases["x"] = Lease(3, 3, None, LEASE)
    _, reply = step(state, ask(want=4, want_prone=4, asks_prone=True), 0.0)
    assert (reply.prone, reply.wait) == (0, Wait.MISSING)
    state.leases.clear()
    state.events[404] = [0.0] * 19
    _, reply = step(state, ask(want=4, want_prone=4, asks_prone=True), 0.0)
    assert reply.wait is Wait.MISSING
    assert reply.pause > 1


def test_those_without_a_permit_come_first() -> None:
    state = proven(leases={"x": Lease(9, 0, None, LEASE)})
    state, reply = step(state, ask(guard="late"), 1.0)
    assert reply.wait is Wait.PERMIT
    state, reply = step(state, ask(guard="later"), 2.0)
    assert (reply.total, state.leases["later"].since) == (0, 2.0)
    state, reply = step(state, ask(guard="later"), 2.5)
    assert state.leases["later"].since == 2.0
    state, reply = step(state, ask(guard="x", in_flight=7, want=9), 2.6)
    assert (reply.total, reply.scarce) == (7, True)
    state, reply = step(state, ask(guard="later"), 2.7)
    assert reply.total == 1  # two are free, and one is kept for the one before
    state, reply = step(state, ask(guard="late"), 2.8)
    assert (reply.total, reply.scarce) == (1, False)


def test_a_silent_guard_is_dead_and_has_hung_up() -> None:
    state = State(leases={"x": Lease(3, 1, "never", 10.0)}, credentials={"old": Credentials(0.0)})
    after, _ = step(state, ask(), 11.0)
    assert after.events == {
        499: [10.0] * 3,
        429: [10.0] * 3,
        404: [10.0],
        401: [10.0],
        0: [10.0] * 3,
    }
    assert after.missing == 1
    assert "x" not in after.leases
    state = State(leases={"x": Lease(1, 1, "old", 10.0)}, credentials={"old": Credentials(0.0)})
    assert step(state, ask(), 11.0)[0].events.get(401) is None
    state = State(leases={"g": Lease(3, 1, "never", 10.0)})  # late, but it does report
    assert step(state, ask(), 11.0)[0].events == {}


def test_what_died_unheard_counts_as_forbidden_once_something_was() -> None:
    state = proven(events={0: [0.0] * 8})
    assert step(state, ask(want=9), 1.0)[1].total == 9
    state.events[403] = [0.5]
    _, reply = step(state, ask(want=9), 1.0)
    assert reply.refusal is not None
    assert reply.refusal.retry_after == pytest.approx(LIMITS[403].window - 1)
    state.events[0] = [0.0] * 3
    assert step(state, ask(want=9), 1.0)[1].total == 5


def test_what_is_over_is_forgotten() -> None:
    state = proven(events={403: [0.0, 100.0], 429: [0.0]})
    state.credentials.update({str(i): Credentials(None, float(i)) for i in range(100)})
    after, _ = step(state, ask(), 310.0)
    assert after.events == {403: [100.0], 429: []}
    assert len(after.credentials) == 64
    assert "99" in after.credentials


def test_stamps_from_the_future_are_neither_believed_nor_forgotten() -> None:
    state = State(
        events={403: [1e9] * 5},
        streaks={403: 1e9},
        credentials={"k": Credentials(1e9, None), "bad": Credentials(None, 1e9)},
        leases={"x": Lease(9, 0, None, 1e9)},
    )
    after, reply = step(state, ask(), 1000.0)
    assert reply.proven_for == 0
    assert reply.refusal is not None
    assert reply.refusal.retry_after <= LIMITS[403].window
    assert after.leases["x"].until == 1000.0 + LEASE
    assert step(after, ask(credentials="bad"), 1000.0 + LATCH + 400)[1].refusal is None


def test_a_proof_ends_a_latch_unless_it_is_older() -> None:
    state = State(credentials={"k": Credentials(None, 10.0)})
    after, _ = step(state, ask(asks=False, events=((Event.PROOF, 5.0),)), 12.0)
    assert after.credentials["k"] == Credentials(None, 10.0)
    after, reply = step(state, ask(asks=False, events=((Event.PROOF, 1.0),)), 12.0)
    assert after.credentials["k"] == Credentials(11.0, None)
    assert reply.proven_for == PROOF - 1
    _, reply = step(after, ask(), 11.0 + PROOF)
    assert reply.probe


def test_step_leaves_the_state_before_alone() -> None:
    state = proven(events={404: [0.0]}, leases={"g": Lease(1, 1, None, 10.0)})
    before = msgspec.json.encode(state)
    step(state, ask(events=((Event.MISSING, 0.0),), clear=True), 5.0)
    assert msgspec.json.encode(state) == before
    assert msgspec.json.decode(before, type=State) == state


def test_timeouts_are_counted_until_an_answer() -> None:
    state, reply = step(State(), ask(events=((Event.TIMEOUT, 2.0), (Event.TIMEOUT, 0.0))), 9.0)
    assert reply.timeouts == 2
    assert step(state, ask(events=((Event.ANSWERED, 0.0),)), 9.0)[1].timeouts == 0


def test_merging_keeps_the_worst_of_both() -> None:
    one = State(
        events={401: [1.0], 404: [1.0]},
        credentials={"a": Credentials(5.0), "b": Credentials(1.0)},
        leases={"g": Lease(1, 0, None, 9.0)},
        timeouts=1,
    )
    two = State(
        events={401: [1.0, 2.0], 499: [3.0]},
        credentials={"a": Credentials(4.0), "b": Credentials(None, 2.0), "c": Credentials(1.0)},
        leases={"h": Lease(1, 0, None, 9.0)},
        missing=4,
    )
    both = merge(one, two)
    assert both.events == {401: [1.0, 2.0], 404: [1.0], 499: [3.0]}
    assert both.credentials == {
        "a": Credentials(5.0),
        "b": Credentials(None, 2.0),
        "c": Credentials(1.0),
    }
    assert set(both.leases) == {"g"}
    assert (both.timeouts, both.missing) == (1, 4)


def test_outcomes() -> None:
    assert proves(Outcome.answered(200))
    assert proves(Outcome.answered(304))
    for other in (401, 403, 404, 429, 500):
        assert not proves(Outcome.answered(other))
    assert not proves(Outcome(Ending.FAILED))
    assert not proves(Outcome(Ending.ANSWERED))

    def events(outcome: Outcome, *, probe: bool = False, after: bool = False) -> object:
        return events_of(outcome, probe=probe, after_timeouts=after)

    assert events(Outcome.answered(200), probe=True) == ()
    assert events(Outcome.answered(200), after=True) == (Event.ANSWERED,)
    assert events(Outcome.answered(401), after=True) == (Event.ANSWERED, Event.REFUSED)
    assert events(Outcome(Ending.CONNECT_TIMEOUT), probe=True) == (Event.TIMEOUT,)
    assert events(Outcome(Ending.CLOSED_BY_US)) == (Event.HUNG_UP,)
    assert events(Outcome(Ending.CLOSED_BY_US), probe=True) == (Event.HUNG_UP, Event.LOST_PROBE)
    assert events(Outcome(Ending.FAILED)) == ()
    assert events(Outcome(Ending.FAILED), probe=True) == (Event.LOST_PROBE,)


def test_a_ban_is_suspected_only_after_a_streak() -> None:
    assert possibly_banned(9, None, 0.0) is None
    assert possibly_banned(2, 403, 5000.0) is None
    assert possibly_banned(3, 403, -1.0) is None
    text = possibly_banned(3, 403, 80_000.0)
    assert text is not None
    assert "22 hours" in text
    assert "(403)" in text
    assert "50 minutes" in (possibly_banned(3, 404, 3000.0) or "")


def test_a_reply_without_news_says_nothing() -> None:
    assert Reply().refusal is None

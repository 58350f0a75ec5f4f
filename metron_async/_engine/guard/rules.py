"""What the ban guard decides, as plain values: no clock, no file, no waiting.

The firewall counts five kinds of events per client address: 401, 403, 404, 429, and requests that
the client gave up ("499"). Each has a number at which it bans. Counting alone does not keep a
machine below it: eight requests that are in flight together when the count is still low can all
come back as 403. So the guard never counts without counting what is in flight as well.

**Permits.** A request in flight holds a permit, and will turn into at most one event. For each
kind the state keeps this invariant::

    events in the window + permits of the whole machine  <=  number that bans - 1

Events are stamped when they are *received*, hence never before the server counted them, and leave
our window never before they leave the server's. A hang-up is the exception, since the proxy notes
it after us: the margin in the windows covers it. An event takes the place of the permit of its
request, so recording one never breaks the invariant; only handing out permits can, and that is
done here alone, in one transaction of the store. Since ten 403s ban, a whole machine has at most
nine requests in flight.

**Blocks.** A guard is handed permits in blocks, as many as it has lately used, and uses them over
and over for some seconds without asking anybody: the invariant holds whatever it does with them.
It reports when it needs more, when something happened, and every few seconds while in use; when
idle it gives them back. A guard that stays silent is dead. What became of its requests nobody
heard: they count as hang-ups, since the kernel has closed its connections, and as whatever else
they may have been. As 403s they count only once one was really seen: reads of a healthy account
are never forbidden, and a few crashes should not stop a machine for five minutes.

**401s** are different: two in five minutes are all there may be. Credentials are *proven* by a
success, for a quarter of an hour. Unproven ones are tried with one request at a time, the probe;
probes under way and 401s seen are never more than two together on a machine. A 401 latches its
credentials: no probe for ten minutes. A probe whose outcome nobody saw may have been a 401, and
counts as one where the credentials have never worked. What remains is the case of a token
revoked in the very moment in which several requests are in flight.

**404s** are ordinary in small numbers. Only calls that can hit one need a permit that counts here;
from ten in two minutes on, they are spaced evenly (see :mod:`.guard`), and the invariant keeps
any burst below twenty.
"""

from __future__ import annotations

import msgspec

from metron_async._engine.guard.state import (
    POLL,
    Credentials,
    Event,
    Lease,
    Refusal,
    Reply,
    Report,
    State,
    Wait,
    touched,
)
from metron_async._engine.guard.table import (
    FORBIDDEN,
    HUNG_UP,
    LATCH,
    LEASE,
    LIMITS,
    MISSING,
    PROOF,
    REFUSED,
    THROTTLED,
)

__all__ = ["step"]

_POLL_404 = 5.0
_UNHEARD = 0  # in place of a status: requests of guards that died
_STANDING = 2.0  # seconds for which a guard without a permit is known to wait
_KEEP = 64  # events of a kind, and credentials, that are remembered at most


def step(state: State, report: Report, now: float) -> tuple[State, Reply]:
    """Take in a report, and decide what the guard may do.

    Args:
        state: State before; left as it is.
        report: What the guard tells.
        now: Seconds on the clock of the store.

    Returns:
        The state after, and the answer to the guard.
    """
    state = _aged(state, report.guard, now)
    for event, age in report.events:
        _record(state, report.credentials, event, now - max(0.0, age))
    if report.clear:
        known = state.credentials.get(report.credentials, Credentials())
        state.credentials[report.credentials] = Credentials(known.proven_at, None)
    for kind, limit in LIMITS.items():
        if _count(state, kind) >= limit.ours:
            state.streaks[kind] = now
    own = state.leases.pop(report.guard, None)
    since = own.since if own is not None and not own.total else now
    reply = _decide(state, report, now, since)
    if reply.total:
        probe = report.credentials if report.probing or reply.probe else None
        state.leases[report.guard] = Lease(reply.total, reply.prone, probe, now + LEASE)
    elif reply.wait is Wait.PERMIT:
        state.leases[report.guard] = Lease(0, 0, None, now + _STANDING, since)
    return state, reply


def _aged(state: State, reporter: str, now: float) -> State:
    """Copy *state* without what is over.

    A stamp from the future was made before the clock was set back, or by a broken one. It counts
    as made now: forgetting it would be unsafe, and believing it could block for years.
    """
    aged = State(
        events={kind: [min(at, now) for at in stamps] for kind, stamps in state.events.items()},
        streaks={kind: min(at, now) for kind, at in state.streaks.items()},
        credentials={key: _plausible(known, now) for key, known in state.credentials.items()},
        timeouts=state.timeouts,
        missing=state.missing,
    )
    for guard, lease in state.leases.items():
        if lease.until >= now or guard == reporter:
            aged.leases[guard] = msgspec.structs.replace(lease, until=min(lease.until, now + LEASE))
        else:
            _bury(aged, lease)
            if lease.probe is not None:
                _record(aged, lease.probe, Event.LOST_PROBE, lease.until)
    for kind, stamps in aged.events.items():
        window = LIMITS[FORBIDDEN if kind == _UNHEARD else kind].window
        aged.events[kind] = sorted(at for at in stamps if at > now - window)[-_KEEP:]
    if len(aged.credentials) > _KEEP:
        latest = sorted(aged.credentials.items(), key=lambda item: touched(item[1]))
        aged.credentials = dict(latest[-_KEEP:])
    return aged


def _bury(state: State, lease: Lease) -> None:
    """Count the permits of a dead guard as all that their requests may have become."""
    for kind in (HUNG_UP, THROTTLED, _UNHEARD):
        state.events.setdefault(kind, []).extend([lease.until] * lease.total)
    state.events.setdefault(MISSING, []).extend([lease.until] * lease.prone)
    state.missing += lease.prone


def _plausible(known: Credentials, now: float) -> Credentials:
    """Make nothing of a proof from the future, and a refusal from there one of this moment."""
    proven, refused = known.proven_at, known.refused_at
    return Credentials(
        proven if proven is None or proven <= now else now - PROOF,
        refused if refused is None else min(refused, now),
    )


def _record(state: State, key: str, event: Event, at: float) -> None:
    known = state.credentials.get(key, Credentials())
    kind: int | None = None
    if event is Event.REFUSED:
        kind = REFUSED
        state.credentials[key] = Credentials(None, at)
    elif event is Event.PROOF:
        # An answer from before a refusal proves nothing any more.
        if known.refused_at is None or at > known.refused_at:
            state.credentials[key] = Credentials(at, None)
    elif event is Event.LOST_PROBE:
        kind = REFUSED if known.proven_at is None else None
    elif event is Event.TIMEOUT:
        state.timeouts += 1
    elif event is Event.ANSWERED:
        state.timeouts = 0
    else:
        kind = event.value
        state.missing += event is Event.MISSING
    if kind is not None:
        state.events.setdefault(kind, []).append(at)


def _stamps(state: State, kind: int) -> list[float]:
    stamps = state.events.get(kind, [])
    if kind == FORBIDDEN and stamps:
        return sorted([*stamps, *state.events.get(_UNHEARD, ())])
    return stamps


def _count(state: State, kind: int) -> int:
    return len(_stamps(state, kind))


def _until_below(state: State, kind: int, now: float) -> float:
    """Return the seconds until fewer than our own limit of events are in the window."""
    stamps = sorted(_stamps(state, kind))
    return max(0.0, stamps[-LIMITS[kind].ours] + LIMITS[kind].window - now)


def _refusal(state: State, key: str, now: float) -> Refusal | None:
    """Return why nothing may be sent at all, the longest wait first."""
    found: list[Refusal] = []
    known = state.credentials.get(key, Credentials())
    if known.refused_at is not None and now < known.refused_at + LATCH:
        left = known.refused_at + LATCH - now
        found.append(Refusal("the server has refused these credentials (401)", left))
    kinds = [FORBIDDEN, THROTTLED, HUNG_UP]
    kinds += [REFUSED] if _proven_for(known, now) <= 0 else []
    for kind in kinds:
        if _count(state, kind) >= LIMITS[kind].ours:
            reason = f"too many {LIMITS[kind].what} from this machine"
            found.append(Refusal(reason, _until_below(state, kind, now)))
    return max(found, key=lambda refusal: refusal.retry_after, default=None)


def _proven_for(known: Credentials, now: float) -> float:
    if known.proven_at is None or known.refused_at is not None:
        return 0.0
    return max(0.0, known.proven_at + PROOF - now)


def _rooms(state: State) -> tuple[int, int]:
    """Return how many permits the others leave over: of all, and for calls that can be 404s."""
    held = sum(lease.total for lease in state.leases.values())
    prone = sum(lease.prone for lease in state.leases.values())
    kinds = (FORBIDDEN, THROTTLED, HUNG_UP)
    total = min(LIMITS[kind].banned_at - 1 - _count(state, kind) for kind in kinds)
    return total - held, LIMITS[MISSING].banned_at - 1 - _count(state, MISSING) - prone


def _decide(state: State, report: Report, now: float, since: float) -> Reply:
    """Decide on permits for a guard whose own lease is out of *state*.

    Those who have no permit at all come first, in the order in which they asked. (*since* is when
    this one did.) As long as there are any, nobody has more than a fair share, and each permit is
    for one request.
    """
    known = state.credentials.get(report.credentials, Credentials())
    refusal = _refusal(state, report.credentials, now)
    proven_for = _proven_for(known, now)
    line = [lease.since for lease in state.leases.values() if not lease.total]
    room, room_prone = _rooms(state)
    room -= sum(place < since for place in line)
    total, prone, probe, wait = report.in_flight, report.prone, False, None
    if refusal is None and proven_for > 0:
        total = max(total, min(report.want, room, _fair_share(state, report)))
        prone = max(prone, min(report.want_prone, room_prone, total))
    elif refusal is None and report.asks:
        need_prone = int(report.asks_prone)
        if report.probing or not _may_probe(state, report.credentials):
            wait = Wait.PROBE
        elif room > total and room_prone >= prone + need_prone:
            total, prone, probe = total + 1, prone + need_prone, True
    if report.asks and refusal is None and wait is None and not probe:
        wait = _shortage(report, total, prone, proven_for)
    streak, ban_left = _worst_streak(state, now)
    return Reply(
        total=total,
        prone=prone,
        probe=probe,
        scarce=bool(line),
        proven_for=proven_for,
        refusal=refusal,
        wait=wait,
        pause=_POLL_404 if wait is Wait.MISSING and not state.leases else POLL,
        recent_missing=_count(state, MISSING),
        missing=state.missing,
        timeouts=state.timeouts,
        streak=streak,
        ban_left=ban_left,
    )


def _may_probe(state: State, key: str) -> bool:
    """Tell whether credentials may be tried now: nobody is at it, and a 401 would be harmless."""
    probes = [lease.probe for lease in state.leases.values() if lease.probe is not None]
    return key not in probes and _count(state, REFUSED) + len(probes) < LIMITS[REFUSED].ours


def _fair_share(state: State, report: Report) -> int:
    """Return how many permits a guard may have, given that others may have none at all."""
    if all(lease.total for lease in state.leases.values()):
        return report.want
    share = (LIMITS[FORBIDDEN].banned_at - 1) // (len(state.leases) + 1)
    return max(share, int(report.asks))


def _shortage(report: Report, total: int, prone: int, proven_for: float) -> Wait | None:
    """Return which permit the call that asks did not get."""
    if proven_for <= 0 or total <= report.in_flight:
        return Wait.PERMIT
    return Wait.MISSING if report.asks_prone and prone <= report.prone else None


def _worst_streak(state: State, now: float) -> tuple[int | None, float]:
    """Return the kind whose ban, were there one, would last longest, and the seconds left."""
    left = {kind: at + LIMITS[kind].ban - now for kind, at in state.streaks.items()}
    kind = max(left, key=left.__getitem__, default=None)
    return (None, 0.0) if kind is None or left[kind] <= 0 else (kind, left[kind])

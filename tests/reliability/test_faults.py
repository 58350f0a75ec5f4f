"""Whatever goes wrong with an answer, crossed with every kind of call.

A table says what each fault means. Afterwards nothing may be left over: no slot, no task, no
waiter, no ban, and nothing in the cache that is not true.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import gzip
import re

import msgspec
import pytest
from support.calls import READS, SIZE, WRITES, furnish, plain
from support.virtual import virtual
from support.world import idle

from metron_async import NOT_MODIFIED, AsyncMetron
from metron_async.errors import (
    AuthenticationError,
    CacheError,
    DecodeError,
    IncompleteListError,
    InterceptedError,
    IncompleteListWarning,
    MetronError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    StatusError,
    TransportError,
    ValidationError,
)
from metron_async.testing import FakeMetron, Fault

VALUE = "the right value"
UNNOTICED = "a value that nobody can tell to be wrong"
LEFT_OUT = "the right value, without what is gone"
ANOTHER_STATUS = {"html page", "nothing to read"}


@dataclasses.dataclass(frozen=True)
class Trouble:
    """A fault and what it means.

    Attributes:
        make: Makes the fault.
        error: What a call ends in, or ``None`` if it takes no harm.
        passing: Whether a read gets over it, if it strikes once.
        repeated: Whether a write does, since it certainly had no effect.
        unknown: Whether nobody knows if a write had an effect.
        stale: Whether a cached answer stands in.
        reads_only: Whether it can only befall reads.
        status: Status of the error, if it has one.
        lists_only: Whether it can only befall lists.
        in_walks: Whether only a walk through a whole list can notice it.
    """

    name: str
    make: object
    error: type[MetronError] | None
    passing: bool = False
    repeated: bool = False
    unknown: bool = False
    stale: bool = False
    status: int | None = None
    reads_only: bool = False
    lists_only: bool = False
    in_walks: bool = False


def _json(change):
    """Change what there is of a body; a 304 and a 204 have none."""
    encode, decode = msgspec.json.encode, msgspec.json.decode
    return Fault.body(lambda body: encode(change(decode(body))) if body else body)


def _if_any(fault):
    """Let *fault* change a body only where there is one; a 304 and a 204 have none."""
    change = lambda asked, reply: fault.change(asked, reply) if reply.content() else reply  # noqa: E731
    return Fault(fault.name, change=change)


@functools.cache
def _bomb():
    packed = gzip.compress(b" " * 40_000_000, 1, mtime=0)
    return Fault.body(lambda _: packed, content_encoding="gzip")


def _rates(value):
    return Fault.headers(
        x_ratelimit_burst_limit=value,
        x_ratelimit_burst_remaining=value,
        x_ratelimit_burst_reset=value,
        x_ratelimit_sustained_limit=value,
        x_ratelimit_sustained_remaining=value,
        x_ratelimit_sustained_reset=value,
        retry_after=value,
        date=value,
        x_cache=value,
    )


def _lost(name, make):
    return Trouble(name, make, TransportError, passing=True, unknown=True, stale=True)


def _failing(status):
    make = lambda: Fault.status(status)  # noqa: E731
    return Trouble(
        f"status {status}", make, ServerError, passing=True, unknown=True, stale=True, status=status
    )


def _unreadable(name, make, **more):
    return Trouble(name, make, DecodeError, unknown=True, stale=True, **more)


def _refusal(name, make, error, status, **more):
    return Trouble(name, make, error, status=status, **more)


TROUBLES = (
    Trouble(
        "connect error",
        Fault.connect_error,
        TransportError,
        passing=True,
        repeated=True,
        stale=True,
    ),
    _lost("dropped before", Fault.drop_before),
    _lost("dropped after", Fault.drop_after),
    _lost("cut body", lambda: Fault.cut_body(0.4)),
    _lost("cut at the headers", lambda: Fault.cut_body(0.0)),
    _lost("cut at the end", lambda: Fault.cut_body(1.0)),
    Trouble(
        "no answer in time",
        lambda: Fault.latency(100),
        RequestTimeoutError,
        passing=True,
        unknown=True,
        stale=True,
    ),
    Trouble("slow", lambda: Fault.latency(20), None),
    *map(_failing, (500, 502, 503, 504)),
    Trouble(
        "status 507", lambda: Fault.status(507), ServerError, unknown=True, stale=True, status=507
    ),
    Trouble(
        "429 of the proxy",
        lambda: Fault.status(429),
        RateLimitError,
        passing=True,
        repeated=True,
        stale=True,
        status=429,
    ),
    _refusal("400", lambda: Fault.status(400), ValidationError, 400),
    _refusal("401", lambda: Fault.status(401), AuthenticationError, 401),
    _refusal("403", lambda: Fault.status(403), PermissionDeniedError, 403),
    _refusal("404", lambda: Fault.status(404), NotFoundError, 404),
    _refusal("405", lambda: Fault.status(405), StatusError, 405),
    Trouble(
        "413 page",
        lambda: Fault.status(413, page=True),
        InterceptedError,
        stale=True,
        status=413,
    ),
    _refusal("redirect to a host", Fault.redirect_host, StatusError, 302),
    _refusal("redirect to http", Fault.redirect_http, StatusError, 302),
    _refusal("redirect to nowhere", lambda: Fault.redirect("//[", 301), StatusError, 301),
    Trouble("redirect loop", Fault.redirect_loop, StatusError, status=302, passing=True),
    _unreadable("html page", Fault.html_page),
    _unreadable("unasked 304", lambda: Fault.status(304), reads_only=True),
    _unreadable("nothing to read", lambda: Fault.status(204, page=True), reads_only=True),
    _unreadable("truncated", Fault.truncated),
    _unreadable("garbled", Fault.garbled),
    _unreadable("bad gzip", lambda: _if_any(Fault.bad_gzip())),
    _unreadable("gzip bomb", lambda: _if_any(_bomb())),
    _unreadable("unknown coding", lambda: Fault.headers(content_encoding="br, gzip")),
    _unreadable("content type", Fault.content_type),
    _unreadable("empty body", Fault.empty_body),
    _unreadable("huge body", lambda: Fault.huge_body(33_554_432)),
    _unreadable("null", lambda: _json(lambda _: None)),
    _unreadable("a list for an object", lambda: _json(lambda b: [[b]])),
    _unreadable("an empty object", lambda: _json(lambda _: {})),
    _unreadable("deep nesting", lambda: Fault.body(lambda _: b"[" * 100_000)),
    _unreadable("no UTF-8", lambda: Fault.body(lambda b: b.replace(b'"', b'"\xff', 1))),
    Trouble("no rate headers", Fault.no_rate_headers, None),
    *(
        Trouble(f"rate headers {value}", lambda value=value: _rates(value), None)
        for value in ("", "0", "soon", "-1", "nan", "inf", "1e400", "9" * 400, "1.5")
    ),
    Trouble("last-modified", lambda: Fault.headers(last_modified="yesterday"), None),
    _unreadable("detail for a list", Fault.detail_instead, lists_only=True),
    _unreadable("next leads back", Fault.looping_next, lists_only=True, in_walks=True),
    Trouble("next on another host", Fault.foreign_next, None, lists_only=True),
    Trouble("next over http", Fault.http_next, None, lists_only=True),
    _unreadable("lost rows", lambda: Fault.lost_rows(2), lists_only=True, in_walks=True),
    _unreadable("promised more", lambda: Fault.recounted(3), lists_only=True, in_walks=True),
)

LISTS = {"page", "collect", "issue list", "details"}
NO_BODY = {"get_if_modified, unchanged", "get anew", "remove"}  # answered with 304 or 204


EXCEPTIONS = {
    # A conditional request has asked for a 304.
    ("unasked 304", "get_if_modified"): NOT_MODIFIED,
    # What is gone in the middle of a list: fewer rows, or one object less.
    ("404", "collect"): IncompleteListError,
    ("404", "details"): LEFT_OUT,
}


def meaning(trouble, call, *, lasting, place):
    """Return what *call* should end in: an error's class, or :data:`VALUE`."""
    name, kind = trouble.name, call.name
    exception = EXCEPTIONS.get((name, kind))
    if exception is not None and (place or name != "404"):
        return exception
    if trouble.in_walks and kind == "page":
        return UNNOTICED
    if kind in NO_BODY and trouble.error is DecodeError and name not in ANOTHER_STATUS:
        return VALUE
    gets_over_it = trouble.passing if call in READS else trouble.repeated
    if (gets_over_it and not lasting) or (trouble.stale and call in READS and call.warm):
        return VALUE
    return trouble.error or VALUE


async def world(fake):
    """Return a client of *fake* that is in no hurry, and what it warmed up."""
    metron = AsyncMetron("editor-token", transport=fake.transport(), max_wait=3600)
    await furnish(metron)
    return metron


async def truth(fake, run):
    """Return what a client without cache is told, once all is well."""
    transport = fake.transport("10.0.0.9")
    async with AsyncMetron("editor-token", transport=transport, cache=None) as plain_client:
        return plain(await run(plain_client))


async def outcome(awaitable):
    try:
        return plain(await awaitable), None
    except IncompleteListWarning as warning:  # which is an error here
        return None, IncompleteListError(str(warning), path="told in a warning")
    except MetronError as error:
        return None, error


async def sound(fake, metron, call):
    """Assert that nothing is left over, and that what is there is true."""
    fake.faults.clear()
    await idle(metron)
    assert not fake.bans
    await metron.retry_credentials()
    right = await truth(fake, call.run)
    try:
        offline = plain(await call.run(metron.with_options(offline=True)))
    except (CacheError, NotFoundError):
        pass  # nothing there, or a 404 that the server really gave
    else:
        assert offline == right, "the cache holds what is not true"
    again = plain(await call.run(metron.with_options(refresh=True)))
    assert again == right
    await idle(metron)


def _is_list(request):
    return not re.search(r"/[0-9]+/$", request.path)


def _ids(pairs):
    return [f"{trouble.name}: {call.name}" for trouble, call in pairs]


READ_CASES = [(t, c) for t in TROUBLES for c in READS if not t.lists_only or c.name in LISTS]
WRITE_CASES = [(t, c) for t in TROUBLES for c in WRITES if not (t.lists_only or t.reads_only)]


@pytest.mark.parametrize(("trouble", "call"), READ_CASES, ids=_ids(READ_CASES))
def test_a_read_ends_in_the_right_value_or_the_right_error(trouble, call):
    last = 1 if trouble.lists_only else call.requests
    places = sorted({0, last // 2, last - 1})
    for lasting, place in [*((False, place) for place in places), (True, 0)]:
        virtual(_read(trouble, call, lasting=lasting, place=place))


async def _read(trouble, call, *, lasting, place):
    fake = FakeMetron(SIZE)
    metron = await world(fake)
    async with metron:
        if call.warm:
            await call.run(metron)
        fake.faults.add(
            trouble.make(),
            times=None if lasting else 1,
            skip=place,
            path=_is_list if trouble.lists_only else None,
        )
        value, error = await outcome(call.run(metron))
        expected = meaning(trouble, call, lasting=lasting, place=place)
        right = await truth(fake, call.run) if not lasting else None
        if expected is UNNOTICED:
            assert error is None
            return
        if expected is VALUE:
            assert error is None, f"{error!r} in place of a value"
            assert lasting or value == right
        elif expected is NOT_MODIFIED:
            assert value is NOT_MODIFIED
        elif expected is LEFT_OUT:
            assert error is None
            assert len(value) == len(right) - 1
        else:
            assert error is not None, f"{value!r:.200} in place of an error"
            assert isinstance(error, expected)
            assert trouble.status in {None, error.status} or expected is IncompleteListError
            assert error.path
            assert not error.outcome_unknown
        await asyncio.sleep(400)  # what was sent ends, and what was blocked is free again
        await sound(fake, metron, call)


@pytest.mark.parametrize(("trouble", "call"), WRITE_CASES, ids=_ids(WRITE_CASES))
def test_a_write_ends_once_or_says_that_nobody_knows(trouble, call):
    for lasting in (False, True):
        virtual(_write(trouble, call, lasting=lasting))


async def _write(trouble, call, *, lasting):
    fake = FakeMetron(SIZE)
    metron = await world(fake)
    async with metron:
        await call.then(metron)
        before = call.count(fake)
        fake.faults.add(trouble.make(), times=None if lasting else 1)
        _, error = await outcome(call.run(metron))
        happened = call.count(fake) - before
        expected = meaning(trouble, call, lasting=lasting, place=0)
        if expected is VALUE:
            assert error is None, f"{error!r} in place of a value"
            assert happened == 1
        else:
            assert isinstance(error, expected), error
            assert error.outcome_unknown == trouble.unknown
            assert trouble.status in {None, error.status}
            assert happened <= (1 if trouble.unknown else 0)
            assert not (trouble.unknown and error.retryable)
        fake.faults.clear()
        await metron.retry_credentials()
        assert plain(await call.then(metron)) == await truth(fake, call.then)
        await asyncio.sleep(400)
        await idle(metron)
        assert not fake.bans


def test_an_id_that_is_none_does_not_end_a_run():
    async def main():
        fake = FakeMetron(SIZE)
        async with AsyncMetron(fake.token, transport=fake.transport()) as metron:
            ids = [1, None, 2, "3", 4]
            got = {one.id: one.error async for one in metron.issues.fetch_many(ids)}
        assert set(got) == set(ids)
        assert {number for number, error in got.items() if error is None} == {1, 2, 4}

    virtual(main())

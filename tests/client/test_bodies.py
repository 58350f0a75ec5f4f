"""Bodies that are not the API's: each a clear error with the path, and the limiter learns of it."""

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.virtual import virtual
from support.world import client, idle

from metron_async import DecodeError, InterceptedError, MetronError, ServerError, TransportError
from metron_async.testing import FakeMetron, Fault

UNREADABLE = "Unexpected response format|not valid JSON"
BAD = [
    (Fault.html_page(), DecodeError, "HTML page"),
    (Fault.truncated(0.5), DecodeError, "not valid JSON"),
    (Fault.truncated(0.01), DecodeError, "not valid JSON"),
    (Fault.garbled(), DecodeError, "Unexpected response format|not valid JSON"),
    (Fault.empty_body(), DecodeError, "empty"),
    (Fault.content_type("text/plain"), DecodeError, "content type 'text/plain'"),
    (Fault.bad_gzip(), DecodeError, "cannot be read"),
    (Fault.gzip_bomb(60_000_000), DecodeError, "longer than"),
    (Fault.huge_body(40_000_000), DecodeError, "longer than"),
    (Fault.body(lambda _: b"[" * 100_000), DecodeError, UNREADABLE),
    (Fault.body(lambda _: b'{"id":' * 100_000), DecodeError, UNREADABLE),
    (Fault.body(lambda _: b"null"), DecodeError, "Expected `object`"),
    (Fault.body(lambda _: b'{"detail": "odd"}'), DecodeError, "missing required field"),
    (Fault.json(lambda body: body | {"id": "x"}), DecodeError, r"at \$\.id"),
    (Fault.status(204), DecodeError, "Unexpected response format|empty"),
    (Fault.status(304), DecodeError, "without a condition"),
]


@pytest.mark.parametrize("cache", [None, ":memory:"])
@pytest.mark.parametrize(
    ("fault", "kind", "message"), BAD, ids=[f"{n}-{bad[0].name}" for n, bad in enumerate(BAD)]
)
def test_a_bad_body_is_a_clear_error_and_never_kept(fault, kind, message, cache, caplog):
    caplog.set_level(logging.DEBUG)

    async def main():
        fake = FakeMetron(issues=150)
        fake.faults.add(fault)
        async with client(fake, cache=cache) as metron:
            with pytest.raises(kind, match=message) as caught:
                await metron.issues.get(7)
            assert caught.value.path == "issue/7/"
            assert fake.token not in str(caught.value) + repr(caught.value) + caplog.text
            assert len(str(caught.value)) < 600
            assert len(fake.requests) == 1  # it would come again: a body is not tried twice
            assert (await metron.issues.get(7)).id == 7
            await idle(metron)

    virtual(main())


@pytest.mark.parametrize(
    "fault",
    [
        Fault.truncated(),
        Fault.empty_body(),
        Fault.content_type("text/plain"),
        Fault.garbled(),
        Fault.huge_body(40_000_000),
    ],
    ids=lambda fault: fault.name,
)
def test_the_quota_of_a_bad_body_counts(fault):
    async def main():
        fake = FakeMetron(issues=150)
        fake.spend("reader", 12)  # by somebody else: only the headers tell
        fake.faults.add(fault)
        async with client(fake, cache=None) as metron:
            with pytest.raises(DecodeError):
                await metron.issues.get(7)
            assert (await metron.quota()).burst.remaining == 7

    virtual(main())


def test_a_page_of_a_proxy_is_not_the_api_s_word():
    async def main():
        fake = FakeMetron(issues=150)
        fake.faults.add(Fault.status(502), times=3)
        fake.faults.add(Fault.html_page(404))
        async with client(fake) as metron:
            with pytest.raises(ServerError) as caught:
                await metron.issues.get(7)
            assert (caught.value.status, caught.value.detail) == (502, None)
            with pytest.raises(InterceptedError, match="in front of the server") as page:
                await metron.issues.get(7)
            assert page.value.status == 404
            assert (await metron.issues.get(7)).id == 7  # it was not remembered as missing

    virtual(main())


@given(body=st.binary(max_size=60), status=st.sampled_from([200, 201, 302, 400, 404, 429, 503]))
@settings(max_examples=60, deadline=None)
def test_no_body_raises_anything_but_our_own(body, status):
    async def main():
        fake = FakeMetron(issues=10)
        fake.faults.add(Fault.body(lambda _: body), times=None)
        if status != 200:
            fake.faults.clear()
            fake.faults.add(Fault.status(status), times=None)
        async with client(fake, retries=0) as metron:
            with pytest.raises(MetronError):
                await metron.with_options(max_wait=0).issues.get(7)
            await idle(metron)

    virtual(main())


def test_a_connection_lost_in_the_body_is_tried_again():
    async def main():
        fake = FakeMetron(issues=150)
        async with client(fake) as metron:
            await metron.publishers.get(1)  # so that nobody suspects the credentials
            fake.faults.add(Fault.cut_body(), times=2)
            assert (await metron.issues.get(7)).id == 7
            assert metron.stats.retries == 2
            fake.faults.add(Fault.cut_body(), times=3)
            with pytest.raises(TransportError) as caught:
                await metron.with_options(refresh=True).issues.get(7)
            assert caught.value.path == "issue/7/"
            assert caught.value.outcome_unknown is False or caught.value.retryable
            await idle(metron)

    virtual(main())

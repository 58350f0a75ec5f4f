"""Hostile arguments, environments and servers: only our own errors leave, and in time."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import inspect
import math
import pickle
import time
import traceback

import httpx
import msgspec
import pytest
from support.virtual import virtual
from support.world import client

from metron_async import (
    AsyncMetron,
    ConfigurationError,
    MetronError,
    RateLimitError,
    RequestTimeoutError,
    UsageError,
    ValidationError,
)
from metron_async._engine.credentials import resolve_credentials
from metron_async.testing import FakeMetron

SECRET = "s3cr3t-w0rd"


class Ambiguous:
    """Compares to no truth value, as arrays do."""

    def __eq__(self, _):
        return self

    __hash__ = None

    def __bool__(self):
        msg = "ambiguous"
        raise ValueError(msg)


HOSTILE = [10**400, -(10**400), 10**5000, 2**63, math.nan, math.inf, -math.inf, 1e308, "\ud800"]
HOSTILE += ["x" * 70_000, "a\0b", "", b"x", [], {}, object(), True, None, Ambiguous()]
ARGUMENTS = [name for name in inspect.signature(AsyncMetron).parameters if name != "on_wait"]


@pytest.mark.parametrize("name", ARGUMENTS)
def test_no_argument_of_the_constructor_raises_anything_else(name):
    given = {"token": SECRET} if name not in {"username", "password"} else {}
    for value in HOSTILE:
        other = {} if given else {"username": "anna", "password": SECRET}
        with contextlib.suppress(MetronError, TypeError):
            AsyncMetron(**({"cache": None} | given | other | {name: value}))


def calls_of(metron, value):
    for name in dir(type(metron)):
        resource = getattr(metron, name)
        if not type(resource).__name__.endswith("Resource"):
            continue
        for method in dir(resource):
            call = getattr(resource, method)
            if method.startswith("_") or not callable(call):
                continue
            yield from (
                lambda call=call: call(value),
                lambda call=call: call(1, value),
                lambda call=call: call(name=value),
                lambda call=call: call(id=value),
            )


async def run_call(call):
    made = call()
    if inspect.isawaitable(made):
        await made
    elif hasattr(made, "collect"):
        await made.collect(1)


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_no_entry_point_raises_anything_else(number):
    async def main():
        fake = FakeMetron(issues=20)
        async with client(fake, cache=None) as metron:
            assert metron.origin_of(HOSTILE[number]) is None
            calls = list(calls_of(metron, HOSTILE[number]))
            assert len(calls) > 200
            for call in calls:
                with contextlib.suppress(MetronError, TypeError):
                    await run_call(call)

    virtual(main())


def test_a_long_filter_costs_nothing():
    async def main():
        fake = FakeMetron(issues=20)
        async with client(fake) as metron:
            with pytest.raises(UsageError):
                await metron.issues.iter(series_name="x" * 70_000).collect()
            assert metron.stats.requests == 0
            assert not fake.requests

    virtual(main())


def test_without_asyncio_the_error_says_so():
    metron = AsyncMetron(SECRET, cache=None)
    for call in (metron.issues.get(1), metron.quota()):
        with pytest.raises(UsageError, match="asyncio"):
            call.send(None)
    with pytest.raises(StopIteration):  # there is nothing to close
        metron.aclose().send(None)


def test_a_client_is_not_pickled():
    metron = AsyncMetron(SECRET, cache=None)
    for clone in (pickle.dumps, copy.deepcopy):
        for value in (metron, metron.issues, metron.with_options(retries=1)):
            with pytest.raises(TypeError, match="Make one in each process"):
                clone(value)


# -- Secrets ------------------------------------------------------------------------------------


def frames_of(error):
    """Yield the local variables of all frames of this package that led to *error*."""
    while error is not None:
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if "metron_async" in frame.f_code.co_filename and "tests" not in (
                frame.f_code.co_filename
            ):
                yield from frame.f_locals.values()
        error = error.__cause__ or error.__context__


def assert_hidden(error):
    shown = [str(error), repr(error), repr(error.args), repr(vars(error))]
    shown += [repr(value) for value in frames_of(error)]
    assert not [text for text in shown if SECRET in text]


@pytest.mark.parametrize(
    ("arguments", "suggested"),
    [
        ({"api_token": SECRET}, "token"),
        ({"apikey": SECRET}, "token"),
        ({"passwd": SECRET, "username": "anna"}, "password"),
        ({"retrys": SECRET}, "retries"),
        ({"zzz": SECRET}, "Expected one of"),
    ],
)
def test_the_value_of_an_unknown_argument_is_not_shown(arguments, suggested):
    with pytest.raises(UsageError, match=suggested) as caught:
        AsyncMetron(**arguments)
    assert_hidden(caught.value)
    with pytest.raises(UsageError) as caught:
        AsyncMetron("t", cache=None).with_options(**arguments)
    assert_hidden(caught.value)


@pytest.mark.parametrize(
    "arguments",
    [
        {"token": SECRET, "base_url": "ftp://x"},
        {"token": SECRET, "cache": 5},
        {"token": f"Bearer {SECRET}"},
        {"username": "anna", "password": SECRET + "\ud800"},
        {"username": "anna\ud800", "password": SECRET},
        {"token": SECRET, "account": "\udcff"},
        {"token": SECRET, "max_wait": -1},
        {"token": "x", "base_url": f"https://u:{SECRET}@metron.cloud"},
    ],
)
def test_frames_of_a_refused_constructor_hold_no_secret(arguments):
    with pytest.raises(MetronError) as caught:
        AsyncMetron(**arguments)
    assert_hidden(caught.value)


async def test_frames_of_a_failed_connection_hold_no_secret(monkeypatch):
    metron = AsyncMetron(SECRET, cache=None)

    def broken(*_):
        msg = "no"
        raise OSError(msg)

    monkeypatch.setattr("metron_async._engine.transport.open_client", broken)
    with pytest.raises(ConfigurationError, match="cannot be set up") as caught:
        await metron.issues.get(1)
    assert_hidden(caught.value)
    await metron.aclose()


def test_a_latin_1_password_of_the_environment_is_in_no_error(monkeypatch):
    monkeypatch.setenv("METRON_USERNAME", "anna")
    monkeypatch.setenv("METRON_PASSWORD", SECRET + "\udce9")
    with pytest.raises(ConfigurationError) as caught:
        AsyncMetron(cache=None)
    assert_hidden(caught.value)


def test_a_token_comes_from_a_file_and_loses_its_line_break(tmp_path):
    path = tmp_path / "token"
    path.write_text(f"{SECRET}\r\n")
    found = resolve_credentials(None, None, None, {"METRON_TOKEN_FILE": str(path)})
    assert found.header == f"Bearer {SECRET}"
    assert resolve_credentials(f"{SECRET}\n", None, None, {}).header == f"Bearer {SECRET}"
    environment = {"METRON_TOKEN": "other", "METRON_TOKEN_FILE": str(path)}
    assert resolve_credentials(None, None, None, environment).header == "Bearer other"
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match="cannot be sent"):
        resolve_credentials(None, None, None, {"METRON_TOKEN_FILE": str(path)})


def test_plain_http_to_another_host_takes_a_word():
    def root(url, **options):
        return AsyncMetron(SECRET, base_url=url, cache=None, **options)._caller.core.blueprint

    assert root("http://metron:8000", allow_plain_http=True).api_root == "http://metron:8000/api/"
    assert root("http://127.0.0.1:8000").origin == "http://127.0.0.1:8000"
    for options in ({}, {"allow_plain_http": False}):
        with pytest.raises(ConfigurationError, match="allow_plain_http=True"):
            root("http://metron:8000", **options)
    with pytest.raises(ConfigurationError, match="True or False"):
        root("http://metron:8000", allow_plain_http="yes")


# -- Hostile servers ----------------------------------------------------------------------------


def nested(name, depth):
    return b'{"%s":' % name * depth + b'["x"]' + b"}" * depth


@pytest.mark.parametrize(
    "body",
    [
        nested(b"n" * 50, 100),
        b"[" + b",".join([nested(b"n" * 5, 90)] * 50) + b"]",
        msgspec.json.encode({f"f{number}": ["x"] * 100 for number in range(900)}),
        msgspec.json.encode({"name": [[["x"] * 1000] * 100]}),
        msgspec.json.encode({"n" * 5000: {"m" * 5000: ["x"]}}),
    ],
)
def test_an_error_body_is_read_within_bounds(body):
    async def main():
        answer = httpx.Response(400, headers={"content-type": "application/json"}, content=body)
        transport = httpx.MockTransport(lambda _: answer)
        async with AsyncMetron(SECRET, transport=transport) as metron:
            with pytest.raises(ValidationError) as caught:
                await metron.issues.get(1)
        assert len(caught.value.fields) <= 200
        assert all(len(name) <= 200 for name in caught.value.fields)
        assert sum(map(len, caught.value.fields.values())) <= 4000

    virtual(main())


class Dripping(httpx.AsyncByteStream):
    async def __aiter__(self):
        while True:
            await asyncio.sleep(1)
            yield b" "


def test_a_response_that_drips_comes_to_an_end():
    async def main():
        def handler(_):
            return httpx.Response(200, stream=Dripping())

        transport = httpx.MockTransport(handler)
        async with AsyncMetron(SECRET, transport=transport, retries=0) as metron:
            with pytest.raises(RequestTimeoutError, match="not complete within 120 s"):
                await metron.issues.get(1)
            assert asyncio.get_running_loop().time() == pytest.approx(120)

    virtual(main())


def test_many_callers_of_one_request_are_refused_together():
    async def main():
        fake = FakeMetron(issues=60)
        async with client(fake) as metron:
            await asyncio.gather(*(metron.issues.get(number) for number in range(1, 21)))
            view = metron.with_options(max_wait=1)
            waiting = asyncio.create_task(metron.issues.get(30))
            began = time.process_time()
            calls = (view.issues.get(30) for _ in range(5000))
            errors = await asyncio.gather(*calls, return_exceptions=True)
            assert {type(error) for error in errors} == {RateLimitError}
            assert time.process_time() - began < 20  # bounds a quadratic loop, not a claim
            assert (await waiting).id == 30

    virtual(main())

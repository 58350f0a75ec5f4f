"""What comes from a stranger stays a value: on the wire it is neither header nor path."""

from __future__ import annotations

import asyncio
import re
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.secrets_search import TOKEN

from metron_async import AsyncMetron, ConfigurationError
from metron_async._engine.identity import user_agent
from metron_async.errors import DecodeError, MetronError, UsageError
from metron_async.models import ArcInput, IssueInput, Upload
from metron_async.testing import FakeMetron, Fault, run_virtual

NASTY = (
    "x\r\nX-Evil: 1",
    "x\nX-Evil: 1\n\nGET /api/evil/ HTTP/1.1",
    "x HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "x\x00y",
    "x&page=2",
    "x#fragment",
    "x?y=z",
    "../../admin/",
    "%0d%0aX-Evil:%201",
    "\u010d\u010a",  # whose lower bytes are CR and LF
    "\u2028\u2029\x85\x0b\x0c",
    "\ud800",
    "💥" * 50,
    "; DROP TABLE issue",
    "\uff41\uff0f\uff0e\uff0e",
)
IDS = (
    "1",
    "1/../2",
    "1?x=1",
    "1\r\n",
    "../admin",
    1.0,
    True,
    None,
    -1,
    0,
    2**63,
    b"1",
    "\uff11",
    [1],
)


class Wire:
    """A server that keeps the raw bytes of every request, and answers with ``{}``."""

    def __init__(self):
        self.raw = []

    async def handle(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        body = await reader.readexactly(int(length[1])) if length else b""
        self.raw.append((head, body))
        answer = b'{"count": 0, "next": null, "previous": null, "results": []}'
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(answer), answer)
        )
        await writer.drain()
        writer.close()

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.handle, "127.0.0.1", 0)
        port = self.server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(self, *_):
        self.server.close()
        await self.server.wait_closed()


HEADERS = {
    b"host",
    b"authorization",
    b"user-agent",
    b"accept",
    b"accept-language",
    b"accept-encoding",
    b"content-type",
    b"content-length",
}


def check_head(head):
    """Assert that *head* is one request line below the root, and our headers, once each."""
    first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    assert re.fullmatch(rb"(GET|POST|PATCH) /api/[!-~]* HTTP/1\.1", first), first
    assert b".." not in first.partition(b"?")[0]
    names = [line.partition(b":")[0].lower() for line in lines]
    assert set(names) <= HEADERS
    assert len(names) == len(set(names))
    for line in lines:
        assert b"\n" not in line
        assert b"\r" not in line


@pytest.mark.parametrize("text", NASTY)
async def test_filters_and_fields_on_the_wire(text):
    async with Wire() as wire, AsyncMetron(TOKEN, base_url=wire.url, cache=None) as metron:
        calm = metron.with_options(retries=0, max_wait=0)
        for call in (
            lambda: calm.issues.iter(series_name=text).collect(),
            lambda: calm.publishers.iter(name=text).collect(),
            lambda: calm.arcs.create(ArcInput(name=text, desc=text)),
            lambda: calm.issues.update(1, IssueInput(desc=text)),
        ):
            try:
                await call()
            except (DecodeError, UsageError):
                continue
        sent = wire.raw
    for head, _ in sent:
        check_head(head)
    assert all(b"X-Evil: 1" not in head for head, _ in sent)


@given(st.text(min_size=1, max_size=80))
@settings(max_examples=60, deadline=None)
def test_a_filter_arrives_as_it_was_given(text):
    fake = FakeMetron(20, throttle=False)

    async def main():
        async with AsyncMetron(fake.token, transport=fake.transport(), cache=None) as metron:
            try:
                await metron.publishers.iter(name=text).collect()
            except UsageError:
                return
        (asked,) = fake.requests
        assert asked.path == "/api/publisher/"
        assert asked.params == {"name": text}

    run_virtual(main())


@pytest.mark.parametrize("number", IDS, ids=repr)
def test_an_id_is_a_number(number):
    fake = FakeMetron(20)

    async def main():
        async with AsyncMetron(fake.token, transport=fake.transport()) as metron:
            ids = [number]
            calls = (
                lambda: metron.issues.get(number),
                lambda: metron.issues.fetch_many(ids, on_error="raise").first(),
                lambda: metron.series.issues(number).collect(),
                lambda: metron.publishers.series(number).collect(),
                lambda: metron.reading_lists.items(number).collect(),
                lambda: metron.collection.add(number),
                lambda: metron.collection.remove(number),
                lambda: metron.collection.rate(number, 3),
                lambda: metron.collection.missing_issues(number).collect(),
                lambda: metron.pull_list.add_series(number),
                lambda: metron.pull_list.remove_series(number),
                lambda: metron.wish_list.acquire(number),
                lambda: metron.wish_list.remove(number),
                lambda: metron.arcs.update(number, ArcInput(name="x")),
                lambda: metron.issues.iter(series_id=number).collect(),
            )
            for call in calls:
                try:
                    await call()
                except (MetronError, TypeError):
                    continue
        for asked in fake.requests:  # filters take texts of numbers, and nothing else gets through
            assert asked.path in {"/api/issue/", "/api/issue/1/"}
            assert not set("\r\n?/") & set(asked.params.get("series_id", ""))

    run_virtual(main())


@pytest.mark.parametrize("text", NASTY)
def test_a_user_agent_is_one_line_of_plain_text(text):
    try:
        agent = user_agent(text)
    except ConfigurationError:
        with pytest.raises(ConfigurationError):
            AsyncMetron(TOKEN, user_agent=text)
        return
    assert agent.isascii()
    assert agent.isprintable()


@pytest.mark.parametrize("text", [text for text in NASTY if "\ud800" not in text])
async def test_names_of_uploads(text):
    image = b"\x89PNG\r\n\x1a\n" + bytes(40)
    async with Wire() as wire, AsyncMetron(TOKEN, base_url=wire.url, cache=None) as metron:
        for upload in (
            {"name": text},
            {"name": f'a"; filename="{text}.png'},
            {"name": "a.png", "content_type": f"image/{text}"},
        ):
            try:
                await metron.with_options(retries=0).arcs.create(
                    ArcInput(name=text, image=Upload(image, **upload))
                )
            except (MetronError, UnicodeError):
                continue
        sent = list(wire.raw)
    for head, body in sent:
        check_head(head)
        boundary = re.search(rb"boundary=([!-~]+)", head)[1]
        for part in body.split(b"--" + boundary)[1:-1]:
            names = re.findall(rb"(?m)^([A-Za-z-]+):", part.partition(b"\r\n\r\n")[0])
            assert set(names) <= {b"Content-Disposition", b"Content-Type"}, part[:300]
            assert part.count(b"Content-Disposition: form-data") == 1


def test_page_numbers_of_a_server_are_numbers():
    """The next page's number is ours; what the server says there is only compared."""
    fake = FakeMetron(250)
    link = "https://metron.cloud/api/issue/?page=2%0d%0aX-Evil:1&page=2"

    def poisoned(body):
        return body | {"next": link} if body["next"] else body

    fake.faults.add(Fault.json(poisoned), times=1)

    async def main():
        async with AsyncMetron(fake.token, transport=fake.transport()) as metron:
            assert len(await metron.issues.iter().collect()) == 250
        for asked in fake.requests:
            assert set(asked.params) <= {"page"}
            assert asked.params.get("page", "1").isdigit()
        assert parse_qsl(urlsplit(link).query)[0][1].startswith("2\r\n")

    run_virtual(main())

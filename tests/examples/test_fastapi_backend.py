"""The FastAPI backend, against FakeMetron: requests counted, browsers that leave, errors."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import socket
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import uvicorn
from fastapi_backend.answers import refusal
from fastapi_backend.app import create_app
from fastapi_backend.typeahead import Typeahead, matching, plain, tidied

from metron_async import (
    AsyncMetron,
    AuthenticationError,
    BlockedError,
    ClosedError,
    DecodeError,
    MetronError,
    NotFoundError,
    Priority,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    StorageError,
    TransportError,
    UsageError,
    ValidationError,
)
from metron_async.testing import FakeMetron, Fault, run_virtual

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI


def connects_to(fake: FakeMetron, **options: Any) -> Callable[[], AsyncMetron]:
    return lambda: AsyncMetron(token=fake.token, transport=fake.transport(), **options)


@dataclasses.dataclass
class Answer:
    status: int = 0
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    body: bytes = b""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


async def browse(app: FastAPI, url: str, *, leave_after: float | None = None) -> Answer:
    """Ask like a browser that gives up after some seconds of the loop's clock."""
    path, _, query = url.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [],
        "client": ("127.0.0.1", 1),
        "server": ("app", 80),
    }
    answer, begun = Answer(), False

    async def receive() -> dict[str, Any]:
        nonlocal begun
        if not begun:
            begun = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await (asyncio.Event().wait() if leave_after is None else asyncio.sleep(leave_after))
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode(): text.decode() for name, text in message["headers"]}
        else:
            answer.body += message.get("body", b"")

    await app(scope, receive, send)
    return answer


def in_app(fake: FakeMetron, script: Callable[[FastAPI], Any], **options: Any) -> Any:
    """Run *script* with a started application, on virtual time."""

    async def main() -> Any:
        app = create_app(connects_to(fake, **options))
        async with app.router.lifespan_context(app):
            return await script(app)

    return run_virtual(main())


# --- What is asked of the server ------------------------------------------------------------------


def test_ten_browsers_that_type_the_same_cost_one_request() -> None:
    fake = FakeMetron()
    fake.latency = 0.5

    async def script(app: FastAPI) -> None:
        spellings = ["wolf", "Wolf", " WOLF ", "wolf%20"] * 3
        answers = await asyncio.gather(*(browse(app, f"/api/typeahead?q={q}") for q in spellings))
        assert {answer.status for answer in answers} == {200}
        assert len({answer.body for answer in answers}) == 1
        names = [hit["name"] for hit in answers[0].json]
        assert names == ["Café Wolf (2026)", "Lost Wolf: Arrow (2026)", "Mighty Wolf (2005)"]
        assert answers[0].headers["cache-control"] == "private, max-age=60"

    in_app(fake, script)
    assert [asked.params for asked in fake.requests] == [{"name": "wolf"}]


def test_a_whole_word_typed_fast_costs_one_request() -> None:
    """Each letter comes before the answer to the one before, whose browser gives up."""
    fake = FakeMetron()
    fake.latency = 2.0

    async def script(app: FastAPI) -> None:
        typing = []
        word = "phantom"
        for length in range(1, len(word) + 1):
            leave = None if length == len(word) else 0.1
            url = f"/api/typeahead?q={word[:length]}"
            typing.append(asyncio.create_task(browse(app, url, leave_after=leave)))
            await asyncio.sleep(0.1)
        answers = await asyncio.gather(*typing)
        assert [answer.status for answer in answers] == [200, 200, 499, 499, 499, 499, 200]
        assert {len(answer.json) for answer in answers[:2]} == {0}  # too short to be asked
        assert len(answers[-1].json) == 7

    in_app(fake, script)
    assert [(asked.params["name"], asked.status) for asked in fake.requests] == [("pha", 200)]


def test_longer_words_are_found_in_a_complete_answer_and_nothing_is_known_too() -> None:
    fake = FakeMetron()

    async def script(app: FastAPI) -> None:
        for typed in ("mig", "migh", "mighty%20w", "mighty", "xqz", "xqzz", "xqz%20q"):
            answer = await browse(app, f"/api/typeahead?q={typed}")
            assert answer.status == 200
            if typed == "mighty%20w":
                assert [hit["name"] for hit in answer.json] == ["Mighty Wolf (2005)"]

    in_app(fake, script)
    assert [asked.params["name"] for asked in fake.requests] == ["mig", "xqz"]


def test_an_incomplete_answer_says_nothing_about_longer_words() -> None:
    fake = FakeMetron(issues=20_000)
    for number in range(1, 120):  # more than a page
        fake.rename("series", number, f"Phantom Lost {'Twice' if number < 5 else 'Once'}")

    async def script(app: FastAPI) -> None:
        for typed in ("pha", "phan", "phantom", "phantom%20lost%20tw", "phantom%20lost%20twice"):
            assert (await browse(app, f"/api/typeahead?q={typed}")).status == 200

    in_app(fake, script)
    # The last one is found in the answer before it, which was complete.
    assert [asked.params["name"] for asked in fake.requests] == [
        "pha",
        "phan",
        "phantom",
        "phantom lost tw",
    ]


def test_answers_age_and_do_not_pile_up() -> None:
    fake = FakeMetron()

    async def main() -> None:
        async with AsyncMetron(token=fake.token, transport=fake.transport()) as metron:
            typeahead = Typeahead(metron, keep=60, most=3)
            for word in ("wolf", "knight", "ranger", "titan", "ghost"):
                await typeahead.suggest(word)
            assert list(typeahead._known) == ["ranger", "titan", "ghost"]
            await typeahead.suggest("ghosts")
            assert len(fake.requests) == 5
            await asyncio.sleep(61)
            await typeahead.suggest("ghosts")
            assert len(fake.requests) == 6
            assert fake.requests[-1].params == {"name": "ghosts"}

    run_virtual(main())


# --- Browsers that leave --------------------------------------------------------------------------


def test_a_browser_that_leaves_the_queue_spends_nothing() -> None:
    fake = FakeMetron()
    fake.latency = 0.1

    async def script(app: FastAPI) -> None:
        for number in range(1, 21):  # the minute's quota
            assert (await browse(app, f"/api/issues/{number}")).status == 200
        await asyncio.sleep(56.5)  # of the 60 s, less than two are left
        left = await browse(app, "/api/issues/21", leave_after=0.5)
        assert left.status == 499
        await asyncio.sleep(10)
        assert len(fake.requests) == 20
        assert (await browse(app, "/api/issues/22")).status == 200

    in_app(fake, script)
    assert [asked.status for asked in fake.requests] == [200] * 21


async def test_a_browser_that_hangs_up_wastes_nothing() -> None:
    """Real sockets: the browser's connection is closed while Metron thinks."""
    fake = FakeMetron(throttle=False)
    fake.latency = 0.4
    app = create_app(connects_to(fake))
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        async with httpx.AsyncClient(base_url=url) as browser:
            with pytest.raises(httpx.ReadTimeout):
                await browser.get("/api/issues/7", timeout=httpx.Timeout(5, read=0.1))
            await asyncio.sleep(0.6)  # what was sent comes to its end
            assert [asked.status for asked in fake.requests] == [200]  # no 499, which bans
            again = await browser.get("/api/issues/7")
            assert again.json()["id"] == 7
            quota = (await browser.get("/api/quota")).json()
            assert (quota["requests"], quota["from_cache"]) == (1, 1)
    finally:
        server.should_exit = True
        await serving
        listener.close()


# --- Answers --------------------------------------------------------------------------------------


async def test_pages_and_issues() -> None:
    fake = FakeMetron(throttle=False)
    app = create_app(connects_to(fake))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app") as browser,
    ):
        assert "AbortController" in (await browser.get("/")).text
        rows = (await browser.get("/api/series/8/issues")).json()
        assert [row["number"] for row in rows] == [str(number) for number in range(1, 12)]
        issue = (await browser.get(f"/api/issues/{rows[0]['id']}")).json()
        assert issue["series"] == "Amazing Phantom"
        assert {"creator", "roles"} == set(issue["credits"][0])
        assert (await browser.get("/api/series/8/issues?page=2")).status_code == 404
        assert (await browser.get("/api/issues/999999")).status_code == 404
        sent = len(fake.requests)
        for bad in ("/api/issues/0", "/api/issues/x", f"/api/issues/{2**40}"):
            assert (await browser.get(bad)).status_code == 422
        assert len(fake.requests) == sent
        assert (await browser.get("/api/quota")).json()["requests"] == sent


def test_a_spent_quota_is_a_503_that_says_when() -> None:
    fake = FakeMetron()

    async def script(app: FastAPI) -> Answer:
        for number in range(1, 21):
            await browse(app, f"/api/issues/{number}")
        began = asyncio.get_running_loop().time()
        refused = await browse(app, "/api/issues/21")
        assert asyncio.get_running_loop().time() - began < 0.1  # at once, not after two seconds
        known = await browse(app, "/api/issues/3")
        assert known.status == 200  # what is cached is served all the same
        await asyncio.sleep(int(refused.headers["retry-after"]))
        assert (await browse(app, "/api/issues/21")).status == 200
        return refused

    refused = in_app(fake, script)
    assert refused.status == 503
    assert 55 <= int(refused.headers["retry-after"]) <= 62
    assert "Too many requests" in refused.json["detail"]
    assert fake.throttled == 0


def test_a_bulk_job_of_another_program_leaves_a_slot_for_browsers() -> None:
    fake = FakeMetron()

    async def main() -> None:
        metron = AsyncMetron(token=fake.token, transport=fake.transport())
        app = create_app(lambda: metron)
        async with app.router.lifespan_context(app):
            bulk = metron.with_options(priority=Priority.BULK)

            async def job() -> None:
                async for _ in bulk.issues.fetch_many(range(1, 200)):
                    pass

            working = asyncio.create_task(job())
            await asyncio.sleep(90)
            assert (await browse(app, "/api/issues/299")).status == 200
            await asyncio.sleep(120)  # from now on the job is spaced
            for number in range(300, 310):
                assert (await browse(app, f"/api/issues/{number}")).status == 200
                await asyncio.sleep(7)
            working.cancel()

    run_virtual(main())
    assert fake.throttled == 0


@pytest.mark.parametrize(("status", "seen"), [(500, 502), (503, 502), (401, 502), (403, 502)])
def test_a_failing_server_is_no_fault_of_the_browser(status: int, seen: int) -> None:
    fake = FakeMetron()
    fake.faults.add(Fault.status(status), times=None)

    async def script(app: FastAPI) -> Answer:
        return await browse(app, "/api/issues/1")

    answer = in_app(fake, script, retries=0)
    assert answer.status == seen
    assert "token" not in answer.body.decode()


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (NotFoundError("x"), 404, None),
        (ValidationError("x", detail="Enter a number."), 422, None),
        (RateLimitError("x", scope="burst", retry_after=0.2), 503, 1),
        (RateLimitError("x", scope="sustained", retry_after=1799.1), 503, 1800),
        (BlockedError("x", reason="404s", retry_after=12.5), 503, 13),
        (RequestTimeoutError("x"), 504, None),
        (TransportError("x"), 502, None),
        (ServerError("x"), 502, None),
        (DecodeError("x"), 502, None),
        (AuthenticationError("x"), 502, None),
        (StorageError("x"), 503, 5),
        (ClosedError("x"), 503, 5),
        (UsageError("x"), 500, None),
        (MetronError("x"), 500, None),
    ],
)
def test_refusals(error: MetronError, status: int, retry_after: int | None) -> None:
    told = refusal(error)
    assert (told.status, told.retry_after) == (status, retry_after)
    assert told.message


def test_texts_are_compared_without_accents() -> None:
    assert plain("Señora ÉTÉ") == "senora ete"
    assert tidied("  The   WOLF ") == "the wolf"
    assert matching([], "wolf") == []


async def test_without_an_account_it_serves_a_made_up_catalogue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("METRON_TOKEN", raising=False)
    app = create_app()
    async with app.router.lifespan_context(app):
        answer = await browse(app, "/api/typeahead?q=knight")
    assert len(answer.json) > 2

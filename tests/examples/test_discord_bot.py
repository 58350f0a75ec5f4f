"""The Discord bot with the real discord.py, speaking to a server that plays Discord's."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import discord
import pytest
from aiohttp import web
from comic_desk import Card, Week
from discord_bot import ComicBot, buttons, embed_of_week

from metron_async import AsyncMetron
from metron_async.models import PullListIssue, SeriesRef
from metron_async.testing import FakeMetron, Fault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

APPLICATION = "100"
DEFERRED = 5
DEFERRED_UPDATE = 6


@dataclasses.dataclass
class Said:
    """One request of the bot to Discord."""

    method: str
    path: str
    body: Any
    metron_requests: int


class FakeDiscord:
    """Discord's REST interface, as far as the bot uses it."""

    def __init__(self, fake: FakeMetron) -> None:
        self.fake = fake
        self.said: list[Said] = []
        self.news = asyncio.Event()
        self.ids = iter(range(1000, 10_000))

    async def answer(self, request: web.Request) -> web.Response:
        raw = await request.read()
        body = json.loads(raw) if raw else None
        path = request.path
        self.said.append(Said(request.method, path, body, len(self.fake.requests)))
        self.news.set()
        if path == "/users/@me":
            return as_json(
                {"id": APPLICATION, "username": "b", "discriminator": "0", "avatar": None}
            )
        if path == "/oauth2/applications/@me":
            return as_json(_APPLICATION)
        if path.endswith("/commands"):
            commands = [dict(c, id="1", application_id=APPLICATION, version="1") for c in body]
            return as_json(commands)
        if path.endswith("/callback"):
            told = {"id": path.split("/")[2], "type": 2, "response_message_loading": True}
            return as_json({"interaction": told})
        return as_json(_message(str(next(self.ids))))

    async def until(self, method: str, path: str) -> Said:
        """Return the request with this path, when it has come."""
        async with asyncio.timeout(10):
            while True:
                for said in self.said:
                    if said.method == method and path in said.path:
                        return said
                self.news.clear()
                await self.news.wait()


_APPLICATION = {
    "id": APPLICATION,
    "name": "b",
    "icon": None,
    "description": "",
    "bot_public": True,
    "bot_require_code_grant": False,
    "verify_key": "",
    "flags": 0,
    "owner": {"id": "1", "username": "o", "discriminator": "0", "avatar": None},
}
_USER = {"id": "7", "username": "u", "discriminator": "0", "avatar": None, "global_name": None}


def _message(number: str) -> dict[str, Any]:
    return {
        "id": number,
        "channel_id": "5",
        "author": _USER,
        "content": "",
        "timestamp": "2026-01-01T00:00:00+00:00",
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "attachments": [],
        "embeds": [],
        "pinned": False,
        "type": 0,
    }


def as_json(value: Any) -> web.Response:
    # discord.py looks for exactly this type, without a charset.
    return web.Response(body=json.dumps(value).encode(), content_type="application/json")


class Person:
    """Somebody who talks to the bot: sends it what Discord's gateway would."""

    def __init__(self, bot: ComicBot, discord_: FakeDiscord) -> None:
        self.bot = bot
        self.discord = discord_
        self.count = 0

    def _interact(self, kind: int, data: dict[str, Any], **more: Any) -> str:
        self.count += 1
        token = f"interaction-{self.count}"
        payload: Any = {
            "id": str(self.count),
            "application_id": APPLICATION,
            "type": kind,
            "data": data,
            "token": token,
            "version": 1,
            "user": _USER,
            "channel_id": "5",
            "channel": {"id": "5", "type": 1, "recipients": [_USER], "last_message_id": None},
            "entitlements": [],
            "authorizing_integration_owners": {},
            "attachment_size_limit": 1,
            "app_permissions": "0",
        }
        self.bot._connection.parse_interaction_create(payload | more)
        return token

    def command(self, name: str, **options: Any) -> str:
        kinds = {str: 3, int: 4}
        given = [{"name": k, "type": kinds[type(v)], "value": v} for k, v in options.items()]
        return self._interact(2, {"id": "1", "name": name, "type": 1, "options": given})

    def press(self, custom_id: str) -> str:
        row = {"type": 1, "components": [_button(custom_id)]}
        message = _message("900") | {"components": [row]}
        return self._interact(3, {"custom_id": custom_id, "component_type": 2}, message=message)

    async def answer_to(self, token: str) -> Any:
        return (await self.discord.until("POST", f"/webhooks/{APPLICATION}/{token}")).body

    async def edit_of(self, token: str) -> Any:
        return (await self.discord.until("PATCH", f"/webhooks/{APPLICATION}/{token}")).body


def _button(custom_id: str) -> dict[str, Any]:
    return {"type": 2, "style": 2, "label": "x", "custom_id": custom_id}


@contextlib.asynccontextmanager
async def talking(
    fake: FakeMetron, monkeypatch: pytest.MonkeyPatch, channel: int | None = None
) -> AsyncIterator[Person]:
    """A bot that is logged in to the fake Discord, and somebody who talks to it."""
    discord_ = FakeDiscord(fake)
    server = web.Server(discord_.answer)
    runner = web.ServerRunner(server)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    monkeypatch.setattr(discord.http.Route, "BASE", f"http://127.0.0.1:{runner.addresses[0][1]}")

    def connect() -> AsyncMetron:
        return AsyncMetron(token=fake.token, transport=fake.transport(), retries=0)

    try:
        async with ComicBot(connect, channel) as bot:
            await bot.login("x.y.z")
            yield Person(bot, discord_)
    finally:
        await runner.cleanup()


def ids_of(body: Any) -> list[str]:
    return [item["custom_id"] for row in body["components"] for item in row["components"]]


async def test_the_commands_are_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    async with talking(FakeMetron(throttle=False), monkeypatch) as person:
        sent = await person.discord.until("PUT", "/commands")
        names = {c["name"]: [o["name"] for o in c["options"]] for c in sent.body}
        assert names == {"comic": ["series"], "pulls": ["weeks"]}


async def test_a_series_with_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeMetron(throttle=False)
    fake.latency = 0.05
    async with talking(fake, monkeypatch) as person:
        token = person.command("comic", series="amazing phantom")
        shown = await person.answer_to(token)
        (embed,) = shown["embeds"]
        assert embed["title"] == "Amazing Phantom (1968) #1"
        assert embed["image"]["url"].endswith("cover-81.jpg")
        assert embed["footer"]["text"].startswith("1 of 11")
        assert ids_of(shown) == ["comic:8:11", "comic:8:2"]

        # Discord was told that the bot thinks before anything was asked of Metron.
        deferred = await person.discord.until("POST", f"/{token}/callback")
        assert deferred.body["type"] == DEFERRED
        assert deferred.metron_requests == 0
        assert len(fake.requests) == 2

        token = person.press("comic:8:2")
        (embed,) = (await person.edit_of(token))["embeds"]
        assert embed["title"] == "Amazing Phantom (1968) #2"
        assert "image" not in embed  # it has no cover
        deferred = await person.discord.until("POST", f"/{token}/callback")
        assert deferred.body["type"] == DEFERRED_UPDATE
        assert len(fake.requests) == 2  # turning pages costs nothing


async def test_buttons_work_after_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeMetron(throttle=False)
    async with talking(fake, monkeypatch) as person:  # this bot has shown nothing so far
        edited = await person.edit_of(person.press("comic:8:11"))
        assert edited["embeds"][0]["title"] == "Amazing Phantom (1968) #11"
        assert ids_of(edited) == ["comic:8:10", "comic:8:1"]
        person.press("comic:999999:1")  # deleted since
        await person.discord.until("POST", "/interaction-2/callback")
        again = await person.edit_of(person.press("comic:8:3"))
        assert again["embeds"][0]["title"] == "Amazing Phantom (1968) #3"


async def test_unknown_series_and_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeMetron(throttle=False)
    async with talking(fake, monkeypatch) as person:
        said = await person.answer_to(person.command("comic", series="xqz"))
        assert said["content"] == "I know no comics called “xqz”."
        fake.faults.add(Fault.status(503), times=None)
        for token in (
            person.command("comic", series="wolf"),
            person.command("pulls"),
            person.press("comic:8:2"),
        ):
            assert "does not respond" in (await person.answer_to(token))["content"]


async def test_pulls(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeMetron(throttle=False)
    day = dt.datetime.now(tz=dt.UTC).date()
    monday = day + dt.timedelta(days=7 - day.weekday())
    fake.add_issue(1, "98", store_date=monday)
    async with talking(fake, monkeypatch, channel=55) as person:
        said = await person.answer_to(person.command("pulls", weeks=1))
        (embed,) = said["embeds"]
        assert embed["description"].startswith("Mon Uncanny Machine: Machine (2026) #98")
        await person.bot.post_week(monday)
        posted = await person.discord.until("POST", "/channels/55/messages")
        assert posted.body["embeds"] == said["embeds"]
        assert len(fake.requests) == 2


async def test_the_weekly_post_comes_on_wednesdays(monkeypatch: pytest.MonkeyPatch) -> None:
    posted: list[dt.date] = []

    class Clock(dt.datetime):
        day = 4  # a Wednesday

        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Clock:
            return cls(2026, 3, cls.day, tzinfo=tz)

    async def post_week(self: ComicBot, day: dt.date) -> None:
        posted.append(day)

    monkeypatch.setattr(ComicBot, "post_week", post_week)
    async with talking(FakeMetron(throttle=False), monkeypatch) as person:
        monkeypatch.setattr(dt, "datetime", Clock)
        for Clock.day in (3, 4, 5):
            await person.bot.weekly()
    assert posted == [dt.date(2026, 3, 4)]


async def test_closing_ends_the_client_of_metron(monkeypatch: pytest.MonkeyPatch) -> None:
    async with talking(FakeMetron(throttle=False), monkeypatch, channel=1) as person:
        metron = person.bot.metron
        assert metron is not None
        assert person.bot.weekly.is_running()
    with pytest.raises(RuntimeError):
        await metron.issues.get(1)
    await asyncio.sleep(0)
    assert not person.bot.weekly.is_running()


def test_a_long_week_fits_into_an_embed() -> None:
    issue = PullListIssue(
        id=1,
        series=SeriesRef(id=1, name="x", volume=1, year_began=2026),
        number="1",
        issue_name="x" * 90,
        cover_date=dt.date(2026, 1, 1),
        store_date=dt.date(2026, 1, 1),
        modified=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    )
    text = embed_of_week(Week(dt.date(2026, 1, 1), (issue,) * 200)).description
    assert text is not None
    assert 3900 < len(text) <= 4096
    shown = text.count("xxx\n")
    assert text.endswith(f"... and {200 - shown} more")


@pytest.mark.parametrize(("total", "expected"), [(1, 0), (2, 1), (3, 2)])
async def test_as_many_buttons_as_there_are_ways(total: int, expected: int) -> None:
    card = Card(1, "t", "x", None, 1, total)
    assert len(buttons(card).children) == expected

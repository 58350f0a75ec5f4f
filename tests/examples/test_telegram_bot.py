"""The Telegram bot with the real python-telegram-bot; what it would send is recorded."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
from typing import TYPE_CHECKING, Any

from comic_desk import Card
from telegram import Update
from telegram.request import BaseRequest
from telegram_bot import ComicBot, build, buttons, send_long

from metron_async import AsyncMetron
from metron_async.testing import FakeMetron, Fault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest
    from telegram.request import RequestData

BOT = {"id": 1, "is_bot": True, "first_name": "b", "username": "comic_bot"}
HUMAN = {"id": 7, "is_bot": False, "first_name": "h"}
CHAT = {"id": 7, "type": "private", "first_name": "h"}


class FakeTelegram(BaseRequest):
    """Telegram, as the library's own interface for requests sees it."""

    def __init__(self) -> None:
        self.said: list[tuple[str, dict[str, Any]]] = []
        self.refuse: dict[str, str] = {}

    @property
    def read_timeout(self) -> float | None:
        return 5.0

    async def initialize(self) -> None:
        pass

    async def shutdown(self) -> None:
        pass

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, **_: Any
    ) -> tuple[int, bytes]:
        call = url.rpartition("/")[2]
        given = dict(request_data.parameters) if request_data else {}
        self.said.append((call, given))
        if call in self.refuse:
            refusal = {"ok": False, "error_code": 400, "description": self.refuse[call]}
            return 400, json.dumps(refusal).encode()
        result: Any = True
        if call == "getMe":
            result = BOT
        elif call in {"sendMessage", "editMessageText"}:
            result = message(given.get("text", ""), sender=BOT)
        return 200, json.dumps({"ok": True, "result": result}).encode()

    def sent(self, call: str) -> list[dict[str, Any]]:
        return [given for name, given in self.said if name == call]


def message(text: str, sender: dict[str, Any] = HUMAN) -> dict[str, Any]:
    command = text.split(" ", maxsplit=1)[0]
    entities = [{"type": "bot_command", "offset": 0, "length": len(command)}]
    return {
        "message_id": 5,
        "date": 1_700_000_000,
        "chat": CHAT,
        "from": sender,
        "text": text,
        "entities": entities if text.startswith("/") else [],
    }


class Person:
    def __init__(self, application: Any, telegram: FakeTelegram) -> None:
        self.application = application
        self.telegram = telegram

    async def _update(self, **what: Any) -> None:
        update = Update.de_json({"update_id": 1, **what}, self.application.bot)
        await self.application.process_update(update)

    async def says(self, text: str) -> None:
        await self._update(message=message(text))

    async def presses(self, data: str) -> None:
        query = {"id": "9", "from": HUMAN, "chat_instance": "c", "data": data}
        await self._update(callback_query=query | {"message": message("x", sender=BOT)})


@contextlib.asynccontextmanager
async def talking(fake: FakeMetron) -> AsyncIterator[Person]:
    bot = ComicBot(lambda: AsyncMetron(token=fake.token, transport=fake.transport(), retries=0))
    telegram = FakeTelegram()
    application = build("1:x", bot, telegram, telegram)
    async with application:
        await bot.start(application)
        try:
            yield Person(application, telegram)
        finally:
            await bot.stop(application)


async def test_a_series_with_pages() -> None:
    fake = FakeMetron(throttle=False)
    async with talking(fake) as person:
        await person.says("/comic amazing phantom")
        (shown,) = person.telegram.sent("sendMessage")
        assert shown["text"].splitlines()[0] == "Amazing Phantom (1968) #1"
        assert shown["link_preview_options"]["url"].endswith("cover-81.jpg")
        ((before, after),) = shown["reply_markup"]["inline_keyboard"]
        assert (before["callback_data"], after["callback_data"]) == ("comic:8:11", "comic:8:2")
        assert len(fake.requests) == 2

        await person.presses(after["callback_data"])
        (edited,) = person.telegram.sent("editMessageText")
        assert edited["text"].splitlines()[0] == "Amazing Phantom (1968) #2"
        assert edited["link_preview_options"] == {
            "is_disabled": True,
            "prefer_large_media": True,
            "show_above_text": True,
        }  # it has no cover
        calls = [name for name, _ in person.telegram.said]
        assert calls.index("answerCallbackQuery") < calls.index("editMessageText")
        assert len(fake.requests) == 2  # turning pages costs nothing


async def test_questions_without_an_answer() -> None:
    fake = FakeMetron(throttle=False)
    async with talking(fake) as person:
        await person.says("/comic")
        assert len(fake.requests) == 0
        await person.says("/comic xqz")
        await person.presses("comic:999999:1")  # deleted since
        await person.presses("something else")
        texts = [sent["text"] for sent in person.telegram.sent("sendMessage")]
        assert texts == ["Which one? For example: /comic wolf", "I know no comics called “xqz”."]
        assert person.telegram.sent("editMessageText") == []


async def test_failures_are_told() -> None:
    fake = FakeMetron(throttle=False)
    fake.faults.add(Fault.status(503), times=None)
    async with talking(fake) as person:
        await person.says("/comic wolf")
        await person.says("/pulls")
        await person.presses("comic:8:2")
        texts = [sent["text"] for sent in person.telegram.sent("sendMessage")]
        assert len(texts) == 3
        assert all("does not respond" in text for text in texts)


async def test_a_second_press_of_the_same_button_is_no_failure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with talking(FakeMetron(throttle=False)) as person:
        person.telegram.refuse["editMessageText"] = "Bad Request: message is not modified"
        await person.presses("comic:8:2")
        assert not caplog.records
        person.telegram.refuse["editMessageText"] = "Bad Request: message to edit not found"
        await person.presses("comic:8:2")
        assert "message to edit not found" in caplog.text.lower()


async def test_pulls() -> None:
    fake = FakeMetron(throttle=False)
    day = dt.datetime.now(tz=dt.UTC).date()
    fake.add_issue(1, "98", store_date=day - dt.timedelta(days=day.weekday()))
    async with talking(fake) as person:
        await person.says("/pulls")
        (sent,) = person.telegram.sent("sendMessage")
        assert "Mon Uncanny Machine: Machine (2026) #98" in sent["text"]
        assert len(fake.requests) == 1


async def test_one_that_waits_keeps_nobody_waiting() -> None:
    application = build("1:x", ComicBot(), FakeTelegram(), FakeTelegram())
    assert application.concurrent_updates > 1
    assert application.post_init is not None
    assert application.post_shutdown is not None


async def test_a_long_week_takes_several_messages() -> None:
    said: list[str] = []

    class Message:
        async def reply_text(self, text: str) -> None:
            said.append(text)
            await asyncio.sleep(0)

    anything: Any = Message()
    await send_long(anything, ["x" * 99] * 100)
    assert [len(text) for text in said] == [4000, 4000, 2000]


def test_a_single_issue_has_no_buttons() -> None:
    assert buttons(Card(1, "t", "x", None, 1, 1)) is None

"""A Telegram bot that shows comics: ``/comic`` and ``/pulls``.

Without a Metron account it shows a made-up catalogue. With METRON_TOKEN set, it reads from
metron.cloud::

    python -m pip install python-telegram-bot
    TELEGRAM_TOKEN=... METRON_TOKEN=... python examples/telegram_bot.py
"""

from __future__ import annotations

import datetime as dt
import os
import sys
from typing import TYPE_CHECKING, Any, TypeAlias

from comic_desk import Desk, apology
from telegram import (
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    Message,
    Update,
)
from telegram.error import BadRequest
from telegram.ext import Application, ApplicationBuilder, CallbackQueryHandler, CommandHandler
from telegram.ext import ContextTypes as Types

from metron_async import AsyncMetron, MetronError

if TYPE_CHECKING:
    from collections.abc import Callable

    from comic_desk import Card
    from telegram.request import BaseRequest

    App: TypeAlias = Application[Any, Any, Any, Any, Any, Any]
    Context: TypeAlias = Types.DEFAULT_TYPE

LONGEST = 4096  # letters in a message


def connect() -> AsyncMetron:
    """Return a client for metron.cloud if there is an account, else for a made-up server."""
    if os.environ.get("METRON_TOKEN"):
        return AsyncMetron(user_agent="metron_async-telegram-bot/1.0")
    from metron_async.testing import FakeMetron

    fake = FakeMetron()
    return AsyncMetron(token=fake.token, transport=fake.transport())


def look_of(card: Card) -> dict[str, Any]:
    """Lay out one issue.

    The cover is the preview of a link. A photograph would look the same, but Telegram cannot edit a
    message with a photograph into one without, and not every issue has a cover.
    """
    preview = LinkPreviewOptions(
        is_disabled=card.cover is None,
        url=card.cover,
        prefer_large_media=True,
        show_above_text=True,
    )
    return {
        "text": f"{card.title}\n{card.text}\n{card.position} of {card.total}",
        "link_preview_options": preview,
        "reply_markup": buttons(card),
    }


def buttons(card: Card) -> InlineKeyboardMarkup | None:
    """Return the buttons below *card*; they carry all they need, and outlive a restart."""
    if card.total == 1:
        return None
    before = card.position - 1 or card.total  # the buttons lead round
    after = card.position % card.total + 1
    row = [
        InlineKeyboardButton(label, callback_data=f"comic:{card.series_id}:{position}")
        for label, position in (("◀", before), ("▶", after))
    ]
    return InlineKeyboardMarkup([row])


class ComicBot:
    """The bot's handlers, and what they share.

    Args:
        connect: Makes the client of Metron when the bot starts.
    """

    def __init__(self, connect: Callable[[], AsyncMetron] = connect) -> None:
        self._connect = connect
        self.metron: AsyncMetron | None = None

    async def start(self, _: App) -> None:
        """Open what the bot needs, on the event loop that it runs on."""
        self.metron = self._connect()
        self.desk = Desk(self.metron)

    async def stop(self, _: App) -> None:
        """Close it."""
        if self.metron is not None:
            await self.metron.aclose()

    async def comic(self, update: Update, context: Context) -> None:
        """Answer ``/comic wolf``: the first issue of a series, with buttons to turn pages."""
        message = update.effective_message
        if message is None:
            return
        words = " ".join(context.args or ())
        if not words:
            await message.reply_text("Which one? For example: /comic wolf")
            return
        await message.reply_chat_action("typing")
        try:
            found = await self.desk.find(words)
            card = await self.desk.card(found.id) if found is not None else None
        except MetronError as error:
            await message.reply_text(apology(error))
            return
        if card is None:
            await message.reply_text(f"I know no comics called “{words}”.")
        else:
            await message.reply_text(**look_of(card))

    async def turn(self, update: Update, _: Context) -> None:
        """Turn to another issue, in the same message."""
        query = update.callback_query
        if query is None or query.data is None:
            return
        await query.answer()  # at once: Telegram does not wait as long as Metron may take
        series, position = query.data.split(":")[1:]
        try:
            card = await self.desk.card(int(series), int(position))
        except MetronError as error:
            if update.effective_message is not None:
                await update.effective_message.reply_text(apology(error))
            return
        if card is not None:
            await _edit(query, card)

    async def pulls(self, update: Update, _: Context) -> None:
        """Answer ``/pulls``: the week's issues of the series on the account's pull list."""
        message = update.effective_message
        if message is None:
            return
        try:
            week = await self.desk.week(dt.datetime.now(tz=dt.UTC).date())
        except MetronError as error:
            await message.reply_text(apology(error))
            return
        await send_long(message, [week.title, "", *week.lines])


async def _edit(query: CallbackQuery, card: Card) -> None:
    try:
        await query.edit_message_text(**look_of(card))
    except BadRequest as error:
        # Two quick presses of one button: the second changes nothing, and Telegram complains.
        if "not modified" not in str(error):
            raise


async def send_long(message: Message, lines: list[str]) -> None:
    """Send *lines* in as many messages as it takes."""
    text = ""
    for line in lines:
        if len(text) + len(line) + 1 > LONGEST:
            await message.reply_text(text)
            text = ""
        text += line + "\n"
    await message.reply_text(text)


def build(
    token: str,
    bot: ComicBot,
    request: BaseRequest | None = None,
    updates: BaseRequest | None = None,
) -> App:
    """Wire the handlers to the library.

    Args:
        token: The bot's token at Telegram.
        bot: The handlers.
        request: How to reach Telegram; a test hands in its own.
        updates: The same for the poll that asks what is new.
    """
    # Left alone, the library handles one message after the other, and one that waits for a place
    # in Metron's queue would keep everybody waiting.
    builder = ApplicationBuilder().token(token).concurrent_updates(True)
    if request is not None:
        builder = builder.request(request)
    if updates is not None:
        builder = builder.get_updates_request(updates)
    application = builder.build()
    application.post_init, application.post_shutdown = bot.start, bot.stop
    application.add_handler(CommandHandler("comic", bot.comic))
    application.add_handler(CommandHandler("pulls", bot.pulls))
    application.add_handler(CallbackQueryHandler(bot.turn, pattern=r"^comic:\d+:\d+$"))
    return application


def main() -> int:
    """Run the bot until it is stopped."""
    token = os.environ.get("TELEGRAM_TOKEN")
    if not token:
        print("error: TELEGRAM_TOKEN is not set", file=sys.stderr)
        return 2
    build(token, ComicBot()).run_polling()
    return 0


if __name__ == "__main__":
    sys.exit(main())

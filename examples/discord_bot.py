"""A Discord bot that shows comics: ``/comic`` and ``/pulls``, and a post every Wednesday.

Without a Metron account it shows a made-up catalogue. With METRON_TOKEN set, it reads from
metron.cloud::

    python -m pip install discord.py
    DISCORD_TOKEN=... METRON_TOKEN=... python examples/discord_bot.py --channel 123456789

Discord expects a response to a command within three seconds. So each handler first defers the
response. Then it queues for the account's twenty requests a minute.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import sys
from typing import TYPE_CHECKING, Any

import discord
from comic_desk import Desk, apology
from discord import app_commands
from discord.ext import tasks

from metron_async import AsyncMetron, MetronError

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

    from comic_desk import Card, Week

LONGEST = 4096  # letters in the text of an embed


def connect() -> AsyncMetron:
    """Return a client for metron.cloud if there is an account, else for a made-up server."""
    if os.environ.get("METRON_TOKEN"):
        return AsyncMetron(user_agent="metron_async-discord-bot/1.0")
    from metron_async.testing import FakeMetron

    fake = FakeMetron()
    return AsyncMetron(token=fake.token, transport=fake.transport())


# --- What a message looks like --------------------------------------------------------------------


def embed_of(card: Card) -> discord.Embed:
    """Lay out one issue."""
    embed = discord.Embed(title=card.title, description=card.text)
    embed.set_image(url=card.cover)
    embed.set_footer(text=f"{card.position} of {card.total}. Data: metron.cloud")
    return embed


def embed_of_week(week: Week) -> discord.Embed:
    """Lay out a week."""
    text = ""
    for count, line in enumerate(week.lines):
        rest = f"... and {len(week.lines) - count} more"
        if len(text) + len(line) + len(rest) + 2 > LONGEST:
            text += rest
            break
        text += line + "\n"
    return discord.Embed(title=week.title, description=text)


class Turn(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"comic:(?P<series>\d+):(?P<position>\d+)",
):
    """A button that turns to another issue.

    Its id holds all it needs. So it works at any time, also after the bot was restarted, and no
    state is kept for old messages.
    """

    def __init__(self, series: int, position: int, label: str = "") -> None:
        self.series = series
        self.position = position
        button: discord.ui.Button[discord.ui.View] = discord.ui.Button(
            label=label or "turn", custom_id=f"comic:{series}:{position}"
        )
        super().__init__(button)

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 - the library's signature
        item: discord.ui.Item[Any],  # noqa: ARG003
        match: re.Match[str],
    ) -> Turn:
        """Read a button that was pressed."""
        return cls(int(match["series"]), int(match["position"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Show the other issue in the same message."""
        await interaction.response.defer()  # within three seconds, whatever comes
        bot: ComicBot = interaction.client
        try:
            card = await bot.desk.card(self.series, self.position)
        except MetronError as error:
            await interaction.followup.send(apology(error), ephemeral=True)
            return
        if card is not None:
            await interaction.edit_original_response(embed=embed_of(card), view=buttons(card))


def buttons(card: Card) -> discord.ui.View:
    """Return the buttons below *card*."""
    view = discord.ui.View(timeout=None)
    if card.total > 1:
        before = card.position - 1 or card.total  # the buttons lead round
        view.add_item(Turn(card.series_id, before, "◀"))
        # In a series of two both lead to the same one, and one button is enough.
        if card.total > 2:  # noqa: PLR2004
            view.add_item(Turn(card.series_id, card.position % card.total + 1, "▶"))
    return view


# --- The bot --------------------------------------------------------------------------------------


class ComicBot(discord.Client):
    """The bot: one client of Metron for all the servers that it is on.

    Args:
        connect: Makes the client of Metron when the bot starts.
        channel: Id of the channel for the weekly post, or ``None``.
    """

    def __init__(
        self, connect: Callable[[], AsyncMetron] = connect, channel: int | None = None
    ) -> None:
        super().__init__(intents=discord.Intents.default())
        self._connect = connect
        self._channel = channel
        self.metron: AsyncMetron | None = None
        self.tree = app_commands.CommandTree(self)
        self.tree.command(name="comic", description="Show a series")(comic)
        self.tree.command(name="pulls", description="What the pull list brings")(pulls)
        self.add_dynamic_items(Turn)

    async def setup_hook(self) -> None:
        """Open what the bot needs; discord.py calls this once, after logging in."""
        self.metron = self._connect()
        self.desk = Desk(self.metron)
        await self.tree.sync()
        if self._channel is not None:
            self.weekly.start()

    async def close(self) -> None:
        """Leave Discord, then Metron."""
        self.weekly.cancel()
        await super().close()
        if self.metron is not None:
            await self.metron.aclose()

    @tasks.loop(time=dt.time(8, tzinfo=dt.UTC))
    async def weekly(self) -> None:
        """Post the week's comics, on Wednesdays."""
        today = dt.datetime.now(tz=dt.UTC).date()
        if today.isoweekday() == 3:  # noqa: PLR2004
            await self.post_week(today)

    async def post_week(self, day: dt.date) -> None:
        """Post the comics of the week of *day*, however long it takes to get them."""
        assert self._channel is not None  # noqa: S101 - it is not started without
        week = await self.desk.week(day, asked=False)
        channel = self.get_partial_messageable(self._channel)
        await channel.send(embed=embed_of_week(week))


@app_commands.describe(series="Words of its name")
async def comic(interaction: discord.Interaction[ComicBot], series: str) -> None:
    """Answer ``/comic``: the first issue of a series, with buttons to turn pages."""
    await interaction.response.defer(thinking=True)
    desk = interaction.client.desk
    try:
        found = await desk.find(series)
        card = await desk.card(found.id) if found is not None else None
    except MetronError as error:
        await interaction.followup.send(apology(error))
        return
    if card is None:
        await interaction.followup.send(f"I know no comics called “{series}”.")
    else:
        await interaction.followup.send(embed=embed_of(card), view=buttons(card))


@app_commands.describe(weeks="0 for this week, 1 for the next one")
async def pulls(
    interaction: discord.Interaction[ComicBot], weeks: app_commands.Range[int, -52, 12] = 0
) -> None:
    """Answer ``/pulls``: the week's issues of the series on the account's pull list."""
    await interaction.response.defer(thinking=True)
    day = dt.datetime.now(tz=dt.UTC).date() + dt.timedelta(weeks=weeks)
    try:
        week = await interaction.client.desk.week(day)
    except MetronError as error:
        await interaction.followup.send(apology(error))
        return
    await interaction.followup.send(embed=embed_of_week(week))


def main() -> int:
    """Run the bot until it is stopped."""
    parser = argparse.ArgumentParser(description="A Discord bot that shows comics.")
    parser.add_argument("--channel", type=int, help="id of the channel for the weekly post")
    arguments = parser.parse_args()
    token = os.environ.get("DISCORD_TOKEN")
    if not token:
        print("error: DISCORD_TOKEN is not set", file=sys.stderr)
        return 2
    ComicBot(channel=arguments.channel).run(token)
    return 0


if __name__ == "__main__":
    sys.exit(main())

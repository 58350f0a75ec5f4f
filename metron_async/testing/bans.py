"""The firewall in front of the server: it counts per client address, and bans addresses.

Pure: it takes events of the proxy with their times, and returns bans.
"""

from __future__ import annotations

from collections import defaultdict, deque
from typing import NamedTuple

__all__ = ["RULES", "Ban", "Firewall", "Rule", "denied_agent"]

_HOUR = 3600.0
_DAY = 24 * _HOUR


class Rule(NamedTuple):
    """A threshold of the firewall.

    Attributes:
        event: A status, or ``"no user agent"`` or ``"comictagger"``.
        threshold: Number of events that brings a ban.
        period: Seconds in which they must lie.
        ban: Length of the ban in seconds.
    """

    event: str
    threshold: int
    period: float
    ban: float


RULES = (
    Rule("401", 3, 300, _DAY),
    Rule("403", 10, 300, _DAY),
    Rule("404", 20, 120, _HOUR),
    Rule("429", 30, 60, _HOUR),
    Rule("499", 20, 60, _HOUR),
    Rule("no user agent", 5, 60, _DAY),
    Rule("comictagger", 1, 60, _DAY),
)

_DENIED = (
    "ClickWhir",
    "cards_analize-local-comics-catalog",
    "cataloggd",
    "ComicVault/1.0",
    "CloneVine-Metron/1.0",
    "comic-metadata-client/1.0",
    "LinkupBot",
    "f-read-metron-dump",
    "ComicShelf-Server",
    "Variant/1.0",
)


class Ban(NamedTuple):
    """A ban of one address.

    Attributes:
        client: The address.
        event: The event that brought the ban.
        since: When it began, in the server's steady seconds.
        until: When it ends.
    """

    client: str
    event: str
    since: float
    until: float


def denied_agent(agent: str) -> bool:
    """Return whether the anti-bot proxy sends its page to this User-Agent."""
    return any(word in agent for word in _DENIED)


class Firewall:
    """Counter of events per address, with all bans so far."""

    def __init__(self, rules: tuple[Rule, ...] = RULES) -> None:
        self.rules: dict[str, Rule] = {rule.event: rule for rule in rules}
        self.bans: list[Ban] = []
        self._events: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)
        self._current: dict[str, Ban] = {}

    def banned(self, client: str, now: float) -> Ban | None:
        """Return the ban of *client* at *now*, or ``None``."""
        ban = self._current.get(client)
        if ban is not None and now >= ban.until:
            del self._current[client]
            return None
        return ban

    def count(self, client: str, event: str, now: float) -> Ban | None:
        """Count one event, and return the ban that it brings, or ``None``."""
        rule = self.rules.get(event)
        if rule is None:
            return None
        times = self._events[client, event]
        times.append(now)
        while times[0] <= now - rule.period:
            times.popleft()
        if len(times) < rule.threshold or client in self._current:
            return None
        times.clear()
        ban = Ban(client, event, now, now + rule.ban)
        self._current[client] = ban
        self.bans.append(ban)
        return ban

    def forgive(self, client: str | None = None) -> None:
        """Lift the ban of *client*, or all bans, and drop its counts."""
        for key in [key for key in self._events if client in {None, key[0]}]:
            del self._events[key]
        for address in [address for address in self._current if client in {None, address}]:
            del self._current[address]

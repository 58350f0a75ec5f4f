"""The tables: what is shown of the data, and which way is better. Pure."""

from collections.abc import Callable
from typing import Any, NamedTuple

OURS, MOKKARI, HISHEL, HTTPX = "metron_async", "mokkari", "hishel", "httpx"
CLIENTS = (OURS, MOKKARI, HISHEL, HTTPX)
LEAN = "metron_async, cache=None, quota in memory"

Line = dict[str, Any]


class Column(NamedTuple):
    """One column of a table.

    Attributes:
        title: Its head.
        show: Writes the value.
        key: Where the value is found in a line.
        better: Whether less is better (-1), more (1), or neither (0).
    """

    title: str
    key: str
    show: Callable[[Any], str] = str
    better: int = 0


class Table(NamedTuple):
    """One table, with what is to be known of it."""

    key: str
    title: str
    text: str
    columns: tuple[Column, ...]


def tenth(value: float) -> str:
    """Return a number with one decimal."""
    return f"{value:,.1f}"


def whole(value: float) -> str:
    """Return a number without decimals."""
    return f"{value:,.0f}"


def percent(value: float) -> str:
    """Return a share."""
    return f"{value:.1%}"


def seconds(value: float) -> str:
    """Return seconds, as exactly as they matter."""
    return f"{value:.2f} s" if value < 10 else f"{value:.0f} s"


def banned(events: list[str]) -> str:
    """Say for what the address would have been banned."""
    return f"**yes** ({', '.join(events)}s)" if events else "no"


REQUESTS = Column("requests", "requests", whole, -1)
THROTTLED = Column("429s", "throttled", whole, -1)
MINUTES = Column("minutes", "minutes", tenth, -1)
BANS = Column("address banned", "bans", banned)
P50 = Column("median wait", "p50", seconds, -1)
P95 = Column("95th percentile", "p95", seconds, -1)

TABLES = (
    Table(
        "walk",
        "A series of 1,000 issues with all details, twice",
        "Five issues are changed between the two runs. Counted without a quota; the time is the "
        "least that so many requests take at 20 a minute. What misses a change is no bargain.",
        (
            Column("first run", "first", whole, -1),
            Column("second run", "requests", whole, -1),
            Column("of these 304", "not_modified", whole),
            Column("minutes", "minutes", whole, -1),
            Column("changes found", "found", lambda found: f"{found} of 5"),
        ),
    ),
    Table(
        "refresh",
        "1,000 known issues, of which 5 have changed",
        "Counted like the above. A list of what has changed costs one page: here asked for with "
        "`iter(modified_gt=...).details()`, and with mokkari by hand.",
        (
            REQUESTS,
            Column("of these 304", "not_modified", whole),
            Column("minutes", "minutes", whole, -1),
            Column("changes found", "found", lambda found: f"{found} of 5"),
        ),
    ),
    Table(
        "tag",
        "150 files to tag by series and number",
        "For each file a search and the issue found, one after the other, by the same program; "
        "and, as another one, with one list for each of the 15 series. *Again* is the same folder "
        "once more, right after.",
        (REQUESTS, THROTTLED, MINUTES, Column("again", "again", whole, -1)),
    ),
    Table(
        "match",
        "215 files to identify",
        "Names of real files, harder ones, and 150 files of 15 series, among decoys: the same name "
        "in other years and volumes, near names, same numbers. metron_async by `match_many`; "
        "mokkari as metron-tagger asks, by the series' name and the number, where of several "
        "answers the one is taken whose cover is at most 10 bits away. Counted without a quota.",
        (
            Column("right", "right", whole, 1),
            Column("wrong", "wrong", whole, -1),
            Column("undecided", "undecided", whole),
            REQUESTS,
            Column("minutes", "minutes", whole, -1),
        ),
    ),
    Table(
        "read",
        "A reading list of 120 items to import",
        "The list's three pages, and each issue in full. metron_async does this in its bulk lane, "
        "which leaves a slot to others. *Again* is the same list once more; a reading list is "
        "private, and metron_async asks for it anew each time.",
        (REQUESTS, THROTTLED, MINUTES, Column("again", "again", whole, -1)),
    ),
    Table(
        "sync",
        "A sync after a day",
        "40 of 1,500 issues have changed and 10 are new. metron_async keeps a `Mirror`; the others "
        "ask with `modified_gt`, and fetch what is listed. The changed ones had been seen before, "
        "so that a cache can be wrong about them.",
        (REQUESTS, THROTTLED, MINUTES, Column("changes found", "found", lambda f: f"{f} of 50")),
    ),
    Table(
        "chat",
        "The week's releases, asked for by 50 chat users at once",
        "And by 50 others a minute later.",
        (REQUESTS, THROTTLED, BANS, P50, P95),
    ),
    Table(
        "typeahead",
        "A typeahead with 50 users",
        "Each types a word within the same minute, and with each key the search before is given "
        "up, as when a browser disconnects. Waits are for the answer to the whole word. mokkari "
        "cannot be interrupted: its threads go on.",
        (
            REQUESTS,
            THROTTLED,
            Column("connections cut (499)", "left", whole, -1),
            BANS,
            P50,
            P95,
        ),
    ),
    Table(
        "interactive",
        "An interactive call every 40 s beside a saturated bulk job",
        "For ten minutes. The share is that of the quota's 200 requests that brought an answer; "
        "where it is above 100 %, the ten minutes hold eleven bursts.",
        (REQUESTS, THROTTLED, BANS, Column("share of the quota", "share", percent, 1), P50, P95),
    ),
)


def cell(column: Column, line: Line) -> str:
    """Return one cell."""
    return column.show(line[column.key])


def draw(table: Table, lines: list[Line]) -> str:
    """Return a table in Markdown."""
    heads = ["client", *(column.title for column in table.columns)]
    rows = [[line["client"], *(cell(column, line) for column in table.columns)] for line in lines]
    return grid(heads, rows)


def grid(heads: list[str], rows: list[list[str]]) -> str:
    """Return cells as a table in Markdown."""
    lines = [heads, ["---", *("---:" for _ in heads[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def right(line: Line) -> bool:
    """Return whether a client found what there was to be found."""
    return bool(line.get("found") == line.get("of"))


def ahead(table: Table, lines: list[Line]) -> list[str]:
    """Tell in which columns a peer that was right is better than this package."""
    mine, told = lines[0], []
    for column in table.columns:
        if not column.better:
            continue
        for line in lines[1:]:
            ours, theirs = float(mine[column.key]), float(line[column.key])
            lead = (ours - theirs) if column.better < 0 else (theirs - ours)
            if lead > 0.02 * max(ours, theirs) and right(line) and OURS not in line["client"]:
                told.append(
                    f"{table.title}: {column.title}, {line['client']} {cell(column, line)}, "
                    f"metron_async {cell(column, mine)}"
                )
    return told


SUMMARY = (
    ("walk", "a series of 1,000 issues, walked again"),
    ("refresh", "1,000 known issues, refreshed"),
    ("tag", "150 files tagged"),
    ("read", "a reading list of 120 items imported"),
    ("sync", "a sync after a day"),
    ("chat", "the week's releases, 100 users"),
    ("typeahead", "a typeahead, 50 users"),
    ("interactive", "interactive calls beside a bulk job"),
)


FLEET_JOBS = (
    ("walk", "a series of 200 issues, walked again after 5 changes"),
    ("refresh", "200 known issues, refreshed after 5 changes"),
    ("tag", "30 files tagged"),
    ("read", "a reading list of 120 items imported"),
    ("sync", "a sync after a day: 40 issues changed, 10 new"),
    ("chat", "the week's releases, 100 users"),
    ("typeahead", "a typeahead, 50 users"),
    ("interactive", "interactive calls beside a bulk job of 100 issues"),
)


def summary(results: dict[str, Any]) -> str:
    """Return the table of requests and 429s of all workloads."""
    rows = []
    for key, title in SUMMARY:
        by_client = {line["client"]: line for line in results[key]}
        cells = [title]
        for client in CLIENTS:
            line = by_client[client]
            shown = whole(line["requests"])
            if line.get("throttled"):
                shown += f" ({whole(line['throttled'])} 429s)"
            if line.get("bans"):
                shown += ", **banned**"
            if not right(line):
                shown += f", missed {line['of'] - line['found']} of {line['of']} changes"
            cells.append(shown)
        rows.append(cells)
    return grid(["requests", *CLIENTS], rows)

"""Writes ``RESULTS.md``, and the parts of other pages that repeat it. Pure but for the writing."""

import re
from pathlib import Path
from typing import Any

from benchmarks.report import charts
from benchmarks.report.claims import COSTS, claims, peers_ahead, promises
from benchmarks.report.tables import FLEET_JOBS, HTTPX, TABLES, draw, grid, summary

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"
Results = dict[str, Any]

PREFACE = """# Benchmarks

Made by `python -m nox -s bench`, in one run; do not edit. The server is FakeMetron, in a process of
its own, over a real socket; requests, 429s and bans are counted by it. Every request that it
answers costs the account a slot of the minute and of the day, 429s and 304s as well: *requests* is
what was burned.

The same work is done by this package with its defaults (SQLite quota and cache), by mokkari with
its limiter and its cache in threads, by hishel on httpx (a private cache by the rules of HTTP,
which takes what has not changed for long as fresh), and by httpx alone. The last two wait after a
429 as the server says. mokkari raises after a 429, and is called again when it says.

Where it says *minutes* or *wait*, the server's minute was six seconds long and everything else
(round trips of 100 to 500 ms, typing) ten times faster as well; the figures are those of real life.
Computing is not faster, so it weighs ten times as much there: waits under a second are mostly
that, and a busy machine makes them longer. Absolute times are this machine's; ratios travel better.
"""

BEHIND = """Everything in which one that found all changes is more than 2 % better, from the data.
"""

FLEET = """Every process does the whole job, all at the same moment, as web workers do that are
asked the same. Counted without a quota; a round trip takes 50 ms. metron_async shares a directory
or a Redis server, and keeps private data there. mokkari shares the quota by its Redis limiter, and
its cache file where the processes are on one machine; it finds none of the changes, as above.
"""

COST = """Without a quota, so that only work is measured, in turn, medians. In brackets: times httpx
with msgspec. mokkari's CPU includes its threads. `import metron_async` alone loads nothing, so what
is imported is `AsyncMetron`. Memory is the growth of the process at its peak; mokkari gives a list
as a whole.
"""


def costs(results: Results) -> str:
    """Return the table of what is spent on this side."""
    clients = list(results["call"])
    rows = []
    for client in clients:
        cells = [client]
        for key, _, unit in COSTS:
            value = results[key].get(client)
            base = results[key].get(HTTPX)
            shown = "" if value is None else f"{value:,.0f} {unit}"
            if value is not None and base and key != "memory":
                shown += f" ({value / base:.2f}x)"
            cells.append(shown)
        rows.append(cells)
    return grid(["client", *(title for _, title, _ in COSTS)], rows)


def fleet(results: Results) -> str:
    """Return the table of what fleets cost."""
    lines = results["fleet"]
    rows = [[title, *(f"{line[key]:,}" for line in lines)] for key, title in FLEET_JOBS]
    return grid(["requests", *(line["fleet"] for line in lines)], rows)


def kept(results: Results) -> str:
    """Return the table of promises."""
    rows = [
        [what, f"{measured:.2f}", f"{most:.2f}", "yes" if measured <= most + 1e-9 else "**NO**"]
        for what, measured, most in promises(results)
    ]
    return grid(["promise", "measured", "at most", "kept"], rows)


def page(results: Results) -> str:
    """Return the whole of RESULTS.md."""
    parts = [
        PREFACE,
        "| | |\n|---|---|\n"
        + "".join(f"| {name} | {value} |\n" for name, value in results["about"].items()),
        "## In short\n",
        summary(results),
        "".join(f"- {claim}\n" for claim in claims(results)),
        "![requests](charts/requests.png)\n",
        "## Where a peer is better\n",
        BEHIND,
        "".join(f"- {entry}\n" for entry in peers_ahead(results)),
        "## What was promised\n",
        kept(results),
    ]
    for table in TABLES:
        parts += [f"## {table.title}\n", table.text + "\n", draw(table, results[table.key])]
        if table.key == "interactive":
            parts.append("![waits](charts/waits.png)\n")
    parts += [
        "## Several processes and hosts\n",
        FLEET,
        fleet(results),
        "## What a call costs this side\n",
        COST,
        costs(results),
        "![costs](charts/costs.png)\n",
        "Decoding a page of 100 issues: "
        + ", ".join(f"{name} {value:.0f} us" for name, value in results["decoding"].items())
        + ".\n",
        grid(["the cache's stores", "measured"], results["stores"]),
    ]
    return "\n".join(parts)


def insert(path: Path, text: str) -> None:
    """Put *text* between the marks of a page, if it has them."""
    old = path.read_text(encoding="utf-8")
    marks = r"(<!-- benchmarks -->\n).*(<!-- end of benchmarks -->)"
    new = re.sub(marks, lambda found: found[1] + text + found[2], old, flags=re.DOTALL)
    if new != old:
        path.write_text(new, encoding="utf-8")


def write(results: Results) -> None:
    """Write everything."""
    (RESULTS / "RESULTS.md").write_text(page(results), encoding="utf-8")
    listed = "".join(f"- {claim}\n" for claim in claims(results))
    insert(ROOT / "README.md", listed)
    behind = "".join(f"- {entry}\n" for entry in peers_ahead(results))
    short = f"\n{summary(results)}\n{listed}\nWhere a peer is better:\n\n{behind}\n"
    insert(ROOT / "docs" / "benchmarks.md", short)
    charts.draw(results, RESULTS / "charts", ROOT / "docs" / "assets")

"""What is claimed of the figures, as ratios, and which promises they keep. Pure."""

from typing import Any

from benchmarks.report.tables import HTTPX, LEAN, MOKKARI, OURS, TABLES, ahead

Results = dict[str, Any]
JOBS = ("tag", "read", "sync", "chat", "typeahead", "interactive")


def line_of(results: Results, table: str, client: str) -> dict[str, Any]:
    """Return the line of one client."""
    found: dict[str, Any] = next(line for line in results[table] if line["client"] == client)
    return found


def total(results: Results, client: str, column: str) -> int:
    """Return a sum over all jobs that ran against the quota."""
    return sum(line_of(results, job, client)[column] for job in JOBS)


def times(ratio: float) -> str:
    """Return how many times, as exactly as is honest."""
    return f"{ratio:,.0f}" if ratio >= 9.5 else f"{ratio:.1f}"


def claims(results: Results) -> list[str]:
    """Return what may be claimed."""
    walk = line_of(results, "walk", OURS)["requests"]
    asked = line_of(results, "walk", "mokkari, if_modified_since")["requests"]
    bare = line_of(results, "walk", HTTPX)["requests"]
    mine, theirs = (line_of(results, "interactive", client) for client in (OURS, MOKKARI))
    spent = {client: total(results, client, "requests") for client in (OURS, MOKKARI, HTTPX)}
    hits = {client: total(results, client, "throttled") for client in (OURS, MOKKARI, HTTPX)}
    call, hit = results["call"], results["hit"]
    again = (
        "Walking a series of 1,000 issues again, of which 5 have changed, costs "
        f"1/{bare / walk:.0f} of the requests of httpx alone, and 1/{asked / walk:.0f} of those of "
        "mokkari with `if_modified_since`."
    )
    refused = (
        f"Six jobs against the quota: {hits[OURS]} of {spent[OURS]} requests were answered 429; "
        f"with mokkari {hits[MOKKARI] / spent[MOKKARI]:.1%} of {spent[MOKKARI]}, with httpx alone "
        f"{hits[HTTPX] / spent[HTTPX]:.0%} of {spent[HTTPX]}."
    )
    sooner = (
        "An interactive call beside a saturated bulk job is answered "
        f"{times(theirs['p50'] / mine['p50'])} times sooner than with mokkari (median)."
    )
    cpu = (
        f"A call that the cache answers takes {times(hit[MOKKARI] / hit[OURS])} times less CPU "
        f"than with mokkari; a call that is sent, {times(call[OURS] / call[MOKKARI])} times more "
        f"({times(call[LEAN] / call[MOKKARI])} times with the quota in memory and no cache)."
    )
    return [again, refused, sooner, cpu]


def fleet_surplus(results: Results) -> int:
    """Return how many more requests a job costs in eight processes than in one, at most."""
    by_name = {line["fleet"]: line for line in results["fleet"]}
    alone = by_name["1 process"]
    eight = [line for name, line in by_name.items() if name.startswith("8 processes, one")]
    return max(line[key] - alone[key] for line in eight for key in alone if key != "fleet")


def promises(results: Results) -> list[tuple[str, float, float]]:
    """Return what is promised, what was measured, and the most it may be."""
    alone, decoding = results["overhead"], results["decoding"]
    mine = line_of(results, "interactive", OURS)
    return [
        ("requests of a second walk through 1,000 issues with 5 changes",
         line_of(results, "walk", OURS)["requests"], 15),
        ("requests of a job in 8 processes, less those in 1, at most",
         fleet_surplus(results), 8),
        ("429s in all jobs", total(results, OURS, "throttled"), 0),
        ("share of the quota lost beside bulk", 1 - mine["share"], 0.07),
        ("decoding a page / msgspec into dicts", decoding["structs"] / decoding["dicts"], 0.85),
        ("decoding a page / pydantic", decoding["structs"] / decoding["pydantic"], 1 / 3),
        ("CPU of a call, cache=None and quota in memory / httpx + msgspec",
         alone["lean"] / alone["bare"], 1.25),
        ("CPU of a call, defaults / httpx + msgspec", alone["default"] / alone["bare"], 1.6),
        ("CPU of a row of a list, defaults / httpx + msgspec",
         results["row"][OURS] / results["row"][HTTPX], 1.4),
        ("importing AsyncMetron / importing httpx and msgspec",
         results["import"][OURS] / results["import"][HTTPX], 1.3),
        ("first answer of a new process / httpx and msgspec",
         results["first"][OURS] / results["first"][HTTPX], 1.15),
        ("milliseconds for which the loop is held from the start to the first answer",
         results["held"][OURS], 10),
        ("MB of memory of walking 20,000 rows", results["memory"][OURS], 4),
    ]  # fmt: skip


def missed(results: Results) -> list[str]:
    """Return the promises that are not kept."""
    return [
        f"{what}: {measured:.2f}, at most {most:.2f}"
        for what, measured, most in promises(results)
        if measured > most + 1e-9
    ]


COSTS = (
    ("call", "CPU of a call that is sent", "us"),
    ("hit", "CPU of a call that the cache answers", "us"),
    ("row", "CPU of a row of a list", "us"),
    ("import", "import", "ms"),
    ("first", "new process to its first answer", "ms"),
    ("memory", "memory of walking 20,000 rows", "MB"),
)


def peers_ahead(results: Results) -> list[str]:
    """Return everything in which a peer is better, without a selection."""
    told = [entry for table in TABLES for entry in ahead(table, results[table.key])]
    for key, title, unit in COSTS:
        found = results[key]
        told += [
            f"{title}: {client} {found[client]:.1f} {unit}, metron_async {found[OURS]:.1f} {unit}"
            for client in found
            if not client.startswith(OURS) and found[client] < 0.98 * found[OURS]
        ]
    return told

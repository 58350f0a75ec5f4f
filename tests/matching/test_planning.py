"""The plan: what is asked together, what it costs, and that it is made at once."""

from __future__ import annotations

import time
import tracemalloc

from metron_async.matching.planning import pages_of, plan
from metron_async.matching.query import IssueQuery


def issues(name, numbers, **fields):
    return [IssueQuery(series=name, number=str(number), **fields) for number in numbers]


def test_queries_of_one_series_share_its_lists():
    queries = [
        *issues("Savage Wolf", range(1, 11)),
        *issues("The savage-wolf (1966)", [11]),
        *issues("Lone Fox", [1, 2]),
        IssueQuery(cv_id=7),
        IssueQuery(upc="75960608839"),
        *(IssueQuery(series_id=5, number=str(n)) for n in range(3)),
        IssueQuery(series="One Shot"),
    ]
    found = plan(queries)
    assert found.queries == len(queries)
    assert [(group.way, len(group.indexes)) for group in found.groups] == [
        ("list", 11),
        ("list", 3),
        ("number", 2),
        ("list", 1),
        ("id", 1),
        ("id", 1),
    ]
    assert sorted(i for group in found.groups for i in group.indexes) == list(range(len(queries)))
    assert found.requests == 2 + 2 + 2 + 2 + 1 + 1
    assert found.at_most > found.requests
    assert found.groups[0].name == "Savage Wolf"
    assert plan(queries, details=True).requests == found.requests + len(queries)
    assert str(found) == "queries: 19, by lists: 15; requests: about 10"


def test_a_plan_of_nothing():
    found = plan([])
    assert found.requests == found.at_most == found.queries == 0
    assert found.groups == ()


def test_pages():
    assert [pages_of(rows) for rows in (0, 1, 100, 101, 250)] == [1, 1, 1, 2, 3]


def test_ten_thousand_queries_are_planned_at_once():
    def make(word):
        return [
            IssueQuery(series=f"{word} {n // 7}: The Return", number=str(n % 7), year=2000)
            for n in range(10_000)
        ]

    queries = make("Wolf")
    begin = time.process_time()
    found = plan(queries)
    taken = time.process_time() - begin
    assert len(found.groups) == 1429
    assert taken < 1

    tracemalloc.start()
    try:
        plan(make("Fox"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 50e6

"""Names of real files against a server full of decoys: how many are found, and none wrong."""

from __future__ import annotations

import pytest
from support.match_cases import CASES, UNKNOWN
from support.match_corpus import Shop, corpus, library, match_all, query_of, stock, stock_cases
from support.virtual import virtual

from metron_async.matching.query import IssueQuery

READ = {
    "what a person reads": lambda known: query_of(known.fields),
    "the name of the file": lambda known: IssueQuery.from_filename(known.file),
}


@pytest.mark.parametrize("how", READ)
def test_the_corpus(how):
    shop = Shop()
    known = list(stock(shop, corpus()))
    assert len(shop.fake.catalogue.tables.issue) > 21 * len(known)

    matches = virtual(match_all(shop.fake, [READ[how](one) for one in known]))

    wrong = [m for m, one in zip(matches, known, strict=True) if m and m.issue.id != one.issue]
    missed = [
        one.file
        for m, one in zip(matches, known, strict=True)
        if not m.candidates or m.candidates[0].issue.id != one.issue
    ]
    undecided = [one.file for m, one in zip(matches, known, strict=True) if one.certain and not m]
    assert not wrong
    assert not undecided
    assert len(missed) <= 0.05 * len(known), missed
    assert sum(match.requests for match in matches) == len(shop.fake.requests) <= 2 * len(known)


def test_the_harder_names():
    shop = Shop()
    wanted = stock_cases(shop, CASES)
    queries = [IssueQuery.from_filename(case.file) for case in CASES]

    matches = virtual(match_all(shop.fake, queries))

    found = {
        case.file: match.issue.id if match else match.why
        for case, match in zip(CASES, matches, strict=True)
    }
    assert found == {case.file: wanted[place] for place, case in enumerate(CASES)}


def test_what_the_server_does_not_have_is_not_found():
    shop = Shop()
    stock_cases(shop, CASES)
    queries = [IssueQuery.from_filename(name) for name in UNKNOWN]
    matches = virtual(match_all(shop.fake, queries))
    assert [bool(match) for match in matches] == [False] * len(UNKNOWN)
    assert all(match.requests <= 4 for match in matches)


def test_nothing_is_decided_where_only_the_decoys_are_there():
    """Take the right issues away: what is left must not be taken for them."""
    shop = Shop()
    known = list(stock(shop, corpus()))
    for issue in {one.issue for one in known}:
        shop.fake.delete("issue", issue)
    matches = virtual(match_all(shop.fake, [query_of(one.fields) for one in known]))
    assert [str(match.candidates[0]) for match in matches if match] == []


@pytest.mark.parametrize(("details", "most"), [(False, 31), (True, 181)])
def test_150_files_of_15_series(details, most):
    shop, queries, wanted = library()
    matches = virtual(match_all(shop.fake, queries, details=details))
    assert [match.issue and match.issue.id for match in matches] == wanted
    assert len(shop.fake.requests) <= most
    assert sum(match.requests for match in matches) == len(shop.fake.requests)
    assert all((match.detail is not None) == details for match in matches)


def test_150_files_without_years_are_not_guessed():
    shop, queries, wanted = library()
    yearless = [IssueQuery(series=query.series, number=query.number) for query in queries]
    matches = virtual(match_all(shop.fake, yearless))
    right = zip(matches, wanted, strict=True)
    assert all(match.issue is None or match.issue.id == rid for match, rid in right)
    assert all(match or match.ambiguous for match in matches)
    assert len(shop.fake.requests) <= 60

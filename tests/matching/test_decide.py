"""Decisions: what it takes, and that nothing is guessed."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.match_rows import full, row

from metron_async.matching.decide import Rules, decide, row_of, summary_of
from metron_async.matching.facts import facts_of
from metron_async.matching.outcomes import better, contradicting, without_ids
from metron_async.matching.query import IssueQuery
from metron_async.matching.scoring import MARGIN
from metron_async.models import IssueSummary

QUERY = IssueQuery(series="Savage Wolf", number="3")


def decided(query, *rows, how="series", **options):
    return decide(query, [row_of(one) for one in rows], how=how, **options)


def test_one_issue_of_that_name_and_number_is_decided():
    match = decided(QUERY, row(), row("Savage Wolves", id=2))
    assert match
    assert match.issue == row()
    assert match.how == "series"
    assert not match.ambiguous
    assert match.why == ""
    assert [c.issue.id for c in match.candidates] == [1, 2]


def test_two_issues_that_fit_are_ambiguous_and_the_older_series_comes_first():
    match = decided(QUERY, row(id=2, year=1990, volume=2), row(id=1))
    assert not match
    assert match.issue is None
    assert match.ambiguous
    assert match.why == "2 issues fit equally well"
    assert [c.issue.id for c in match.candidates] == [1, 2]


def test_a_year_tells_them_apart():
    query = IssueQuery(series="Savage Wolf", number="3", year=1990)
    assert decided(query, row(id=1), row(id=2, year=1990)).issue.id == 2
    assert decided(query, row(id=1, year=1991), row(id=2, year=1990)).issue.id == 2
    both = decided(query, row(id=1, year=1991), row(id=2, year=1989))
    assert both.why == "2 issues fit equally well"


def test_nothing_is_found_among_nothing():
    match = decided(QUERY)
    assert not match
    assert not match.ambiguous
    assert match.candidates == ()
    assert match.how == "none"
    assert match.why == "no issue found"


@pytest.mark.parametrize(
    ("query", "fields", "why"),
    [
        ({}, {"name": "Savage Wolves"}, "no series of that name"),
        ({}, {"name": "Savage Wolf: Dawn"}, "no series of that name"),
        ({"year": 2016}, {}, "the best candidate contradicts the query: cover of 1966"),
        ({"cover_hash": "0" * 16}, {"cover_hash": "f" * 16}, "cover 64 bits off, over the limit"),
        ({"cv_id": 7}, {"cv_id": 8}, "no issue found"),
    ],
)
def test_what_is_never_decided(query, fields, why):
    query = IssueQuery(**{"series": "Savage Wolf", "number": "3"} | query)
    issue = full(**fields) if "cv_id" in fields else row(**fields)
    match = decided(query, issue)
    assert not match
    assert match.why.startswith(why)


def test_more_issues_than_were_looked_at_are_not_decided():
    assert decided(QUERY, row(), complete=False).why == "more issues may fit than were looked at"


def test_a_series_with_several_issues_is_not_decided_without_a_number():
    match = decided(IssueQuery(series="Savage Wolf", year=1966), row(number="1"))
    assert match.why == "no number given, and the series has several issues"


def test_the_limit_of_covers_can_be_chosen():
    query = IssueQuery(series="Savage Wolf", number="3", cover_hash="0" * 16)
    issue = row(cover_hash="0" * 13 + "fff")
    assert not decided(query, issue)
    assert decided(query, issue, rules=Rules(hash_limit=12))


def test_a_cover_proves_a_series_that_is_named_otherwise():
    query = IssueQuery(series="Savage Wolf", number="3", cover_hash="0" * 16)
    assert decided(query, row("Savage Wolves", cover_hash="0" * 16))
    assert not decided(query, row("Entirely Different", cover_hash="0" * 16))


def test_a_date_proves_a_subtitle():
    query = IssueQuery(series="Savage Wolf", number="3", cover_date=dt.date(1966, 6, 1))
    assert decided(query, row("Savage Wolf: Dawn"))


def test_an_id_decides_unless_it_leads_somewhere_else():
    query = IssueQuery(metron_id=1, series="Lone Fox", number="3")
    assert decided(query, row(), how="metron_id")  # a series may have been renamed
    query = IssueQuery(metron_id=1, series="Zzyx", number="9")
    match = decided(query, row(), how="metron_id")
    assert not match
    assert match.why == "the best candidate contradicts the query: number 3 for 9"


def test_a_known_series_may_be_called_anything():
    query = IssueQuery(series_id=10, series="Zzyx", number="3")
    assert decided(query, row(), how="series_id")


def test_a_code_decides_without_a_name():
    query = IssueQuery(upc="75960608839")
    facts = facts_of(full(upc="75960608839"))
    assert decide(query, [row_of(row(), facts)], how="upc")


def test_the_same_issue_twice_is_one_candidate():
    assert decided(QUERY, row(), row())


rows = st.builds(
    row,
    st.sampled_from(["Savage Wolf", "Savage Wolves", "The Savage Wolf"]),
    st.sampled_from(["3", "03", "4"]),
    st.integers(min_value=1960, max_value=1964),
    id=st.integers(min_value=1, max_value=50),
)


@given(st.lists(rows, max_size=8), st.none() | st.integers(min_value=1960, max_value=1964))
def test_a_decision_has_the_name_the_number_and_the_lead(found, year):
    query = IssueQuery(series="Savage Wolf", number="3", year=year)
    match = decided(query, *found)
    again = decided(query, *reversed(list({one.id: one for one in found}.values())))
    assert [c.issue.id for c in match.candidates] == [c.issue.id for c in again.candidates]
    if match:
        best, *others = match.candidates
        assert match.issue is best.issue
        assert best.issue.number.lstrip("0") == "3"
        assert best.issue.series.name != "Savage Wolves"
        assert all(best.score.value - other.score.value >= MARGIN for other in others)
    else:
        assert match.why


def test_a_full_issue_has_the_row_of_its_list():
    summary = summary_of(full())
    assert isinstance(summary, IssueSummary)
    assert summary.issue_name == "Savage Wolf (1966) #3"
    assert summary.series.year_began == 1966


def test_a_decided_match_says_more_than_an_undecided_one():
    one, none = decided(QUERY, row()), decided(QUERY)
    tied = decided(QUERY, row(), row(id=2))
    assert better(one, tied) is one
    assert better(tied, one) is one
    assert better(none, tied) is tied
    assert better(tied, none) is tied
    assert better(None, none) is none


def test_two_ways_to_one_issue_do_not_contradict():
    match = decided(QUERY, row())
    same = decided(QUERY, row(), row("Savage Wolf", id=2))
    assert contradicting(match, same) is match


def test_ids_can_be_left_out_of_a_query():
    assert without_ids(IssueQuery(metron_id=1, cv_id=2)) is None
    assert without_ids(IssueQuery(metron_id=1, series="Wolf", year=1966)) == IssueQuery(
        series="Wolf", year=1966
    )

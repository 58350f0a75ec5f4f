"""Scores: what adds and removes points, and that more agreement never lowers a score."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.match_rows import full, row

from metron_async import UsageError
from metron_async.matching import points as points_module
from metron_async.matching.facts import facts_of
from metron_async.matching.hashes import hamming
from metron_async.matching.points import POINTS
from metron_async.matching.publishers import same_publisher
from metron_async.matching.query import IssueQuery
from metron_async.matching.scoring import score, score_facts

hashes = st.integers(min_value=0, max_value=2**64 - 1).map(lambda bits: f"{bits:016x}")
QUERY = IssueQuery(series="Savage Wolf", number="3")


@given(hashes, hashes)
def test_hamming_is_a_metric(one, other):
    assert hamming(one, other) == hamming(other, one)
    assert (hamming(one, other) == 0) == (one == other)
    assert hamming(one, other) <= 64


@given(hashes, hashes, hashes)
def test_hamming_keeps_the_triangle(one, other, third):
    assert hamming(one, third) <= hamming(one, other) + hamming(other, third)


@given(hashes, st.integers(min_value=0, max_value=63))
def test_hamming_counts_bits(one, bit):
    assert hamming(one, f"{int(one, 16) ^ (1 << bit):016x}") == 1


@pytest.mark.parametrize("text", ["", "ff", "g" * 16, "f" * 17, "-" + "f" * 15, " " * 16])
def test_what_is_no_hash_is_refused(text):
    with pytest.raises(UsageError, match="expected 16 hexadecimal digits"):
        hamming(text, "0" * 16)


def facts(found):
    return {reason.fact for reason in found.reasons}


def test_a_score_is_the_sum_of_its_reasons():
    found = score(QUERY, row())
    assert found.value == sum(reason.points for reason in found.reasons) == 70
    assert str(found) == "70 (series Savage Wolf +40, number 3 +30)"
    assert found.contradicted == ()


@pytest.mark.parametrize(
    ("query", "fields", "fact"),
    [
        ({"year": 1966}, {}, "cover_year"),
        ({"year": 1965}, {"store_date": dt.date(1965, 12, 1)}, "store_year"),
        ({"year": 1965}, {}, "near_year"),
        ({"year": 1967}, {}, "near_year"),
        ({"year": 1960}, {"began": 1960}, "near_year"),
        ({"year": 1980}, {}, "year_differs"),
        ({"volume": 1}, {}, "volume"),
        ({"volume": 1966}, {}, "volume"),
        ({"volume": 2}, {}, "volume_differs"),
        ({"cover_date": dt.date(1966, 6, 1)}, {}, "date"),
        ({"cover_date": dt.date(1966, 6, 30)}, {}, "near_date"),
        ({"store_date": dt.date(1966, 4, 6)}, {"store_date": dt.date(1966, 4, 6)}, "date"),
        ({"store_date": dt.date(1966, 4, 6)}, {"store_date": dt.date(1966, 4, 9)}, "near_date"),
        ({"metron_id": 1}, {}, "id"),
        ({"metron_id": 2}, {}, "id_differs"),
        ({"series_id": 10}, {}, "series_id"),
        ({"series_id": 11}, {}, "series_id_differs"),
        ({"number": "4"}, {}, "number_differs"),
        ({"cover_hash": "0" * 16}, {"cover_hash": "0" * 15 + "1"}, "cover"),
        ({"cover_hash": "0" * 16}, {"cover_hash": "f" * 16}, "cover_differs"),
    ],
)
def test_facts_of_rows(query, fields, fact):
    found = score(IssueQuery(**{"series": "Savage Wolf", "number": "3"} | query), row(**fields))
    assert fact in facts(found)


@pytest.mark.parametrize(
    ("query", "fields", "fact"),
    [
        ({"cv_id": 5}, {"cv_id": 5}, "id"),
        ({"cv_id": 5}, {"cv_id": 6}, "id_differs"),
        ({"gcd_id": 5}, {"gcd_id": 5}, "id"),
        ({"upc": "75960608839"}, {"upc": "75960608839"}, "code"),
        ({"sku": "Jan012345"}, {"sku": "JAN012345"}, "code"),
        ({"publisher": "Iron"}, {}, "publisher"),
        ({"publisher": "DC"}, {}, "publisher_differs"),
        ({"title": "The Hunt!"}, {"titles": ["Dawn", "the hunt"]}, "title"),
        ({"title": "The Hunt"}, {"title": "The Hunt"}, "title"),
    ],
)
def test_facts_of_full_issues(query, fields, fact):
    found = score(IssueQuery(**{"series": "Savage Wolf", "number": "3"} | query), full(**fields))
    assert fact in facts(found)


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ({"cover_date": dt.date(1966, 9, 1)}, {}),
        ({"store_date": dt.date(1966, 9, 1)}, {"store_date": dt.date(1966, 4, 6)}),
        ({"store_date": dt.date(1966, 9, 1)}, {}),
        ({"title": "The Hunt"}, {}),
        ({"publisher": "Iron"}, {}),
        ({"upc": "75960608839", "sku": "JAN01"}, {}),
    ],
)
def test_what_a_row_does_not_say_changes_nothing(query, fields):
    found = score(IssueQuery(**{"series": "Savage Wolf", "number": "3"} | query), row(**fields))
    assert found.value == 70


def test_a_number_may_be_the_alternative_one_and_a_name_another_one():
    found = score(
        IssueQuery(series="Lone Wolf", number="103"),
        full(alt_names=["Lone Wolf"], alt_number="103"),
    )
    assert found.value == 70


def test_a_book_may_have_its_number_as_its_volume():
    found = score(IssueQuery(series="Savage Wolf", number="03", volume=3), row())
    assert "volume_differs" not in facts(found)


def test_without_a_number_the_only_issue_counts_most():
    query = IssueQuery(series="Savage Wolf")
    only = facts_of(row(number="1"))
    only = type(only)(
        **{name: getattr(only, name) for name in only.__struct_fields__} | {"only": True}
    )
    assert facts(score_facts(query, only)) == {"name", "only"}
    assert facts(score(query, row(number="1"))) == {"name", "first"}
    assert facts(score(query, row(number="2"))) == {"name"}


def test_a_damaged_hash_of_the_server_says_nothing():
    query = IssueQuery(series="Savage Wolf", number="3", cover_hash="0" * 16)
    assert score(query, row(cover_hash="broken")).value == 70


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("DC", "DC Comics", True),
        ("Marvel Comics", "Marvel", True),
        ("BOOM! Studios", "Boom", True),
        ("Dark Horse", "Dark Horse Comics", True),
        ("Image", "Marvel", False),
        ("Comics", "Comics", True),
        ("DC", "Dell", False),
    ],
)
def test_publishers(one, other, same):
    assert same_publisher(one, other) is same
    assert same_publisher(other, one) is same


AGREEING = {
    "metron_id": 1,
    "cv_id": 5,
    "gcd_id": 6,
    "upc": "75960608839",
    "sku": "JAN01",
    "series": "Savage Wolf",
    "series_id": 10,
    "number": "3",
    "year": 1966,
    "volume": 1,
    "publisher": "Iron Press",
    "cover_date": dt.date(1966, 6, 1),
    "cover_hash": "0" * 16,
    "title": "The Hunt",
}
ISSUE = full(
    cv_id=5, gcd_id=6, upc="75960608839", sku="JAN01", cover_hash="0" * 16, titles=["The Hunt"]
)


@given(st.sets(st.sampled_from(sorted(AGREEING))), st.sampled_from(sorted(AGREEING)))
def test_more_agreement_never_lowers_a_score(names, more):
    known = {name: AGREEING[name] for name in {*names, "series"}}
    before = score(IssueQuery(**known), ISSUE)
    after = score(IssueQuery(**known | {more: AGREEING[more]}), ISSUE)
    assert after.value >= before.value
    assert not after.contradicted


@given(hashes, st.integers(min_value=0, max_value=63))
def test_a_nearer_cover_never_scores_less(cover, bits):
    query = IssueQuery(series="Savage Wolf", number="3", cover_hash="0" * 16)
    masked = int(cover, 16) & ((1 << bits) - 1)
    nearer = masked & (masked - 1)  # one bit less
    far = score(query, row(cover_hash=f"{masked:016x}"))
    near = score(query, row(cover_hash=f"{nearer:016x}"))
    assert near.value >= far.value


@given(st.integers(min_value=1900, max_value=2030), st.integers(min_value=1, max_value=40))
def test_a_nearer_year_never_scores_less(year, apart):
    def value(cover):
        query = IssueQuery(series="Savage Wolf", number="3", year=year)
        return score(query, row(year=cover, began=1850)).value

    assert value(year) >= value(year + apart - 1) >= value(year + apart)
    assert value(year) >= value(year - apart + 1) >= value(year - apart)


def test_the_documented_points_are_the_points():
    table = points_module.__doc__
    for fact, words in {
        "id": "| 100 | -100 |",
        "code": "| 80 |",
        "series_id": "| 40 | -80 |",
        "number": "| 30 | -60 |",
        "volume": "| 10;",
        "year_differs": "| -25 |",
        "volume_differs": "| -12 |",
        "publisher": "| 6 | -20 |",
    }.items():
        assert words in table
        assert str(abs(int(POINTS[fact]))) in words


def test_a_title_counts_without_a_series():
    facts = facts_of(full())
    query = IssueQuery(metron_id=1, title="The Door")
    with_title = msgspec.structs.replace(facts, titles=("The Door",))
    gained = {reason.fact for reason in score_facts(query, with_title).reasons}
    assert gained - {reason.fact for reason in score_facts(query, facts).reasons} == {"title"}

"""How one query is searched: the cheapest certain way first, and wider only where needed."""

from __future__ import annotations

import datetime as dt

import pytest
from support.match_corpus import Shop, match_all
from support.virtual import virtual

from metron_async.matching.query import IssueQuery


def found(shop, **fields):
    """Return the match of one query, and the requests that it took."""
    before = len(shop.fake.requests)
    (match,) = virtual(match_all(shop.fake, [IssueQuery(**fields)]))
    assert match.requests == len(shop.fake.requests) - before
    return match


@pytest.fixture
def shop():
    return Shop(issues=100)


@pytest.fixture
def wolf(shop):
    """Add Savage Wolf (1966) with twelve issues, and return the id of number 3."""
    series = shop.run_of("Lone Wolf & Cub", 1966, range(1, 13))
    number3 = shop.fake.catalogue.issues_of_series(series)[2]
    shop.fake.touch(
        "issue", number3.id, cv_id=9_000_001, gcd_id=9_000_002, upc="75960608839302211", sku="JAN01"
    )
    return number3


@pytest.mark.parametrize(
    ("how", "value"),
    [
        ("cv_id", 9_000_001),
        ("gcd_id", 9_000_002),
        ("upc", "75960608839302211"),
        ("sku", "jan01"),
    ],
)
def test_ids_and_codes_take_one_request(shop, wolf, how, value):
    match = found(shop, **{how: value})
    assert match.issue.id == wolf.id
    assert match.how == how
    assert match.requests == 1


def test_metrons_own_id_takes_one_request_with_the_full_issue(shop, wolf):
    assert found(shop, metron_id=wolf.id).issue.number == "3"
    (match,) = virtual(match_all(shop.fake, [IssueQuery(metron_id=wolf.id)], details=True))
    assert match.detail.id == match.issue.id == wolf.id
    assert match.requests == 1


def test_a_wrong_id_falls_back_to_what_else_is_known(shop, wolf):
    match = found(shop, metron_id=999_999, cv_id=999_999, series="Lone Wolf and Cub", number="3")
    assert match.issue.id == wolf.id
    assert match.how == "series"
    assert match.requests == 3


def test_an_id_that_contradicts_everything_is_not_believed(shop, wolf):
    other = shop.issue(shop.series("Zzyx Quarterly", 1990), 9, 1990)
    match = found(shop, metron_id=other, series="Lone Wolf and Cub", number="3")
    assert match.ambiguous
    assert [candidate.issue.id for candidate in match.candidates[:2]] == [wolf.id, other]
    assert match.why == (
        "metron_id leads to Zzyx Quarterly (1990) #9, the rest to Lone Wolf & Cub (1966) #3"
    )


def test_an_id_of_a_series_takes_one_request(shop, wolf):
    match = found(shop, series_id=wolf.series, number="003")
    assert match.issue.id == wolf.id
    assert match.how == "series_id"
    assert match.requests == 1


def test_a_cover_alone_finds_its_issue(shop, wolf):
    shop.fake.touch("issue", wolf.id, cover_hash="ffaa00112233445e")
    match = found(shop, cover_hash="FFAA00112233445E")
    assert match.candidates[0].issue.id == wolf.id


def test_a_reprint_with_the_same_code_is_told_apart_by_its_number(shop, wolf):
    again = shop.issue(shop.series("Lone Wolf & Cub Reprint", 1999), 1, 1999, upc=wolf.upc)
    both = found(shop, upc=wolf.upc)
    assert both.ambiguous
    assert both.why == "2 issues fit equally well"
    assert found(shop, upc=wolf.upc, series="Lone Wolf & Cub", number="3").issue.id == wolf.id
    reprint = found(shop, upc=wolf.upc, series="Lone Wolf & Cub Reprint", number="1")
    assert reprint.issue.id == again


def test_a_publisher_tells_namesakes_apart(shop):
    dc = shop.issue(shop.series("Ghost", 1990, publisher="DC Comics"), 1, 1990)
    shop.issue(shop.series("Ghost", 1990, publisher="Dark Horse Comics", volume=2), 1, 1990)
    assert found(shop, series="Ghost", number="1").ambiguous
    match = found(shop, series="Ghost", number="1", publisher="DC")
    assert match.issue.id == dc
    assert match.requests == 2
    assert found(shop, series="Ghost", number="1", publisher="Nobody").ambiguous


def test_a_renamed_series_is_found_by_its_other_name(shop):
    series = shop.series("Doctor Marvellous", 1991, alt_names=("Captain Wonder", "Wonder"))
    issue = shop.issue(series, 4, 1992)
    match = found(shop, series="Captain Wonder", number="4")
    assert match.issue.id == issue
    assert match.requests == 3  # by name, by other names, and these names


@pytest.mark.parametrize("number", ["½", "0.5", "1/2"])
@pytest.mark.parametrize("asked", ["½", "0.50", "1/2"])
def test_fractions_are_found_as_the_server_spells_them(shop, number, asked):
    issue = shop.issue(shop.series("Wizard Tales", 1994), number, 1994)
    assert found(shop, series="Wizard Tales", number=asked).issue.id == issue


def test_annuals_are_series_of_their_own(shop):
    issue = shop.issue(shop.series("Ghost Annual", 1976), 1, 1976)
    shop.issue(shop.series("Ghost", 1976), 1, 1976)
    assert found(shop, series="Ghost", number="Annual 1").issue.id == issue
    old = shop.issue(shop.series("Hollow", 1976), "Annual 2", 1976)
    assert found(shop, series="Hollow", number="Annual 2").issue.id == old


def test_a_title_can_be_the_end_of_the_series_name(shop):
    issue = shop.issue(shop.series("Cyber 99: You Have My Word", 2021), 2, 2021)
    assert found(shop, series="Cyber 99", number="2").ambiguous
    match = found(shop, series="Cyber 99", number="2", title="You Have My Word")
    assert match.issue.id == issue
    assert match.requests == 1


def test_a_title_in_the_series_name_goes_before_the_series_alone(shop):
    shop.issue(shop.series("Batlike", 2021), 20, 2021)
    joined = shop.issue(shop.series("Batlike/Super", 2021), 20, 2021)
    assert found(shop, series="Batlike", title="Super", number="20", year=2021).issue.id == joined


def test_a_widespread_name_is_narrowed_by_the_year(shop):
    for place in range(130):
        shop.issue(shop.series(f"Bat {place}", 1900 + place % 90), 1, 1900 + place % 90)
    right = shop.issue(shop.series("Bat", 1995), 1, 1995)
    match = found(shop, series="Bat", number="1", year=1995)
    assert match.issue.id == right
    assert match.requests == 3
    assert found(shop, series="Bat", number="1").issue.id == right


def test_too_many_issues_to_look_at_are_not_decided(shop):
    for place in range(510):
        shop.issue(shop.series(f"Bat {place}", 1900), 1, 1900)
    shop.issue(shop.series("Bat", 1995, publisher="Own"), 1, 1995)
    match = found(shop, series="Bat", number="1")
    assert not match
    assert match.requests <= 8


def test_one_shots_need_no_number(shop):
    issue = shop.issue(shop.series("Hollow: The Joke", 1988), 1, 1988)
    match = found(shop, series="Hollow - The Joke")
    assert match.issue.id == issue
    assert match.requests == 2
    shop.run_of("Ghost", 1976, range(1, 9))
    ghost = found(shop, series="Ghost", year=1976)
    assert ghost.ambiguous
    assert ghost.candidates[0].issue.number == "1"


def test_covers_are_dated_ahead(shop):
    series = shop.series("Saga Tales", 2012)
    issue = shop.issue(series, 56, dt.date(2022, 1, 1), store_date=dt.date(2021, 11, 3))
    match = found(shop, series="Saga Tales", number="56", year=2021)
    assert match.issue.id == issue
    assert any(reason.fact == "store_year" for reason in match.candidates[0].score.reasons)


def test_a_variant_cover_is_ambiguous(shop, wolf):
    shop.fake.touch("issue", wolf.id, cover_hash="0" * 16)
    far = found(shop, series="Lone Wolf and Cub", number="3", cover_hash="f" * 16)
    assert far.ambiguous
    assert far.candidates[0].issue.id == wolf.id
    near = found(shop, series="Lone Wolf and Cub", number="3", cover_hash="0" * 15 + "f")
    assert near.issue.id == wolf.id

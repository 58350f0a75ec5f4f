import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cache_hardship import NOW, entry_of

from metron_async._httpdate import parse_http_date
from metron_async.cache import Verdict, page_as_of, vouch
from metron_async.cache.vouching import instant

MOMENT = datetime.fromtimestamp(NOW - 5000, UTC)
LATER = MOMENT + timedelta(microseconds=1)
AGE = {"now": NOW + 10, "max_age": 604_800.0}


def detail(**fields):
    return entry_of(1, **({"modified": MOMENT.isoformat()} | fields))


def test_the_same_instant_vouches_however_it_is_written():
    eastern = MOMENT.astimezone(datetime.fromisoformat("2026-01-01T00:00:00-05:00").tzinfo)
    for row in (MOMENT, eastern, eastern.isoformat()):
        assert vouch(detail(), row, NOW + 5, **AGE) is Verdict.CURRENT


def test_a_microsecond_is_a_change():
    assert vouch(detail(), LATER, NOW + 5, **AGE) is Verdict.CHANGED


def test_a_page_older_than_the_change_says_nothing():
    entry = detail(modified=LATER.isoformat())
    assert vouch(entry, MOMENT, MOMENT.timestamp() - 60, **AGE) is Verdict.NEWER


def test_a_restored_backup_is_believed():
    entry = detail(modified=LATER.isoformat())
    assert vouch(entry, MOMENT, NOW, **AGE) is Verdict.CHANGED


def test_a_remembered_404_is_wrong_if_the_list_has_it():
    assert vouch(detail(status=404), MOMENT, NOW, **AGE) is Verdict.CHANGED


@pytest.mark.parametrize(
    ("fields", "row"),
    [
        ({}, None),
        ({}, "2026-11-20T15:19:11"),  # naive
        ({}, "never"),
        ({"modified": None}, MOMENT),
        ({"stored_at": NOW - 604_800}, MOMENT),
        ({"stored_at": NOW + 60}, MOMENT),
        ({"stored_at": math.nan}, MOMENT),
    ],
)
def test_nobody_vouches_for_what_cannot_be_compared_or_is_too_old(fields, row):
    assert vouch(detail(**fields), row, NOW, **AGE) is Verdict.EXPIRED


def test_a_page_speaks_for_when_it_was_asked_for():
    assert page_as_of(date=None, x_cache=None, sent_at=NOW) == NOW
    assert page_as_of(date=None, x_cache="MISS", sent_at=NOW) == NOW
    assert page_as_of(date="rubbish", x_cache=" hit", sent_at=NOW) == NOW - 120
    date = "Fri, 20 Nov 2026 20:25:09 GMT"
    assert page_as_of(date=date, x_cache="HIT", sent_at=NOW) == parse_http_date(date) - 120
    assert page_as_of(date="Fri, 20 Nov 2099 20:25:09 GMT", x_cache=None, sent_at=NOW) == NOW


@pytest.mark.parametrize(
    "text", [None, "", "x", "Fri, 99 Nov 2026 20:25:09 GMT", "Fri, 20 Nov 2026"]
)
def test_what_is_no_date_is_none(text):
    assert instant(text) is None


def test_dates_without_a_zone_are_none():
    assert instant("2026-11-20T20:25:09") is None
    assert instant("0001-01-01T00:00:00+14:00") is not None


@given(st.text())
def test_any_header_at_all_is_survived(text):
    instant(text)
    page_as_of(date=text, x_cache=text, sent_at=NOW)


moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(moments, moments, st.floats(0, 2 * NOW))
def test_only_equal_instants_are_current(mine, theirs, as_of):
    verdict = vouch(detail(modified=mine.isoformat()), theirs, as_of, **AGE)
    assert (verdict is Verdict.CURRENT) == (mine == theirs)
    if theirs > mine:
        assert verdict is Verdict.CHANGED

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metron_async.testing._server.servertime import aware, http_date, iso, parse_http_date

zoneinfo = pytest.importorskip("zoneinfo")
try:
    NEW_YORK = zoneinfo.ZoneInfo("America/New_York")
except zoneinfo.ZoneInfoNotFoundError:  # pragma: no cover - machines without a database
    NEW_YORK = None

BEGIN = dt.datetime(2007, 3, 12)  # noqa: DTZ001 - hypothesis wants naive ends
END = dt.datetime(2035, 1, 1)  # noqa: DTZ001
MOMENTS = st.datetimes(BEGIN, END)


@pytest.mark.skipif(NEW_YORK is None, reason="no time zone database")
@given(MOMENTS)
def test_the_rule_agrees_with_the_time_zone_database(moment):
    utc = moment.replace(tzinfo=dt.UTC)
    assert iso(utc) == utc.astimezone(NEW_YORK).isoformat()


@pytest.mark.skipif(NEW_YORK is None, reason="no time zone database")
@given(MOMENTS)
def test_naive_times_are_new_yorks(moment):
    known = moment.replace(tzinfo=NEW_YORK).astimezone(dt.UTC)
    there_and_back = known.astimezone(NEW_YORK).replace(tzinfo=None)
    if there_and_back == moment and moment.minute < 60 and not _twice(moment):
        assert aware(moment) == known


def _twice(moment):
    late = moment.replace(tzinfo=NEW_YORK, fold=1)
    return late.utcoffset() != moment.replace(tzinfo=NEW_YORK).utcoffset()


def test_an_offset_is_kept():
    moment = dt.datetime(2026, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=3)))
    assert aware(moment) == moment
    assert aware(dt.datetime.fromisoformat("2026-07-01T12:00")).hour == 16
    assert aware(dt.datetime.fromisoformat("2026-01-01T12:00")).hour == 17


def test_http_dates_are_cut_to_seconds_and_read_back():
    moment = dt.datetime(2026, 11, 20, 20, 19, 11, 999_999, tzinfo=dt.UTC)
    text = http_date(moment)
    assert text == "Fri, 20 Nov 2026 20:19:11 GMT"
    assert parse_http_date(text) == moment.replace(microsecond=0)
    assert parse_http_date("yesterday") is None
    assert parse_http_date("Fri, 20 Nov 2026 20:19:11 -0000").tzinfo is not None

import datetime as dt

import pytest

from metron_async.testing._server.servertime import aware, http_date, iso, parse_http_date

INSTANTS = {
    "1883-11-18T16:59:59Z": "1883-11-18T12:03:57-04:56:02",
    "1883-11-18T17:00:00Z": "1883-11-18T12:00:00-05:00",
    "0002-01-01T00:00:00Z": "0001-12-31T19:03:58-04:56:02",
    "1943-07-01T12:00:00Z": "1943-07-01T08:00:00-04:00",  # war time
    "2000-03-20T12:00:00Z": "2000-03-20T07:00:00-05:00",  # daylight time began in April
    "2026-03-20T12:00:00Z": "2026-03-20T08:00:00-04:00",
    "2026-11-20T12:00:00+03:00": "2026-11-20T04:00:00-05:00",
}


@pytest.mark.parametrize("sent", INSTANTS)
def test_instants_are_shown_in_new_york_time(sent):
    assert iso(dt.datetime.fromisoformat(sent)) == INSTANTS[sent]


def test_naive_times_are_new_york_time():
    assert aware(dt.datetime.fromisoformat("2026-07-01T12:00")).hour == 16
    assert aware(dt.datetime.fromisoformat("2026-01-01T12:00")).hour == 17
    moment = dt.datetime(2026, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=3)))
    assert aware(moment) == moment


def test_http_dates_are_cut_to_seconds_and_read_back():
    moment = dt.datetime(2026, 11, 20, 20, 19, 11, 999_999, tzinfo=dt.UTC)
    text = http_date(moment)
    assert text == "Fri, 20 Nov 2026 20:19:11 GMT"
    assert parse_http_date(text) == moment.replace(microsecond=0)
    assert parse_http_date("yesterday") is None
    assert parse_http_date("Fri, 20 Nov 2026 20:19:11 -0000").tzinfo is not None

"""Dates as HTTP writes them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metron_async._httpdate import http_date, parse_http_date

HOURS = timezone(timedelta(hours=-5))
TEXT = "Fri, 20 Nov 2026 20:25:09 GMT"


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "Fri, 02 Jan 2026 03:04:05 GMT"),
        (datetime(2026, 1, 2, 3, 4, 5, 999_999, tzinfo=UTC), "Fri, 02 Jan 2026 03:04:05 GMT"),
        (datetime(2026, 1, 1, 22, 4, 5, tzinfo=HOURS), "Fri, 02 Jan 2026 03:04:05 GMT"),
    ],
)
def test_dates_are_in_gmt_and_whole_seconds(moment, text):
    assert http_date(moment) == text


def test_dates_are_read_back():
    assert parse_http_date(TEXT) == 1795206309.0
    assert http_date(datetime.fromtimestamp(1795206309.0, UTC)) == TEXT


def test_a_date_without_an_offset_is_utc():
    assert parse_http_date(TEXT.replace("GMT", "-0000")) == 1795206309.0


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "x",
        "Fri, 99 Nov 2026 20:25:09 GMT",
        "Fri, 20 Nov 2026",
        f"{TEXT} \u00e9",
        f"{TEXT}\r\nHost: elsewhere.example",
        f"{TEXT}\n",
        f"{TEXT}\x00",
    ],
)
def test_what_is_no_date_or_fits_into_no_header_is_none(text):
    assert parse_http_date(text) is None


@given(st.text())
def test_any_header_at_all_is_survived(text):
    parse_http_date(text)

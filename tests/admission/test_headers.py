"""Reading the quota headers: valid values are used, all others ignored."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metron_async.admission.headers import parse_rate_headers, parse_retry_after

EXCHANGES = Path(__file__).parent.parent / "data" / "exchanges.json"
DATE = "Fri, 20 Nov 2026 20:25:17 GMT"
GOOD = {
    "date": DATE,
    "x-ratelimit-burst-limit": "20",
    "x-ratelimit-burst-remaining": "19",
    "x-ratelimit-burst-reset": "1795206378",
    "x-ratelimit-sustained-limit": "5000",
    "x-ratelimit-sustained-remaining": "4999",
    "x-ratelimit-sustained-reset": "1795292718",
}


def test_a_good_response():
    reading = parse_rate_headers(GOOD)
    assert reading == ((20, 19, 61.0), (5000, 4999, 86401.0))


def test_every_recorded_response_that_has_headers():
    seen = 0
    for exchange in json.loads(EXCHANGES.read_text("utf-8")):
        headers = exchange["response"]["headers"]
        if "x-ratelimit-burst-limit" in headers:
            burst, sustained = parse_rate_headers(headers)
            assert 0 <= burst[2] <= 62
            assert 0 <= sustained[2] <= 86_402
            seen += 1
            if exchange["response"]["status"] == 429:
                assert parse_retry_after(headers) == 60
        else:
            assert parse_rate_headers(headers) == ((), ())
    assert seen >= 5


@pytest.mark.parametrize(
    "changed",
    [
        {"x-ratelimit-burst-limit": "0"},
        {"x-ratelimit-burst-limit": "many"},
        {"x-ratelimit-burst-limit": "99999999999999999999999"},
        {"x-ratelimit-burst-limit": "1000001"},
        {"x-ratelimit-burst-remaining": "-1"},
        {"x-ratelimit-burst-remaining": "21"},
        {"x-ratelimit-burst-remaining": "1_0"},
        {"x-ratelimit-burst-remaining": "\u0661"},
        {"x-ratelimit-burst-remaining": ""},
    ],
)
def test_a_window_that_is_invalid_is_left_out(changed):
    burst, sustained = parse_rate_headers(GOOD | changed)
    assert burst == ()
    assert sustained != ()


@pytest.mark.parametrize(
    "changed",
    [
        {"date": "yesterday"},
        {"date": ""},
        {"date": "Fri, 99 Nov 2026 20:25:17 GMT"},
        {"x-ratelimit-burst-reset": "soon"},
        {"x-ratelimit-burst-reset": "1795206300"},
        {"x-ratelimit-burst-reset": "9795206378"},
    ],
)
def test_a_reset_that_is_invalid_is_left_out(changed):
    assert parse_rate_headers(GOOD | changed)[0] == (20, 19, -1.0)


def test_a_date_without_an_offset_is_utc():
    changed = {"date": "Fri, 20 Nov 2026 20:25:17 -0000"}
    assert parse_rate_headers(GOOD | changed)[0][2] == 61


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("60", 60.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        (None, -1.0),
        ("", -1.0),
        ("soon", -1.0),
        ("-5", -1.0),
        ("Fri, 20 Nov 2026 20:26:17 GMT", 60.0),
        ("Fri, 20 Nov 2026 20:20:17 GMT", 0.0),
    ],
)
def test_retry_after(value, seconds):
    headers = {"date": DATE} | ({} if value is None else {"retry-after": value})
    assert parse_retry_after(headers) == seconds


def test_a_retry_after_date_needs_a_date():
    assert parse_retry_after({"retry-after": DATE}) == -1.0


@given(st.dictionaries(st.sampled_from([*GOOD, "retry-after"]), st.text(max_size=30)))
def test_no_header_is_ever_an_error(headers):
    parse_rate_headers(headers)
    parse_retry_after(headers)

"""Queries: what is accepted, what is refused with which words, and how they are read."""

from __future__ import annotations

import datetime as dt
import pickle
import sys

import msgspec
import pytest

from metron_async import ConfigurationError, UsageError
from metron_async.matching.query import IssueQuery, readings_of, search_name, series_hints


def test_values_are_brought_into_one_form():
    query = IssueQuery(
        series="  Savage \n Wolf ",
        number=3,
        year="1966",
        upc="7 59606-08839 3",
        cover_hash="FFAA00112233445E",
    )
    assert query.series == "Savage Wolf"
    assert query.number == "3"
    assert query.year == 1966
    assert query.upc == "759606088393"
    assert query.cover_hash == "ffaa00112233445e"
    assert query.given().keys() == {"series", "number", "year", "upc", "cover_hash"}


def test_it_is_a_value():
    query = IssueQuery(series="Wolf", number=0.5)
    assert query.number == "0.5"
    assert query == IssueQuery(series="Wolf", number="0.5")
    assert hash(query) == hash(IssueQuery(series="Wolf", number="0.5"))
    assert repr(query) == "IssueQuery(series='Wolf', number='0.5')"
    assert pickle.loads(pickle.dumps(query)) == query  # noqa: S301 - ours
    assert msgspec.json.decode(msgspec.json.encode(query), type=IssueQuery) == query
    with pytest.raises(AttributeError):
        query.year = 2000


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "Nothing in the query identifies an issue"),
        ({"number": "3", "year": 1966}, "Nothing in the query identifies an issue"),
        ({"metron_id": 0}, "Invalid metron_id: expected a whole number from 1"),
        ({"metron_id": True}, "Invalid metron_id"),
        ({"cv_id": 2**40}, "Invalid cv_id"),
        ({"gcd_id": "12x"}, "Invalid gcd_id"),
        ({"series_id": -1}, "Invalid series_id"),
        ({"series": "Wolf", "year": 66}, "Invalid year: expected a whole number from 1800"),
        ({"series": "Wolf", "year": 99_999}, "Invalid year"),
        ({"series": "Wolf", "year": 1966.0}, "Invalid year"),
        ({"series": "Wolf", "year": "9" * 5_000}, "Invalid year"),
        ({"series": "Wolf", "volume": 40_000}, "Invalid volume"),
        ({"series": " "}, "Invalid series: expected a string that is not blank"),
        ({"series": 52}, "Invalid series"),
        ({"series": "Wolf\x00"}, "Invalid series"),
        ({"series": "Wolf\ud800"}, "Invalid series"),
        ({"series": "W" * 501}, "Invalid series: expected at most 500 characters"),
        ({"series": "Wolf", "number": ""}, "Invalid number"),
        ({"series": "Wolf", "number": True}, "Invalid number"),
        ({"series": "Wolf", "title": b"x"}, "Invalid title"),
        ({"sku": ""}, "Invalid sku"),
        ({"upc": "abc"}, "Invalid upc: expected 7 to 18 digits"),
        ({"upc": 75960608839}, "Invalid upc"),
        ({"cover_hash": "ff"}, "Invalid cover_hash: expected 16 hexadecimal digits"),
        ({"cover_hash": 0xFFAA00112233445E}, "Invalid cover_hash"),
        ({"cover_hash": "gg" * 8}, "Invalid cover_hash"),
        ({"series": "Wolf", "cover_date": "2020-01-01"}, "Invalid cover_date: expected"),
        (
            {"series": "Wolf", "store_date": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)},
            "Invalid store_date",
        ),
    ],
)
def test_invalid_values_are_refused(fields, message):
    with pytest.raises(UsageError, match=message):
        IssueQuery(**fields)


@pytest.mark.parametrize(
    ("fields", "name", "volume"),
    [
        ({"series": "Wolf (2010)"}, "Wolf", 2010),
        ({"series": "Wolf [2010]"}, "Wolf", 2010),
        ({"series": "Wolf (2010-2014)"}, "Wolf", 2010),
        ({"series": "Wolf (2010)", "volume": 3}, "Wolf", 3),
        ({"series": "Wolf vol. 2"}, "Wolf", 2),
        ({"series": "Wolf v3"}, "Wolf", 3),
        ({"series": "(2010)"}, "(2010)", None),
        ({"series": "Blade Runner 2029"}, "Blade Runner 2029", None),
        ({"series_id": 3}, "", None),
    ],
)
def test_a_name_may_hold_the_volume(fields, name, volume):
    assert series_hints(IssueQuery(**fields)) == (name, volume)


def test_readings():
    annual = readings_of(IssueQuery(series="Wolf", number="Annual 2"))
    assert annual[0] == ("Wolf Annual", "2", 1.0)
    assert annual[1][:2] == ("Wolf", "annual 2")
    titled = readings_of(IssueQuery(series="Wolf", number="1", title="Wolf Day Special"))
    assert [reading.series for reading in titled] == [
        "Wolf",
        "Wolf: Wolf Day Special",
        "Wolf Day Special",
    ]
    dated = readings_of(IssueQuery(series="Wolf Annual 2021", year=2021))
    assert [reading.series for reading in dated] == ["Wolf Annual 2021", "Wolf Annual"]
    assert search_name(IssueQuery(series="Wolf Annual 2021", year=2021)) == "Wolf Annual"
    assert search_name(IssueQuery(series="Wolf 2099", year=2021)) == "Wolf 2099"
    assert readings_of(IssueQuery(series_id=3, number="004")) == (("", "4", 1.0),)
    assert readings_of(IssueQuery(series="Wolf"))[0] == ("Wolf", "", 1.0)


@pytest.mark.parametrize(
    ("file", "fields"),
    [
        ("Savage Wolf 003 (1966) (Digital).cbz", {"series": "Savage Wolf", "year": 1966}),
        ("/comics/Savage Wolf 003 [cv-123].cbz", {"series": "Savage Wolf", "cv_id": 123}),
        (
            "Savage Wolf [metron-5] [gcd 7] [upc_75960608839].cbz",
            {"metron_id": 5, "gcd_id": 7, "upc": "75960608839"},
        ),
        ("batman #3 title (DC).cbz", {"series": "batman", "publisher": "DC"}),
        ("Wolf v1 Annual #01 (1976) (Digital).cbr", {"series": "Wolf Annual", "volume": 1}),
        ("Wolf (2010) #017 (2012).cbz", {"series": "Wolf", "volume": 2010, "year": 2012}),
        ("Wolf (2021) #001 (2021).cbz", {"series": "Wolf", "volume": 2021, "year": 2021}),
        (
            "Asterix - 01 - Asterix le Gaulois (1961).cbr",
            {"series": "Asterix", "number": "01", "title": "Asterix le Gaulois"},
        ),
        (
            "Avengers By Brian Michael Bendis v03 (2013) (Digital).cbz",
            {"series": "Avengers By Brian Michael Bendis", "number": "03", "volume": 3},
        ),
        ("Wizard ½ (1994).cbz", {"series": "Wizard", "number": "½"}),
        ("Wolf #008 - Simple Truth 03 (of 06) (2021).cbr", {"series": "Wolf", "volume": None}),
        ("Wolf Vol. 03 - Love (2004).cbz", {"series": "Wolf", "volume": 3, "title": "Love"}),
        ("#52.cbz", {"series": "52", "number": "52"}),
        ("Monster_Island_v1_#2__repaired__c2c.cbz", {"series": "Monster Island", "number": "2"}),
        ("Star Wars - IG-88 #1 (2021).cbz", {"series": "Star Wars", "title": "IG-88"}),
        ("進撃の巨人 007 (2012).cbz", {"series": "進撃の巨人", "number": "007"}),
    ],
)
def test_names_of_files_are_read(file, fields):
    query = IssueQuery.from_filename(file)
    assert {name: getattr(query, name) for name in fields} == fields


@pytest.mark.parametrize("file", ["", "   ", "x" * 1_001, "[].cbz"])
def test_names_that_say_nothing_are_refused(file):
    with pytest.raises(UsageError):
        IssueQuery.from_filename(file)


def test_the_extra_is_named_when_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "comicfn2dict", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'metron-async\[files\]'"):
        IssueQuery.from_filename("Wolf 1.cbz")

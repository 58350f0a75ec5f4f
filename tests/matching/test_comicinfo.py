"""ComicInfo.xml and MetronInfo.xml: what is read, and what is refused."""

from __future__ import annotations

import contextlib
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metron_async import UsageError
from metron_async.matching.comicinfo import MAX_BYTES, read_comicinfo, read_metroninfo
from metron_async.matching.query import IssueQuery

COMICINFO = """<?xml version="1.0" encoding="utf-8"?>
<ComicInfo xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <Title>The Hunt</Title><Series>Savage Wolf</Series><Number>3</Number><Volume>1966</Volume>
  <Year>1967</Year><Month>2</Month><Day>5</Day><Publisher>Iron Press</Publisher>
  <GTIN>75960608839302211</GTIN>
  <Notes>Tagged with ComicTagger 1.5 using info from Comic Vine. [Issue ID 4711]</Notes>
  <Web>https://metron.cloud/issue/savage-wolf-1966-3/ https://www.comics.org/issue/815/</Web>
</ComicInfo>"""

METRONINFO = """<?xml version="1.0" encoding="UTF-8"?>
<MetronInfo>
  <IDS><ID source="Metron" primary="true">290431</ID><ID source="Comic Vine">12345</ID>
  <ID source="Grand Comics Database">815</ID><ID source="League of Comic Geeks">9</ID></IDS>
  <Publisher id="12"><Name>Iron Press</Name></Publisher>
  <Series id="65478"><Name>Savage Wolf</Name><Volume>1</Volume><StartYear>1966</StartYear></Series>
  <CollectionTitle>The Hunt</CollectionTitle><Number>3</Number>
  <CoverDate>1967-02-01</CoverDate><StoreDate>1966-12-07</StoreDate>
  <GTIN><ISBN>9781234567897</ISBN><UPC>75960608839302211</UPC></GTIN>
</MetronInfo>"""


def test_comicinfo():
    assert IssueQuery.from_comicinfo(COMICINFO.encode()) == IssueQuery(
        series="Savage Wolf",
        number="3",
        volume=1966,
        year=1967,
        cover_date=dt.date(1967, 2, 5),
        publisher="Iron Press",
        title="The Hunt",
        upc="75960608839302211",
        cv_id=4711,
        gcd_id=815,
    )


def test_metroninfo():
    assert IssueQuery.from_metroninfo(METRONINFO.encode()) == IssueQuery(
        metron_id=290431,
        cv_id=12345,
        gcd_id=815,
        series="Savage Wolf",
        series_id=65478,
        number="3",
        volume=1,
        year=1967,
        cover_date=dt.date(1967, 2, 1),
        store_date=dt.date(1966, 12, 7),
        publisher="Iron Press",
        title="The Hunt",
        upc="75960608839302211",
    )


def test_the_ids_of_another_source_are_not_taken_for_metrons():
    text = METRONINFO.replace(' primary="true"', "").replace(
        '"Comic Vine"', '"Comic Vine" primary="true"'
    )
    assert IssueQuery.from_metroninfo(text.encode()).series_id is None


def comicinfo(inner: str) -> dict[str, object]:
    return read_comicinfo(f"<ComicInfo><Series>Wolf</Series>{inner}</ComicInfo>".encode())


@pytest.mark.parametrize(
    ("inner", "fields"),
    [
        ("<Web>https://comicvine.gamespot.com/savage-wolf-3/4000-4711/</Web>", {"cv_id": 4711}),
        ("<Web>https://comicvine.gamespot.com/savage-wolf/4050-99/</Web>", {}),  # a series
        ("<Notes>Tagged with metron-tagger using info from Metron. [issue_id:5]</Notes>", {}),
        ("<Notes>metron-tagger, Metron. [Issue ID 5]</Notes>", {"metron_id": 5}),
        ("<Notes>[CV123] [GCD-77]</Notes>", {"cv_id": 123, "gcd_id": 77}),
        ("<Notes>Read on 2020-01-01 [Issue ID 5]</Notes>", {}),  # of which source?
        ("<Number>1</Number><Format>Annual</Format>", {"number": "Annual 1"}),
        ("<Volume>-1</Volume><Year>-1</Year><Month>-1</Month>", {}),
        ("<Year>2020</Year><Month>2</Month><Day>31</Day>", {"year": 2020}),
        ("<Year>2020</Year><Month>2</Month>", {"year": 2020, "cover_date": dt.date(2020, 2, 1)}),
        ("<GTIN>not a code</GTIN>", {}),
        ("<Number>  </Number><Title/>", {}),
        ("<Publisher>A\tB\n C</Publisher>", {"publisher": "A B C"}),
    ],
)
def test_parts_of_comicinfo(inner, fields):
    assert comicinfo(inner) == {"series": "Wolf", **fields}


def test_an_annual_of_an_annual_is_not_doubled():
    xml = b"<ComicInfo><Series>Wolf Annual</Series><Number>1</Number><Format>Annual</Format>"
    assert read_comicinfo(xml + b"</ComicInfo>")["number"] == "1"


@pytest.mark.parametrize(
    ("xml", "message"),
    [
        (b"", "not well-formed"),
        (b"not xml", "not well-formed"),
        (b"<ComicInfo>", "not well-formed"),
        (b"<ComicInfo/><ComicInfo/>", "not well-formed"),
        (b"\xff\xfe\x00", "not well-formed"),
        (b'<?xml version="1.0" encoding="no-such"?><ComicInfo/>', "not well-formed"),
        (b"<MetronInfo/>", "expected the root element ComicInfo"),
        (b"<ComicInfo/>", "Nothing in the query identifies"),
        (b"<!DOCTYPE ComicInfo><ComicInfo/>", "document types and entities are not allowed"),
        (
            b'<!DOCTYPE c [<!ENTITY x SYSTEM "file:///etc/passwd">]><ComicInfo>&x;</ComicInfo>',
            "document types and entities",
        ),
        (
            b'<!DOCTYPE c [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><ComicInfo>&b;</ComicInfo>',
            "document types and entities",
        ),
        (b"<ComicInfo>" + b"<a>" * 100 + b"</a>" * 100 + b"</ComicInfo>", "levels"),
        (b"<ComicInfo>" + b"<a/>" * 20_001 + b"</ComicInfo>", "elements"),
        (b"<ComicInfo>" + b" " * MAX_BYTES + b"</ComicInfo>", "expected at most"),
    ],
)
def test_what_is_not_safe_or_not_comicinfo_is_refused(xml, message):
    with pytest.raises(UsageError, match=message):
        IssueQuery.from_comicinfo(xml)


def test_text_is_not_a_document():
    with pytest.raises(UsageError, match="expected the document as bytes, got str"):
        IssueQuery.from_comicinfo("<ComicInfo/>")


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(xml):
    for read in (read_comicinfo, read_metroninfo):
        with contextlib.suppress(UsageError):
            read(xml)


def test_a_metroninfo_may_be_bare():
    xml = b"<MetronInfo><Series><Name>Wolf</Name></Series></MetronInfo>"
    assert read_metroninfo(xml) == {"series": "Wolf"}
    assert read_metroninfo(b"<MetronInfo/>") == {}
    xml = b"<MetronInfo><IDS><ID source='Metron'>5</ID></IDS><Stories><Story>A</Story></Stories>"
    assert read_metroninfo(xml + b"<Publisher>P</Publisher></MetronInfo>") == {
        "metron_id": 5,
        "title": "A",
        "publisher": "P",
    }

"""Files of comics: where they are, what they say, and their sidecars."""

from __future__ import annotations

import datetime as dt
import json
import sys
import zipfile

import pytest
from support.match_rows import full, row

from metron_async import NotFoundError, UsageError
from metron_async.matching.decide import Match, decide, row_of
from metron_async.matching.files import SIDECAR, find_comics, read_comic, write_match
from metron_async.matching.query import IssueQuery

COMICINFO = b"<ComicInfo><Series>Lone Wolf</Series><Number>4</Number><Year>1970</Year></ComicInfo>"
METRONINFO = (
    b"<MetronInfo><IDS><ID source='Metron'>815</ID></IDS><Series><Name>Lone Wolf</Name></Series>"
    b"<Number>5</Number><CoverDate>1970-03-01</CoverDate></MetronInfo>"
)


@pytest.fixture
def comic(tmp_path):
    return tmp_path / "Savage Wolf 003 (1966).cbz"


def pack(path, **documents):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("page1.jpg", b"")
        for name, data in documents.items():
            archive.writestr(name.replace("__", "/") + ".xml", data)


def test_comics_are_found_in_files_and_folders(tmp_path):
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    for name in ("b.cbz", "a.CBR", "deep/c.pdf", "deep/deeper/d.cb7", "notes.txt", "x.cbz.json"):
        (tmp_path / name).touch()
    found = find_comics([tmp_path / "b.cbz", tmp_path, tmp_path / "notes.txt"])
    assert [path.name for path in found] == ["b.cbz", "a.CBR", "c.pdf", "d.cb7", "notes.txt"]
    with pytest.raises(UsageError, match="No such file or folder"):
        find_comics([tmp_path / "none"])


def test_the_name_is_read(comic):
    comic.touch()
    assert read_comic(comic).query == IssueQuery(series="Savage Wolf", number="003", year=1966)


def test_what_is_inside_is_better_than_the_name(comic):
    pack(comic, ComicInfo=COMICINFO)
    assert read_comic(comic).query == IssueQuery(series="Lone Wolf", number="4", year=1970)
    pack(comic, ComicInfo=COMICINFO, deep__ComicInfo=b"<ComicInfo/>", METRONINFO=METRONINFO)
    assert read_comic(comic).query == IssueQuery(
        metron_id=815, series="Lone Wolf", number="5", year=1970, cover_date=dt.date(1970, 3, 1)
    )


def test_what_is_inside_adds_to_the_name_where_it_lacks_the_number(comic):
    pack(comic, ComicInfo=b"<ComicInfo><Series>X</Series><Publisher>Iron</Publisher></ComicInfo>")
    assert read_comic(comic).query == IssueQuery(
        series="Savage Wolf", number="003", year=1966, publisher="Iron"
    )


@pytest.mark.parametrize(
    "broken",
    [
        b"<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]><ComicInfo>&y;</ComicInfo>",
        b"<ComicInfo",
        b"<ComicInfo>" + b" " * (2 << 20) + b"</ComicInfo>",
    ],
)
def test_a_broken_document_says_nothing(comic, broken):
    pack(comic, ComicInfo=broken)
    assert read_comic(comic).query.series == "Savage Wolf"


def test_a_broken_archive_says_nothing(comic):
    pack(comic, ComicInfo=COMICINFO)
    data = bytearray(comic.read_bytes())
    data[30:90] = b"\xff" * 60
    comic.write_bytes(data)
    assert read_comic(comic).query.series == "Savage Wolf"


def test_the_sidecar_is_best(comic):
    pack(comic, ComicInfo=COMICINFO)
    sidecar = comic.with_name(comic.name + SIDECAR)
    sidecar.write_text(json.dumps({"cv_id": "99", "year": 1971, "number": "7", "else": 1}))
    assert read_comic(comic).query == IssueQuery(
        cv_id=99, series="Lone Wolf", number="7", year=1971
    )


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"match": 3}', '{"match": {"issue": 5}}'])
def test_a_damaged_sidecar_is_no_obstacle(comic, text):
    comic.touch()
    comic.with_name(comic.name + SIDECAR).write_text(text)
    read = read_comic(comic)
    assert read.query.series == "Savage Wolf"
    assert read.issue_id is None
    assert not read.has_detail


def test_a_file_that_says_nothing_has_a_problem(tmp_path, monkeypatch):
    path = tmp_path / "[].cbz"
    path.touch()
    read = read_comic(path)
    assert read.query is None
    assert "identifies an issue" in read.problem
    monkeypatch.setitem(sys.modules, "comicfn2dict", None)
    assert "metron-async[files]" in read_comic(path).problem
    pack(path, ComicInfo=COMICINFO)
    assert read_comic(path).query.series == "Lone Wolf"


def test_what_was_found_is_written_beside_the_file(comic):
    comic.touch()
    hints = comic.with_name(comic.name + SIDECAR)
    hints.write_text('{"year": 1967}')
    before = read_comic(comic)
    assert not before.tried
    match = decide(before.query, [row_of(row(id=8))], how="series")
    assert write_match(before, match) == hints
    after = read_comic(comic)
    assert (after.issue_id, after.tried, after.has_detail) == (8, True, False)
    assert after.sidecar["year"] == 1967
    assert after.sidecar["match"]["candidates"][0]["reasons"][0] == "series Savage Wolf"
    write_match(after, Match(query=before.query, issue=row(id=8), detail=full(id=8)))
    assert read_comic(comic).has_detail
    assert [path.name for path in comic.parent.iterdir()].count(hints.name) == 1
    assert not list(comic.parent.glob("*.tmp"))


def test_what_was_not_found_is_written_too(comic):
    comic.touch()
    read = read_comic(comic)
    write_match(read, Match(query=read.query, why="no issue found", error=NotFoundError("x")))
    after = read_comic(comic)
    assert (after.issue_id, after.tried) == (None, True)

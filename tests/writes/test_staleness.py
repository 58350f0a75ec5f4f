"""Which answers a write makes stale, as plain values."""

from datetime import date

import msgspec
import pytest

from metron_async import AsyncMetron
from metron_async import models as m
from metron_async._engine.messages import Request, Stale
from metron_async.cache import Kind
from metron_async.resources.staleness import _EMBEDDED, of_account, of_credits, of_edit, of_variant
from metron_async.resources.writable import Writable, sent_fields


def told(stale):
    """Return *stale* in short: ``issue/5``, ``issue`` for all details, ``issue*`` for lists."""
    assert len(stale) == len(set(stale)), "nothing is dropped twice"
    signs = {Kind.DETAIL: "", Kind.LIST: "*", Kind.ISSUE_LIST: "/issues", Kind.PRIVATE: "!"}
    return {
        one.resource + signs[one.kind] + (f"/{one.object_id}" if one.object_id else "")
        for one in stale
    }


ISSUE_ROWS = {"issue*", "arc/issues", "character/issues", "series/issues", "team/issues"}
ISSUE_ROWS |= {"collection!", "pull_list!", "reading_list!", "wish_list!"}
SERIES_ROWS = {"series*", "publisher*"}


@pytest.mark.parametrize("resource", ["arc", "character", "creator", "team", "universe"])
def test_a_description_stales_the_object_and_its_lists_only(resource):
    assert told(of_edit(resource, {"desc": "x"}, 5)) == {f"{resource}*", f"{resource}/5"}


@pytest.mark.parametrize(
    ("resource", "embedders"),
    [
        ("arc", {"issue"}),
        ("character", {"issue"}),
        ("creator", {"issue", "character", "team"}),
        ("team", {"issue", "character"}),
        ("universe", {"issue", "character", "team"}),
        ("imprint", {"issue", "series", "issue*", *SERIES_ROWS}),
        ("publisher", {"issue", "series", "imprint", "universe", "issue*", *SERIES_ROWS}),
        ("series", {"issue", "series", *ISSUE_ROWS, *SERIES_ROWS}),
    ],
)
def test_a_new_name_stales_whatever_shows_it(resource, embedders):
    own = {f"{resource}*", f"{resource}/5"}
    more = {"publisher*", "pull_list!"} if resource == "series" else set()
    assert told(of_edit(resource, {"name": "x", "desc": "y"}, 5)) == own | more | embedders


def test_an_issue_stales_itself_and_all_rows_of_issues():
    assert told(of_edit("issue", {"desc": "x", "characters": [1]}, 5)) == {"issue/5", *ISSUE_ROWS}


def test_another_number_or_series_stales_reprints_and_counts():
    for field in ("number", "series"):
        stale = told(of_edit("issue", {field: 3}, 5))
        assert stale == {"issue/5", "issue", "series", *ISSUE_ROWS, *SERIES_ROWS}


def test_a_new_issue_stales_its_series_and_no_other():
    stale = told(of_edit("issue", {"series": 3, "number": "1"}, 9, created=True))
    assert stale == {"issue/9", "series/3", *ISSUE_ROWS, *SERIES_ROWS}


def test_a_new_object_of_unknown_id_stales_lists():
    assert told(of_edit("creator", {"name": "x"}, None, created=True)) == {"creator*"}


def test_credits_and_variants_stale_their_issues():
    assert told(of_credits({2, 1})) == {"issue/1", "issue/2", *ISSUE_ROWS}
    assert told(of_variant({1})) == {"issue/1", *ISSUE_ROWS}
    assert told(of_variant(None)) == {"issue", *ISSUE_ROWS}


def test_account_writes_stale_what_is_personal():
    assert told(of_account("wish_list", "collection")) == {"wish_list!", "collection!"}


def test_stale_covers_requests_as_the_cache_selects_entries():
    detail = Request("issue/5/", resource="issue", kind=Kind.DETAIL, object_id=5)
    assert Stale("issue", Kind.DETAIL, 5).covers(detail)
    assert Stale("issue", Kind.DETAIL).covers(detail)
    assert not Stale("issue", Kind.DETAIL, 6).covers(detail)
    assert not Stale("issue", Kind.LIST).covers(detail)
    assert not Stale("arc", Kind.DETAIL, 5).covers(detail)


def writables():
    names = ("arcs", "characters", "creators", "imprints", "issues")
    names += ("publishers", "series", "teams", "universes")
    metron = AsyncMetron(token="t", cache=None)
    return [getattr(metron, name) for name in names]


@pytest.mark.parametrize("namespace", writables(), ids=lambda one: one._path)
def test_the_table_names_fields_that_exist(namespace):
    assert isinstance(namespace, Writable)
    fields, _ = _EMBEDDED[namespace._path]
    assert fields <= set(namespace._input.__struct_fields__)


@pytest.mark.parametrize("namespace", writables(), ids=lambda one: one._path)
def test_whatever_embeds_the_object_is_in_the_table(namespace):
    """Read off the models: each detail with a field that refers to this resource."""
    referring = {
        "arc": {"arcs"},
        "character": {"characters"},
        "creator": {"creators", "credits"},
        "imprint": {"imprint"},
        "issue": {"reprints"},
        "publisher": {"publisher"},
        "series": {"series", "associated"},
        "team": {"teams"},
        "universe": {"universes"},
    }
    details = {
        "arc": m.Arc, "character": m.Character, "creator": m.Creator, "imprint": m.Imprint,
        "issue": m.Issue, "publisher": m.Publisher, "series": m.Series, "team": m.Team,
        "universe": m.Universe,
    }  # fmt: skip
    path = namespace._path
    embedders = {
        name for name, model in details.items() if referring[path] & set(model.__struct_fields__)
    }
    _, elsewhere = _EMBEDDED[path]
    dropped = {one.resource for one in elsewhere if one.kind is Kind.DETAIL}
    assert embedders <= dropped


def test_sent_fields_are_those_that_are_set():
    data = m.IssueInput(number="", price=None, arcs=[], cover_date=date(2024, 1, 1))
    assert sent_fields(data) == {
        "number": "",
        "price": None,
        "arcs": [],
        "cover_date": date(2024, 1, 1),
    }
    assert sent_fields(m.IssueInput()) == {}
    assert msgspec.UNSET not in sent_fields(m.SeriesInput(name="x")).values()

"""Every filter, against a plain reading of the catalogue."""

import datetime as dt

import pytest

from metron_async.testing import FakeMetron
from metron_async.testing._server.messages import HttpError

FAKE = FakeMetron(issues=1500, today=dt.date(2026, 11, 20))
CAT = FAKE.catalogue
T = CAT.tables


def found(kind, **params):
    records = (
        CAT.ordered(kind) if kind != "collection" else FAKE.accounts["reader"].shelf.items.values()
    )
    text = {name: str(value) for name, value in params.items()}
    return {record.id for record in FAKE._core.state.selection.select(kind, list(records), text)}


def issues_where(test):
    return {issue.id for issue in T.issue.values() if test(issue)}


def series_of(issue):
    return T.series[issue.series]


ISSUE = T.issue[700]
DAY = ISSUE.store_date
CREDIT = CAT.credits(ISSUE)[0]
CHARACTER = CAT.related(ISSUE, "characters")[0]

ISSUE_CASES = {
    "series_id": (series_of(ISSUE).id, lambda i: i.series == ISSUE.series),
    "number": ("80.bey", lambda i: i.number == "80.BEY"),
    "alt_number": ("605", lambda i: i.alt_number == "605"),
    "sku": (ISSUE.sku.lower(), lambda i: i.sku == ISSUE.sku),
    "upc_starts_with": ("761941200000", lambda i: i.upc.startswith("761941200000")),
    "cv_id": (400_700, lambda i: i.cv_id == 400_700),
    "gcd_id": (1_400_700, lambda i: i.gcd_id == 1_400_700),
    "cover_hash": (ISSUE.cover_hash, lambda i: i.cover_hash == ISSUE.cover_hash),
    "cover_year": (2026, lambda i: i.cover_date.year == 2026),
    "cover_month": (3, lambda i: i.cover_date.month == 3),
    "store_date": (DAY, lambda i: i.store_date == DAY),
    "store_date_range_after": (DAY, lambda i: i.store_date is not None and i.store_date >= DAY),
    "store_date_range_before": (DAY, lambda i: i.store_date is not None and i.store_date <= DAY),
    "foc_date_range_before": (DAY, lambda i: i.foc_date is not None and i.foc_date <= DAY),
    "cover_date_range_after": ("2026-05-01", lambda i: i.cover_date >= dt.date(2026, 5, 1)),
    "missing_cv_id": ("true", lambda i: i.cv_id is None),
    "missing_gcd_id": ("False", lambda i: i.gcd_id is not None),
    "rating": ("mature", lambda i: T.rating[i.rating].name == "Mature"),
    "series_name": (
        "lost wolf",
        lambda i: {"lost", "wolf"} <= set(series_of(i).name.lower().replace(":", "").split()),
    ),
    "series_volume": (2, lambda i: series_of(i).volume == 2),
    "series_year_began": (2026, lambda i: series_of(i).year_began == 2026),
    "series_alt_names": ("CAFÉ", lambda i: bool(series_of(i).alt_names)),
    "series_q": (
        "noir",
        lambda i: "noir" in (series_of(i).name + "".join(series_of(i).alt_names)).lower(),
    ),
    "publisher_name": ("MARVELLE", lambda i: series_of(i).publisher == 1),
    "publisher_id": (2, lambda i: series_of(i).publisher == 2),
    "imprint_id": (2, lambda i: series_of(i).imprint == 2),
    "imprint_name": ("ultim", lambda i: series_of(i).imprint == 2),
    "character_id": (CHARACTER, lambda i: CHARACTER in CAT.related(i, "characters")),
    "team_id": (3, lambda i: 3 in CAT.related(i, "teams")),
    "universe_id": (3, lambda i: 3 in CAT.related(i, "universes")),
    "creator_id": (CREDIT.creator, lambda i: CREDIT.creator in {c.creator for c in CAT.credits(i)}),
    "role_id": ("1, 2", lambda i: {1, 2} & {role for c in CAT.credits(i) for role in c.roles}),
    "modified_gt": (ISSUE.modified.isoformat(), lambda i: i.modified > ISSUE.modified),
    "modified_lt": (ISSUE.modified.isoformat(), lambda i: i.modified < ISSUE.modified),
}


@pytest.mark.parametrize("name", ISSUE_CASES)
def test_filters_of_issues(name):
    value, test = ISSUE_CASES[name]
    expected = issues_where(test)
    assert found("issue", **{name: value}) == expected
    assert expected != set(T.issue), "the case shows nothing"
    assert expected or name in {"imprint_name", "imprint_id", "cv_id", "gcd_id"}, "nor does this"


SERIES_CASES = {
    "name": ("wolf LOST", lambda s: "lost" in s.name.lower() and "wolf" in s.name.lower()),
    "q": (
        "café noir",
        lambda s: all(w in (s.name + "\n".join(s.alt_names)).lower() for w in ("café", "noir")),
    ),
    "alt_names": ("noir", lambda s: bool(s.alt_names)),
    "status": (4, lambda s: s.status == 4),
    "language": ("fr", lambda s: s.language == "fr"),
    "series_type": ("ongoing", lambda s: s.series_type == 1),
    "series_type_id": (11, lambda s: s.series_type == 11),
    "volume": (2, lambda s: s.volume == 2),
    "year_began": (2026, lambda s: s.year_began == 2026),
    "year_end": (1999, lambda s: s.year_end == 1999),
    "publisher_id": (1, lambda s: s.publisher == 1),
    "publisher_name": ("city", lambda s: s.publisher == 2),
    "imprint_id": (1, lambda s: s.imprint == 1),
    "imprint_name": ("vertig", lambda s: s.imprint == 1),
    "missing_cv_id": ("1", lambda s: s.cv_id is None),
    "missing_gcd_id": ("0", lambda s: s.gcd_id is not None),
    "character_id": (
        CHARACTER,
        lambda s: any(
            CHARACTER in CAT.related(i, "characters") for i in CAT.issues_of_series(s.id)
        ),
    ),
    "role_id": (
        14,
        lambda s: any(14 in c.roles for i in CAT.issues_of_series(s.id) for c in CAT.credits(i)),
    ),
}


@pytest.mark.parametrize("name", SERIES_CASES)
def test_filters_of_series(name):
    value, test = SERIES_CASES[name]
    assert found("series", **{name: value}) == {s.id for s in T.series.values() if test(s)}


def test_filters_of_publishers_universes_and_words():
    assert found("publisher", name="COMICS", q="marvelle group") == {1}
    assert found("publisher", alt_names="group") == {1, 5, 9}
    assert found("universe", designation="2") == {2, 12, *range(20, 25)}
    assert found("role", name="write") == {1}
    assert found("series_type", name="series") == {1, 2, 11}


ITEMS = FAKE.accounts["reader"].shelf.items
NEW_YORK = dt.timezone(dt.timedelta(hours=-5))
COLLECTION_CASES = {
    "book_format": ("PRINT", lambda i: i.book_format == "PRINT"),
    "purchase_store": ("café", lambda i: "Café" in i.purchase_store),
    "storage_location": ("box 3", lambda i: i.storage_location == "Long Box 3"),
    "issue__series": (1, lambda i: T.issue[i.issue].series == 1),
    "is_read": ("true", lambda i: i.is_read),
    "grade": ("9.8", lambda i: i.grade == 9.8),
    "grading_company": ("CGC", lambda i: i.grading_company == "CGC"),
    "rating": (5, lambda i: i.rating == 5),
    "purchase_date_gt": (
        "2026-01-01",
        lambda i: i.purchase_date is not None and i.purchase_date > dt.date(2026, 1, 1),
    ),
    "purchase_date_lte": (
        "2026-01-01",
        lambda i: i.purchase_date is not None and i.purchase_date <= dt.date(2026, 1, 1),
    ),
    "date_read_lt": (
        "2026-03-01",
        lambda i: (
            i.date_read is not None
            and i.date_read.astimezone(NEW_YORK).date() < dt.date(2026, 3, 1)
        ),
    ),
    "date_read_gte": (
        "2026-03-01",
        lambda i: (
            i.date_read is not None
            and i.date_read.astimezone(NEW_YORK).date() >= dt.date(2026, 3, 1)
        ),
    ),
}


@pytest.mark.parametrize("name", COLLECTION_CASES)
def test_filters_of_collections(name):
    value, test = COLLECTION_CASES[name]
    expected = {item.id for item in ITEMS.values() if test(item)}
    assert found("collection", **{name: value}) == expected
    assert 0 < len(expected) < len(ITEMS)


def test_what_the_reference_lists_for_collections_and_the_server_ignores():
    ignored = {"series_name": "zzz", "issue_number": "x", "publisher_id": "99", "imprint_name": "q"}
    assert found("collection", **ignored) == set(ITEMS)


def test_filters_of_reading_lists():
    lists = T.reading_list
    assert found("reading_list", username="EDIT", user=1) == set(lists)
    assert found("reading_list", is_private="true") == {3}
    assert found("reading_list", name="guide 05") == {9}
    assert found("reading_list", average_rating__gte="4") == {
        r.id for r in lists.values() if r.average_rating
    }
    assert found("reading_list", attribution_source="CBRO") == {
        r.id for r in lists.values() if r.attribution_source == "CBRO"
    }
    assert found("reading_list", list_type="EVENT") == {
        r.id for r in lists.values() if r.list_type == "EVENT"
    }
    some = found("reading_list", publisher="detective")
    assert 0 < len(some) < len(lists)


BAD = {
    ("issue", "cv_id"): ("x", "Enter a number."),
    ("issue", "cover_year"): ("nan", "Enter a number."),
    ("issue", "foc_date"): ("2026-13-01", "Enter a valid date."),
    ("issue", "modified_gt"): ("2026-01-01T00:00:00 00:00", "Enter a valid date/time."),
    ("issue", "role_id"): ("1,writer", "Enter a number."),
    ("series", "status"): (
        "Ongoing",
        "Select a valid choice. Ongoing is not one of the available choices.",
    ),
    ("series", "language"): (
        "xx",
        "Select a valid choice. xx is not one of the available choices.",
    ),
    ("collection", "rating"): (
        "6",
        "Select a valid choice. 6 is not one of the available choices.",
    ),
    ("collection", "grade"): (
        "9.7",
        "Select a valid choice. 9.7 is not one of the available choices.",
    ),
    ("collection", "book_format"): (
        "Print",
        "Select a valid choice. Print is not one of the available choices.",
    ),
}


@pytest.mark.parametrize("case", BAD, ids="-".join)
def test_bad_values_are_refused_with_the_fields_message(case):
    value, message = BAD[case]
    with pytest.raises(HttpError) as caught:
        found(case[0], **{case[1]: value})
    assert caught.value.reply.status == 400
    assert caught.value.reply.body == {case[1]: [message]}


def test_a_bad_end_of_a_range_is_reported_under_the_ranges_name():
    with pytest.raises(HttpError) as caught:
        found("issue", store_date_range_after="soon", cover_year="x")
    assert set(caught.value.reply.body) == {"store_date_range", "cover_year"}


def test_empty_values_and_unknown_names_are_ignored():
    assert found("issue", series=1, cv_id="", modified_gt=" ") == set(T.issue)


def test_a_naive_date_time_is_new_yorks():
    moment = ISSUE.modified
    winter = (moment - dt.timedelta(hours=5)).replace(tzinfo=None)
    summer = (moment - dt.timedelta(hours=4)).replace(tzinfo=None)
    exact = issues_where(lambda i: i.modified > moment)
    assert exact in (found("issue", modified_gt=winter), found("issue", modified_gt=summer))


def test_older_servers_ignore_the_newer_filters():
    old = FakeMetron(issues=50, newer=False)
    for name in ("modified_lt", "cover_date_range_after", "cover_date_range_before"):
        assert name not in old._core.state.selection.filters("issue")
        assert name in FAKE._core.state.selection.filters("issue")
    assert "modified_lt" in FAKE._core.state.selection.filters("collection")

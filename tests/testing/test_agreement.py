"""Measured behavior of the real server that no recording shows: limits, odd values, costs.

One test per kind of difference that once was between the fake and the server. The recorded
exchanges are replayed in test_replay.py.
"""

import datetime as dt
import json

import pytest
from support.bare import client_of
from support.virtual import on_virtual_time

from metron_async.testing import FakeMetron

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
COSTS = "x-ratelimit-burst-remaining"
KEPT = ["arc", "character", "creator", "publisher", "team", "universe"]


@pytest.fixture
def fake():
    return FakeMetron(issues=300, throttle=False, today=dt.date(2026, 11, 20))


# -- images ----------------------------------------------------------------------------------------


def without_image():
    return [{"data": {"image": ""}}, {"files": {"image": ("empty.png", b"")}}]


@pytest.mark.parametrize("kind", KEPT)
@on_virtual_time
async def test_an_image_is_kept_where_none_is_sent(fake, kind):
    async with client_of(fake, "editor") as client:
        picture = {"image": ("c.png", PNG)}
        before = (await client.patch(f"{kind}/1/", files=picture)).json()["image"]
        assert before.endswith("/c.png")
        for sent in without_image():
            kept = await client.patch(f"{kind}/1/", **sent)
            assert (kept.status_code, kept.json()["image"]) == (200, before)


@on_virtual_time
async def test_the_image_of_an_imprint_is_cleared(fake):
    async with client_of(fake, "editor") as client:
        for sent in without_image():
            await client.patch("imprint/1/", files={"image": ("c.png", PNG)})
            cleared = await client.patch("imprint/1/", **sent)
            assert (cleared.status_code, cleared.json()["image"]) == (200, None)


@on_virtual_time
async def test_the_image_of_an_issue_cannot_be_cleared(fake):
    async with client_of(fake, "editor") as client:
        for sent in [*without_image(), {"json": {"image": None}}]:
            refused = await client.patch("issue/1/", **sent)
            assert refused.status_code == 400
            assert refused.json() == {"image": ["This field may not be null."]}


# -- unique values, required fields ----------------------------------------------------------------


@pytest.mark.parametrize("kind", [*KEPT, "imprint", "series", "issue"])
@on_virtual_time
async def test_ids_of_other_databases_are_unique(fake, kind):
    names = {"gcd_id": "gcd id"} | ({} if kind == "universe" else {"cv_id": "Comic Vine ID"})
    async with client_of(fake, "editor") as client:
        for name, title in names.items():
            first = await client.patch(f"{kind}/1/", data={name: "77"})
            assert first.status_code == 200
            second = await client.patch(f"{kind}/2/", data={name: "77"})
            assert second.status_code == 400
            assert second.json() == {name: [f"{kind} with this {title} already exists."]}
            assert (await client.patch(f"{kind}/1/", data={name: "77"})).status_code == 200
            assert (await client.patch(f"{kind}/2/", data={name: ""})).status_code == 200


@on_virtual_time
async def test_names_that_are_unique_together(fake):
    cases = {
        "universe": (
            {"publisher": 1, "name": "Earth 1", "designation": "1"},
            "publisher, name, designation",
        ),
        "series": (
            {
                name: getattr(fake.catalogue.tables.series[1], name)
                for name in ("publisher", "name", "volume", "series_type")
            }
            | {"sort_name": "x", "year_began": 2000, "status": 1},
            "publisher, name, volume, series_type",
        ),
    }
    async with client_of(fake, "editor") as client:
        for kind, (values, names) in cases.items():
            refused = await client.post(f"{kind}/", data=values)
            assert refused.status_code == 400
            message = f"The fields {names} must make a unique set."
            assert refused.json() == {"non_field_errors": [message]}
            made = await client.post(f"{kind}/", data=values | {"name": "Another"})
            assert made.status_code == 201
            path = f"{kind}/{made.json()['id']}/"
            moved = await client.patch(path, data={"name": values["name"]})
            assert moved.json() == {"non_field_errors": [message]}


@on_virtual_time
async def test_required_fields(fake):
    required = ["This field is required."]
    async with client_of(fake, "editor") as client:
        universe = await client.post("universe/", data={"name": "x", "publisher": "1"})
        assert universe.json() == {"designation": required}
        series = await client.post("series/", json={"name": "x"})
        assert series.json()["status"] == required


# -- credits and lists -----------------------------------------------------------------------------


@on_virtual_time
async def test_credits_are_an_array_with_roles(fake):
    creator = fake.add_creator("New").id
    row = {"issue": 1, "creator": creator, "role": [1]}
    async with client_of(fake, "editor") as client:
        single = await client.post("credit/", json=row)
        assert single.status_code == 400
        message = 'Expected a list of items but got type "dict".'
        assert single.json() == {"non_field_errors": [message]}
        idle = await client.post("credit/", json=[row | {"role": []}])
        assert idle.json() == {"0": {"role": ["This list may not be empty."]}}
        assert (await client.post("credit/", json=[row])).status_code == 201


@on_virtual_time
async def test_errors_of_list_items_are_nested(fake):
    blank, null = "This field may not be blank.", "This field may not be null."
    async with client_of(fake, "editor") as client:
        names = await client.patch("issue/1/", json={"name": ["One", "", None, "x" * 151]})
        longest = "Ensure this field has no more than 150 characters."
        assert names.json() == {"name": {"1": [blank], "2": [null], "3": [longest]}}
        alias = await client.patch("creator/1/", data={"alias": ["a", ""]})
        assert alias.json() == {"alias": {"1": [blank]}}
        other = await client.patch("series/1/", json={"alt_names": [""]})
        assert other.json() == {"alt_names": {"0": [blank]}}


# -- the collection --------------------------------------------------------------------------------


@on_virtual_time
async def test_acquiring_copies_the_desired_grade(fake):
    wish = fake.add_wish_list_item(9, user="reader2", desired_grade=9.4)
    async with client_of(fake, "reader2") as client:
        acquired = (await client.post(f"wish_list/items/{wish.id}/acquire/")).json()
        item = (await client.get(f"collection/{acquired['collection_item_id']}/")).json()
    assert item["grade"] == 9.4


@on_virtual_time
async def test_what_the_database_refuses_is_a_500(fake):
    async with client_of(fake) as client:
        for values in ({"quantity": 40_000}, {"quantity": 10**10}, {"purchase_store": "x" * 256}):
            broken = await client.post("collection/add/", json={"issue_id": 290} | values)
            assert broken.status_code == 500
            assert "html" in broken.headers["content-type"]
        # What the server checks itself comes first.
        wrong = await client.post("collection/add/", json={"issue_id": 0, "quantity": 40_000})
        assert wrong.status_code == 400
        most = await client.post("collection/add/", json={"issue_id": 290, "quantity": 32_767})
        assert most.status_code == 201
    async with client_of(fake, "editor") as client:
        for price in ("1000000", "x"):
            assert (await client.patch("issue/1/", json={"price": price})).status_code == 500
        assert (await client.patch("issue/1/", json={"price": "999999.99"})).status_code == 200


@on_virtual_time
async def test_early_instants(fake):
    async with client_of(fake, "reader2") as client:

        async def read_on(sent, issue=1):
            response = await client.post(
                "collection/scrobble/", json={"issue_id": issue, "date_read": sent}
            )
            return response.json()["date_read"]

        assert await read_on("1883-11-18T16:59:59Z") == "1883-11-18T12:03:57-04:56:02"
        out_of_range = ["Datetime value out of range."]
        for sent in ("0001-01-01T00:00:00Z", "0001-06-01T00:00:00", "9999-12-31T23:59:59-12:00"):
            assert await read_on(sent) == out_of_range
        item = (await client.get("collection/")).json()["results"][0]
        assert [read["read_date"] for read in item["read_dates"]] == [
            "1883-11-18T12:03:57-04:56:02"
        ]
        assert await read_on("0002-06-01T00:00:00Z", issue=2) == "0002-05-31T19:03:58-04:56:02"


# -- filters ---------------------------------------------------------------------------------------


@on_virtual_time
async def test_read_dates_are_filtered_by_new_york_days(fake):
    account = fake.accounts["reader2"]
    fake.add_collection_item(1, user="reader2", read=["2026-03-02T04:59:59Z"])  # 1 March there
    fake.add_collection_item(2, user="reader2", read=["2026-03-02T05:00:00Z"])
    fake.add_collection_item(3, user="reader2")
    assert len(account.shelf.items) == 3
    expected = {
        "date_read": 1,
        "date_read_gt": 1,
        "date_read_lt": 0,
        "date_read_gte": 2,
        "date_read_lte": 1,
    }
    async with client_of(fake, "reader2") as client:
        for name, count in expected.items():
            found = await client.get("collection/", params={name: "2026-03-01"})
            assert found.json()["count"] == count, name
            for instant in ("2026-03-01T00:00:00Z", "2026-03-01T00:00:00-05:00", "20260301"):
                refused = await client.get("collection/", params={name: instant})
                assert refused.status_code == 400
                assert refused.json() == {name: ["Enter a valid date."]}


@on_virtual_time
async def test_what_is_not_a_boolean_is_ignored(fake):
    async with client_of(fake) as client:
        for path, name in (
            ("issue/", "missing_cv_id"),
            ("series/", "missing_gcd_id"),
            ("collection/", "is_read"),
            ("reading_list/", "is_private"),
        ):
            count = (await client.get(path)).json()["count"]
            odd = await client.get(path, params={name: "banana"})
            assert (odd.status_code, odd.json()["count"]) == (200, count)


@on_virtual_time
async def test_years_that_no_date_has_are_a_500(fake):
    async with client_of(fake) as client:
        for year in (99_999, 0, -5):
            broken = await client.get("issue/", params={"cover_year": year})
            assert broken.status_code == 500
            assert "html" in broken.headers["content-type"]
        for year in (9999, 1):
            assert (await client.get("issue/", params={"cover_year": year})).status_code == 200


@on_virtual_time
async def test_nul_in_a_filter_or_a_text(fake):
    message = ["Null characters are not allowed."]
    async with client_of(fake, "editor") as client:
        for path, name in (
            ("arc/", "name"),
            ("issue/", "series_name"),
            ("issue/", "number"),
            ("issue/", "upc_starts_with"),
            ("issue/", "rating"),
            ("publisher/", "q"),
            ("collection/", "purchase_store"),
            ("reading_list/", "username"),
        ):
            refused = await client.get(path, params={name: "a\0b"})
            assert (refused.status_code, refused.json()) == (400, {name: message})
        for path, name in (("issue/1/", "title"), ("series/1/", "desc")):
            refused = await client.patch(path, json={name: "a\0b"})
            assert (refused.status_code, refused.json()) == (400, {name: message})
        form = await client.patch("arc/1/", data={"desc": "a\0b"})
        assert form.json() == {"desc": message}


@on_virtual_time
async def test_codes_and_display_words(fake):
    made = fake.add_reading_list("Both", [1], list_type="EVENT", attribution_source="CBRO")
    async with client_of(fake) as client:
        params = {"list_type": "EVENT", "attribution_source": "CBRO", "name": "Both"}
        (row,) = (await client.get("reading_list/", params=params)).json()["results"]
        assert (row["list_type"], row["attribution_source"]) == ("Event", "CBRO")
        detail = (await client.get(f"reading_list/{made.id}/")).json()
        assert detail["list_type"] == "Event"
        assert detail["attribution_source"] == "Comic Book Reading Orders"
        for name, word in (("list_type", "Event"), ("attribution_source", "Comic Book Herald")):
            assert (await client.get("reading_list/", params={name: word})).status_code == 400
        stats = (await client.get("collection/stats/")).json()
        assert {row["book_format"] for row in stats["by_format"]} <= {"PRINT", "DIGITAL", "BOTH"}
        item = (await client.get("collection/")).json()["results"][0]
        assert item["book_format"] in {"Print", "Digital", "Both"}


@on_virtual_time
async def test_the_missing_issues_of_an_unknown_series_are_none(fake):
    async with client_of(fake) as client:
        unknown = await client.get("collection/missing_issues/999999/")
        assert (unknown.status_code, unknown.json()["count"]) == (200, 0)


# -- requests and what they cost -------------------------------------------------------------------


@on_virtual_time
async def test_html_for_browsers_and_406():
    fake = FakeMetron(issues=20)
    browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    async with client_of(fake) as client:
        for accept in ("text/html", browser, "text/*"):
            page = await client.get("issue/1/", headers={"Accept": accept})
            assert page.status_code == 200
            assert page.headers["content-type"] == "text/html; charset=utf-8"
            assert "<html>" in page.text
        for accept in (
            "application/json",
            "*/*",
            "application/*",
            "text/html, application/json",
            "",
        ):
            assert (await client.get("issue/1/", headers={"Accept": accept})).json()["id"] == 1
        before = int((await client.get("role/")).headers[COSTS])
        refused = await client.get("issue/1/", headers={"Accept": "application/xml"})
        assert refused.status_code == 406
        assert refused.json() == {"detail": "Could not satisfy the request Accept header."}
        assert int((await client.get("role/")).headers[COSTS]) == before - 1
    async with client_of(fake, None) as client:
        anonymous = await client.get("issue/1/", headers={"Accept": "application/xml"})
        assert anonymous.status_code == 406


@on_virtual_time
async def test_a_405_without_permission_is_a_403_at_no_cost():
    fake = FakeMetron(issues=20)
    cases = {
        "reader": [("DELETE", "arc/1/"), ("POST", "role/"), ("PUT", "arc/1/issue_list/")],
        "editor": [("DELETE", "arc/1/"), ("DELETE", "series/"), ("DELETE", "publisher/1/")],
    }
    for account, requests in cases.items():
        async with client_of(fake, account) as client:
            for method, path in requests:
                refused = await client.request(method, path)
                assert refused.status_code == 403
                assert COSTS not in refused.headers
            assert (await client.get("role/")).headers[COSTS] == "19"
            fake.forgive()
    async with client_of(fake) as client:
        wrong = await client.put("collection/stats/")
        assert (wrong.status_code, wrong.headers[COSTS]) == (405, "19")
    fake.add_account("admin", "password", "admin-token", editor=True, may_delete=True)
    async with client_of(fake, "admin") as client:
        wrong = await client.delete("arc/1/")
        assert (wrong.status_code, wrong.headers[COSTS]) == (405, "19")


@on_virtual_time
async def test_head_and_options_cost_a_slot_and_addresses_do_not():
    fake = FakeMetron(issues=20)
    async with client_of(fake) as client:
        assert (await client.head("issue/1/")).headers[COSTS] == "19"
        assert (await client.options("issue/1/")).headers[COSTS] == "18"
        for path, status in (("issue/1", 301), ("nothing/", 404)):
            free = await client.get(path)
            assert (free.status_code, COSTS in free.headers) == (status, False)
        assert (await client.get("issue/99/")).headers[COSTS] == "17"


@on_virtual_time
async def test_vary_and_pages_of_the_framework(fake):
    async with client_of(fake, None) as client:
        for headers in ({}, {"Authorization": "Bearer no"}):
            refused = await client.get("issue/", headers=headers)
            assert refused.headers["vary"] == "Accept, Accept-Language, Cookie"
    async with client_of(fake) as client:
        for path in ("issue/1", "nothing/", "publisher/abc/"):
            page = await client.get(path)
            assert page.headers["vary"] == "Accept-Language"
            assert page.headers["content-type"] == "text/html; charset=utf-8"
            assert "allow" not in page.headers
        assert (await client.get("issue/")).headers["vary"] == "Accept, Accept-Language"


@pytest.mark.parametrize("rid", ["abc", "1_0", "1.5", "1e3", "\uff19"])
@on_virtual_time
async def test_malformed_ids_are_a_500(fake, rid):
    async with client_of(fake) as client:
        broken = await client.get(f"publisher/{rid}/")
        assert broken.status_code == 500
        assert "html" in broken.headers["content-type"]
        assert COSTS in broken.headers


@on_virtual_time
async def test_bodies_that_are_too_large(fake):
    text = "x" * 2_621_440
    picture = {"image": ("c.png", PNG + b"\0" * 3_000_000)}
    json_type = {"Content-Type": "application/json"}
    many = {f"name{number}": "x" for number in range(1000)}
    async with client_of(fake, "editor") as client:
        for sent in (
            {"data": {"desc": text}},
            {"data": {"desc": text + "x"}, "files": {"image": ("c.png", PNG)}},
            {"data": many | {"desc": "x"}},
            {"data": many | {"desc": "x"}, "files": {"image": ("c.png", PNG)}},
        ):
            refused = await client.patch("arc/1/", **sent)
            assert refused.status_code == 400
            assert "html" in refused.headers["content-type"]
            assert COSTS in refused.headers
        body = json.dumps({"desc": text}).encode()
        refused = await client.patch("issue/1/", content=body, headers=json_type)
        assert (refused.status_code, b"<html>" in refused.content) == (400, True)
        assert (await client.patch("arc/1/", data=many)).status_code == 200
        # Files are not text.
        assert (await client.patch("arc/1/", data={"desc": "x"}, files=picture)).status_code == 200


# -- languages -------------------------------------------------------------------------------------


@on_virtual_time
async def test_display_words_follow_accept_language_and_the_cache_does_not():
    fake = FakeMetron(issues=300, throttle=False, detail_cache=86_400)
    fake.touch("series", 1, status=4)
    fake.touch("series", 2, status=4)
    async with client_of(fake) as client:
        german, english = {"Accept-Language": "de-DE, en;q=0.5"}, {"Accept-Language": "en"}
        ongoing = await client.get("series/1/", headers=german)
        assert ongoing.json()["status"] == "Fortlaufend"
        assert ongoing.headers["content-language"] == "de"
        cached = await client.get("series/1/", headers=english)
        assert (cached.json()["status"], cached.headers["x-cache"]) == ("Fortlaufend", "HIT")
        other = await client.get("series/2/", headers={"Accept-Language": "xx, de;q=x, en;q=0.1"})
        assert (other.json()["status"], other.headers["content-language"]) == ("Ongoing", "en")
        rows = (await client.get("collection/", headers={"Accept-Language": "fr"})).json()
        assert {row["book_format"] for row in rows["results"]} <= {
            "Papier",
            "Numérique",
            "Les deux",
        }


# -- the default -----------------------------------------------------------------------------------


@on_virtual_time
async def test_the_default_is_the_newest_server(fake):
    older = FakeMetron(issues=20, newer=False)
    fields = {"publisher", "series_type", "cv_id", "gcd_id"}
    async with client_of(fake) as client:
        row = (await client.get("series/")).json()["results"][0]
        assert fields <= row.keys()
        issue = (await client.get("issue/1/")).json()
        assert {"attribution", "desc_is_solicitation"} <= issue.keys()
        later = {"cover_date_range_after": "2100-01-01"}
        assert (await client.get("issue/", params=later)).json()["count"] == 0
    async with client_of(older) as client:
        row = (await client.get("series/")).json()["results"][0]
        assert not fields & row.keys()
        assert (await client.get("issue/", params=later)).json()["count"] == 20


@on_virtual_time
async def test_newer_servers_take_desc_is_solicitation(fake):
    async with client_of(fake, "editor") as client:
        for sent in (
            {"json": {"desc_is_solicitation": False}},
            {"data": {"desc_is_solicitation": "1"}},
        ):
            written = (await client.patch("issue/1/", **sent)).json()
            expected = "data" in sent
            assert written["desc_is_solicitation"] is expected
        refused = await client.patch("issue/1/", json={"desc_is_solicitation": "perhaps"})
        assert refused.json() == {"desc_is_solicitation": ["Must be a valid boolean."]}

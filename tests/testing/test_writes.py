"""Writes: accepted and refused values, and what they change."""

import datetime as dt
import json
from pathlib import Path

import pytest
from support.bare import client_of
from support.virtual import on_virtual_time

from metron_async.testing import FakeMetron

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
FORM_ONLY = ["arc", "character", "creator", "imprint", "publisher", "team", "universe"]
REQUIRED = "This field is required."


@pytest.fixture
def fake():
    return FakeMetron(issues=300, throttle=False, today=dt.date(2026, 11, 20))


@on_virtual_time
async def test_json_is_refused_where_the_server_takes_forms_only(fake):
    async with client_of(fake, "editor") as client:
        for kind in FORM_ONLY:
            refused = await client.post(f"{kind}/", json={"name": "x"})
            assert refused.status_code == 415
            assert (await client.patch(f"{kind}/1/", json={"desc": "x"})).status_code == 415
            sent = {"name": "Née", "publisher": "1", "designation": ""}
            made = await client.post(f"{kind}/", data=sent)
            assert made.status_code == 201
            read = (await client.get(f"{kind}/{made.json()['id']}/")).json()
            assert read["name"] == "Née"
        for kind in ("issue", "series", "variant", "credit"):
            assert (await client.post(f"{kind}/", json={})).status_code == 400
            assert (await client.post(f"{kind}/", data={})).status_code == 400
        odd = await client.post("arc/", content=b"<x/>", headers={"Content-Type": "text/xml"})
        assert odd.json() == {"detail": 'Unsupported media type "text/xml" in request.'}


@on_virtual_time
async def test_readers_may_not_edit(fake):
    async with client_of(fake) as client:
        for method, path in (
            ("POST", "arc/"),
            ("PATCH", "issue/1/"),
            ("PUT", "series/1/"),
            ("POST", "credit/"),
            ("POST", "variant/"),
            ("PATCH", "variant/1/"),
            ("DELETE", "publisher/1/"),
        ):
            fake.forgive()
            refused = await client.request(method, path)
            assert refused.status_code == 403
            assert refused.json()["detail"].startswith("You do not have permission")
    async with client_of(fake, "editor") as client:
        assert (await client.delete("publisher/1/")).status_code == 403


@on_virtual_time
async def test_put_needs_what_patch_does_not(fake):
    async with client_of(fake, "editor") as client:
        put = await client.put("imprint/1/", data={"desc": "x"})
        assert put.json() == {"name": [REQUIRED], "publisher": [REQUIRED]}
        whole = await client.put("imprint/1/", data={"name": "N", "publisher": "2", "founded": ""})
        assert (whole.json()["founded"], whole.json()["publisher"]) == (None, 2)
        patched = await client.patch("imprint/1/", data={"desc": "x"})
        assert (patched.json()["name"], patched.json()["desc"]) == ("N", "x")
        assert (await client.patch("imprint/999/", data={})).status_code == 404


@on_virtual_time
async def test_clearing_with_json(fake):
    fake.touch(
        "issue", 1, page=3, title="t", arcs=(1, 2), foc_date=dt.date(2026, 1, 1), price="1.00"
    )
    async with client_of(fake, "editor") as client:
        cleared = await client.patch(
            "issue/1/",
            json={"page": None, "title": "", "arcs": [], "foc_date": None, "price": None},
        )
        body = cleared.json()
        assert (body["page"], body["title"], body["arcs"]) == (None, "", [])
        assert (body["foc_date"], body["price"]) == (None, None)
        refused = await client.patch("issue/1/", json={"title": None, "arcs": None, "series": None})
        assert refused.json() == {
            "title": ["This field may not be null."],
            "arcs": ["This field may not be null."],
            "series": ["This field may not be null."],
        }


@on_virtual_time
async def test_clearing_with_a_form(fake):
    fake.touch("series", 1, year_end=2000, desc="d", imprint=1, associated=(2,))
    async with client_of(fake, "editor") as client:
        body = (
            await client.patch(
                "series/1/", data={"year_end": "", "desc": "", "imprint": "", "language": ""}
            )
        ).json()
        assert (body["year_end"], body["desc"], body["imprint"]) == (None, "", None)
        refused = await client.patch("series/1/", data={"associated": ""})
        assert refused.json() == {
            "associated": ["Incorrect type. Expected pk value, received str."]
        }
        both = await client.patch(
            "series/1/", data={"associated": ["3", "4"], "alt_names": ["a", "b"]}
        )
        assert (both.json()["associated"], both.json()["alt_names"]) == ([3, 4], ["a", "b"])
        dates = await client.patch("creator/1/", data={"birth": "", "death": "2001-02-03"})
        assert (dates.json()["birth"], dates.json()["death"]) == (None, "2001-02-03")


BAD_ISSUE = {
    "series": (99999, 'Invalid pk "99999" - object does not exist.'),
    "number": ("", "This field may not be blank."),
    "alt_number": ("x" * 26, "Ensure this field has no more than 25 characters."),
    "title": ([], "Not a valid string."),
    "name": ("One", 'Expected a list of items but got type "str".'),
    "cover_date": (
        "May 2024",
        "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.",
    ),
    "store_date": (5, "Date has wrong format. Use one of these formats instead: YYYY-MM-DD."),
    "price": (
        {"amount": 1, "currency": "XXX"},
        "Invalid currency 'XXX'. Supported: USD, GBP, EUR, ITL",
    ),
    "rating": ("Teen", "Incorrect type. Expected pk value, received str."),
    "page": (40_000, "Ensure this value is less than or equal to 32767."),
    "image": (
        "cover.png",
        "The submitted data was not a file. Check the encoding type on the form.",
    ),
    "arcs": ({"id": 1}, 'Expected a list of items but got type "dict".'),
    "characters": ([True], "Incorrect type. Expected pk value, received bool."),
    "cv_id": (-1, "Ensure this value is greater than or equal to 0."),
    "gcd_id": (1.5, "A valid integer is required."),
}


@on_virtual_time
async def test_messages_of_fields(fake):
    async with client_of(fake, "editor") as client:
        sent = {name: value for name, (value, _) in BAD_ISSUE.items()}
        refused = await client.post("issue/", json=sent)
        assert refused.status_code == 400
        assert refused.json() == {name: [message] for name, (_, message) in BAD_ISSUE.items()}
        missing = await client.post("variant/", json={"issue": 1})
        assert missing.json() == {"image": ["No file was submitted."]}
        files = {"image": ("x.png", b"no picture")}
        text = await client.post("arc/", data={"name": "x"}, files=files)
        assert text.json()["image"][0].startswith("Upload a valid image.")
        choices = await client.post("publisher/", data={"name": "x", "country": "ZZ"})
        assert choices.json() == {"country": ['"ZZ" is not a valid choice.']}


@on_virtual_time
async def test_prices(fake):
    async with client_of(fake, "editor") as client:

        async def price(value, **options):
            sent = options or {"json": {"price": value}}
            response = await client.patch("issue/1/", **sent)
            if response.status_code == 500:
                assert "html" in response.headers["content-type"]
                return 500
            if response.status_code != 200:
                return response.json()["price"][0]
            read = (await client.get("issue/1/")).json()
            assert response.json()["price"] == read["price"]
            return read["price"], read["price_currency"]

        assert await price("3.99") == ("3.99", "USD")
        assert await price(4) == ("4.00", "USD")
        assert await price({"amount": 2.5, "currency": "EUR"}) == ("2.50", "EUR")
        assert await price(0, data={"price": '{"amount": 5, "currency": "ITL"}'}) == ("5.00", "ITL")
        assert await price(0, data={"price": "6.50"}) == ("6.50", "USD")
        assert await price(0) == (None, "")
        assert await price(0, data={"price": ""}) == (None, "")
        assert await price("1.999") == ("2.00", "USD")
        assert await price("999999.99") == ("999999.99", "USD")
        for odd in ("1000000", {"amount": 1e6, "currency": "USD"}, "x", "", True, [1], "NaN"):
            assert await price(odd) == 500
        assert await price(0, data={"price": "{broken"}) == 500
        assert "Supported: USD" in await price({"amount": 1, "currency": "XXX"})


@on_virtual_time
async def test_series_and_number_are_unique(fake):
    async with client_of(fake, "editor") as client:
        first, second = fake.catalogue.issues_of_series(1)[:2]
        clash = await client.patch(f"issue/{second.id}/", json={"number": first.number})
        assert clash.json()["non_field_errors"] == [
            "The fields series, number must make a unique set."
        ]
        same = await client.patch(f"issue/{second.id}/", json={"number": second.number})
        assert same.status_code == 200


@on_virtual_time
async def test_which_modified_an_edit_moves(fake):
    async with client_of(fake, "editor") as client:

        async def modified(path):
            return (await client.get(path)).json()["modified"]

        paths = ["issue/1/", "arc/5/", "character/9/", "series/1/"]
        before = [await modified(path) for path in paths]
        fake.clock.advance(5)
        await client.patch("issue/1/", json={"arcs": [5], "characters": [9]})
        after = [await modified(path) for path in paths]
        assert [one != other for one, other in zip(before, after, strict=True)] == [
            True,
            True,
            True,
            False,
        ]
        fake.clock.advance(5)
        await client.patch("issue/1/", json={"arcs": [5]})
        assert await modified("arc/5/") == after[1]
        fake.clock.advance(5)
        last = await modified("issue/1/")
        await client.post("credit/", json=[{"issue": 1, "creator": 110, "role": [1]}])
        credited = await modified("issue/1/")
        fake.clock.advance(5)
        await client.post("variant/", data={"issue": "1"}, files={"image": ("v.png", PNG)})
        assert last != credited != await modified("issue/1/")


@on_virtual_time
async def test_credits_are_made_together_or_not_at_all(fake):
    async with client_of(fake, "editor") as client:
        one, two = (
            [credit.creator for credit in fake.catalogue.credits(fake.catalogue.tables.issue[rid])]
            for rid in (1, 2)
        )
        new = next(rid for rid in range(1, 99) if rid not in two)
        rows = [
            {"issue": 1, "creator": one[0], "role": [1]},
            {"issue": 1, "creator": 99999, "role": [99]},
            {"issue": 2, "creator": new, "role": [1]},
            {"issue": 2, "creator": new, "role": [2]},
        ]
        refused = await client.post("credit/", json=rows)
        assert refused.status_code == 400
        assert refused.json().keys() == {"0", "1", "3"}
        assert refused.json()["1"].keys() == {"creator", "role"}
        made = await client.post("credit/", json=rows[2:3])
        assert made.status_code == 201
        assert made.json()[0]["role"] == [1]
        form = {"[0]issue": "2", "[0]creator": str(new), "[0]role": ["1", "2"]}
        again = await client.post("credit/", data=form)
        assert again.json().keys() == {"0"}
        assert (await client.post("credit/", data={"issue": "2"})).json() == []
        odd = await client.post("credit/", json=[5])
        message = "Invalid data. Expected a dictionary, but got int."
        assert odd.json() == {"0": {"non_field_errors": [message]}}
        odd = await client.post("credit/", json=5)
        message = 'Expected a list of items but got type "int".'
        assert odd.json() == {"non_field_errors": [message]}
        nothing = await client.post("series/", headers={"Content-Type": "application/json"})
        assert nothing.json()["name"] == [REQUIRED]
        listed = await client.post("series/", json=[{}])
        assert listed.json()["non_field_errors"] == [
            "Invalid data. Expected a dictionary, but got list."
        ]


@on_virtual_time
async def test_variants(fake):
    async with client_of(fake, "editor") as client:
        data = {"issue": "1", "name": "Foil", "price": '{"amount": "9.99", "currency": "GBP"}'}
        made = await client.post("variant/", data=data, files={"image": ("v.png", PNG)})
        body = made.json()
        assert (body["price"], body["price_currency"], body["issue"]) == ("9.99", "GBP", 1)
        patched = await client.patch(f"variant/{body['id']}/", json={"name": "Gold", "price": None})
        assert (patched.json()["name"], patched.json()["price"]) == ("Gold", None)
        put = await client.put(f"variant/{body['id']}/", json={"name": "x"})
        assert put.json().keys() == {"issue", "image"}
        assert (await client.patch("variant/99/", json={})).json() == {
            "detail": "No Variant matches the given query."
        }
        read = (await client.get("issue/1/")).json()["variants"]
        assert read[0].keys() == {"name", "price", "sku", "upc", "image"}


@on_virtual_time
async def test_bodies_that_cannot_be_read(fake):
    async with client_of(fake, "editor") as client:
        broken = await client.post(
            "series/", content=b"{", headers={"Content-Type": "application/json"}
        )
        assert broken.json()["detail"].startswith("JSON parse error")
        parts = await client.post(
            "arc/", content=b"x", headers={"Content-Type": "multipart/form-data; boundary=a"}
        )
        assert parts.status_code == 400
        assert "parse error" in parts.json()["detail"]


@on_virtual_time
async def test_collecting(fake):
    async with client_of(fake, "reader2") as client:
        sent = {
            "issue_id": 5,
            "quantity": 2,
            "book_format": "BOTH",
            "grade": "9.8",
            "grading_company": "CGC",
            "purchase_date": "2026-01-02",
            "purchase_price": "4.5",
            "purchase_price_currency": "GBP",
        }
        added = await client.post("collection/add/", json=sent)
        assert added.status_code == 201
        assert (added.json()["purchase_price"], added.json()["book_format"]) == ("4.50", "Both")
        again = await client.post("collection/add/", data={"issue_id": "5", "quantity": "9"})
        assert again.status_code == 200
        assert again.json() == added.json()
        path = f"collection/{added.json()['id']}/"
        fake.clock.advance(2)
        rated = await client.put(path, json={"rating": 3})
        assert rated.json()["modified"] != added.json()["modified"]
        assert (await client.patch(path, data={"rating": ""})).json()["rating"] is None
        assert (await client.patch(path, json={})).status_code == 200
        for name in ("purchase_store", "storage_location"):
            long = await client.post("collection/add/", json={"issue_id": 6, name: "x" * 256})
            assert long.status_code == 500
            assert "html" in long.headers["content-type"]
        bad = await client.post(
            "collection/add/", json={"quantity": 0, "grade": "100", "book_format": "Print"}
        )
        assert bad.json() == {
            "issue_id": [REQUIRED],
            "quantity": ["Ensure this value is greater than or equal to 1."],
            "grade": ["Ensure that there are no more than 2 digits before the decimal point."],
            "book_format": ['"Print" is not a valid choice.'],
        }
        assert (await client.delete(path)).status_code == 204
        assert (await client.delete(path)).status_code == 404


@on_virtual_time
async def test_scrobbling_adds_a_date_each_time_and_does_not_move_modified(fake):
    async with client_of(fake, "reader2") as client:
        first = await client.post(
            "collection/scrobble/", json={"issue_id": 7, "date_read": "2026-01-08T14:30:00"}
        )
        assert first.status_code == 201
        assert first.json()["date_read"] == "2026-01-08T14:30:00-05:00"
        fake.clock.advance(10)
        for _ in range(2):
            again = await client.post("collection/scrobble/", json={"issue_id": 7, "rating": 4})
            assert again.status_code == 200
            assert again.json()["modified"] == first.json()["modified"]
        item = (await client.get(f"collection/{first.json()['id']}/")).json()
        assert (item["read_count"], len(item["read_dates"]), item["rating"]) == (3, 3, 4)
        assert item["is_read"]
        wrong = await client.post(
            "collection/scrobble/", json={"issue_id": 7, "date_read": "soon", "rating": None}
        )
        assert wrong.json()["date_read"][0].startswith("Datetime has wrong format.")


@on_virtual_time
async def test_pull_and_wish_lists_begin_with_their_first_use(fake):
    async with client_of(fake, "reader2") as client:
        assert (await client.get("pull_list/")).json()["count"] == 0
        added = await client.post("pull_list/series/add/", data={"series_id": "3"})
        assert added.status_code == 201
        assert (
            await client.post("pull_list/series/add/", json={"series_id": 3})
        ).status_code == 200
        one = (await client.get("pull_list/")).json()["results"][0]
        assert (await client.get(f"pull_list/{one['id']}/")).json()["series_count"] == 1
        assert (await client.post("pull_list/series/add/", json={})).json() == {
            "series_id": [REQUIRED]
        }
        assert (await client.delete("pull_list/series/3/remove/")).status_code == 204
        assert (await client.delete("pull_list/series/3/remove/")).status_code == 404

        assert (await client.get("wish_list/")).json()["count"] == 0
        wanted = await client.post(
            "wish_list/items/add/", json={"issue_id": 9, "desired_grade": 9.4, "priority": 1}
        )
        assert (wanted.status_code, wanted.json()["desired_grade"]) == (201, 9.4)
        path = f"wish_list/items/{wanted.json()['id']}"
        assert (await client.get("wish_list/")).json()["results"][0]["item_count"] == 1
        got = await client.post(f"{path}/acquire/", json={"purchase_price": "1.00"})
        assert (got.json()["created"], got.json()["status"]) == (True, "Acquired")
        twice = await client.post(f"{path}/acquire/")
        assert twice.json() | {"created": False} == got.json() | {"created": False}
        assert not twice.json()["created"]
        row = (await client.get("wish_list/items/")).json()["results"][0]
        assert row["status"] == "Acquired"
        bad = await client.post(
            "wish_list/items/add/",
            json={"issue_id": 424242, "priority": 6, "max_price_currency": "DM"},
        )
        assert bad.json().keys() == {"issue_id", "priority", "max_price_currency"}
        assert (await client.delete(f"{path}/remove/")).status_code == 204
        assert (await client.post(f"{path}/acquire/")).status_code == 404


@on_virtual_time
async def test_every_operation_of_the_schema_exists(fake):
    schema = json.loads((Path(__file__).parent.parent / "data" / "openapi.json").read_text())
    async with client_of(fake, "editor") as client:
        for path, operations in schema["paths"].items():
            for method in operations.keys() - {"parameters"}:
                fake.forgive()
                filled = path.removeprefix("/api/")
                for name in ("id", "series_id", "series_pk", "item_pk"):
                    filled = filled.replace(f"{{{name}}}", "1")
                answer = await client.request(method.upper(), filled)
                assert answer.status_code not in {301, 405}, (method, path)
                assert (
                    answer.headers["content-type"] == "application/json"
                    or answer.status_code == 204
                )


@on_virtual_time
async def test_null_and_blank_values(fake):
    async with client_of(fake, "editor") as client:
        files = {"image": ("c.png", PNG)}
        made = (await client.post("arc/", data={"name": "x", "cv_id": ""}, files=files)).json()
        assert made["image"]
        nameless = await client.post("arc/", data={"name": "y"}, files={"image": ("", PNG)})
        assert nameless.status_code in {201, 400}
    async with client_of(fake) as client:
        again = await client.post("collection/scrobble/", json={"issue_id": 1, "date_read": None})
        assert again.status_code == 200
        sent = {"issue_id": 290, "purchase_price": None, "grade": None, "purchase_date": None}
        assert (await client.post("collection/add/", json=sent)).status_code == 201
        odd = await client.post("collection/add/", json={"issue_id": 291, "purchase_price": "NaN"})
        assert odd.json() == {"purchase_price": ["A valid number is required."]}

"""Reads: accounts, quota, pages, conditional requests, the server's own cache."""

import base64
import datetime as dt
import runpy
from email.utils import parsedate_to_datetime

from support.bare import HOST, client_of
from support.virtual import on_virtual_time

from metron_async.testing import FakeMetron, run_virtual
from metron_async.testing._server import serverclock

RATE = "x-ratelimit-burst-remaining"


def basic(username, password):
    return {
        "Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
    }


@on_virtual_time
async def test_both_schemes_and_several_tokens_share_one_users_quota():
    fake = FakeMetron(issues=20)
    fake.add_account("ann", "secret", ("one", "two"), burst=5)
    async with client_of(fake, None) as client:
        for turn, headers in enumerate(
            (
                basic("ann", "secret"),
                {"Authorization": "Bearer one"},
                {"Authorization": "bearer two"},
            )
        ):
            response = await client.get("role/", headers=headers)
            assert response.status_code == 200
            assert response.headers[RATE] == str(4 - turn)
        assert [asked.account for asked in fake.requests] == ["ann"] * 3


@on_virtual_time
async def test_401_and_403_cost_nothing_and_have_the_servers_messages():
    fake = FakeMetron(issues=20, bans=False)
    cases = {
        "Authentication credentials were not provided.": {},
        "Invalid token.": {"Authorization": "Bearer x"},
        "Invalid username/password.": basic("reader", "x"),
        "Invalid basic header. Credentials not correctly base64 encoded.": {
            "Authorization": "Basic %%%"
        },
    }
    async with client_of(fake, None) as client:
        for message, headers in cases.items():
            response = await client.get("issue/1/", headers=headers)
            assert response.status_code == 401
            assert response.json() == {"detail": message}
            assert response.headers["www-authenticate"] == 'Basic realm="api"'
            assert RATE not in response.headers
        odd = await client.get("role/", headers={"Authorization": "Digest x"})
        assert odd.status_code == 401
    async with client_of(fake) as client:
        refused = await client.post("publisher/", data={"name": "x"})
        assert refused.status_code == 403
        assert RATE not in refused.headers
        assert (await client.get("role/")).headers[RATE] == "19"


@on_virtual_time
async def test_addresses():
    fake = FakeMetron(issues=20)
    async with client_of(fake) as client:
        moved = await client.get("issue/1?a=b")
        assert moved.status_code == 301
        assert moved.headers["location"] == "/api/issue/1/?a=b"
        nowhere = await client.get("nothing/")
        assert nowhere.status_code == 404
        assert nowhere.headers["content-type"].startswith("text/html")
        assert RATE not in nowhere.headers
        for path in ("publisher/abc/", "pull_list/issues/?store_date_after=soon"):
            broken = await client.get(path)
            assert broken.status_code == 500
            assert "html" in broken.headers["content-type"]
            assert RATE in broken.headers
        head = await client.head("issue/1/")
        assert head.status_code == 200
        assert head.content == b""
        assert (await client.options("issue/")).status_code == 200
        wrong = await client.delete("collection/stats/")
        assert wrong.json() == {"detail": 'Method "DELETE" not allowed.'}
        assert wrong.headers["allow"] == "GET, HEAD, OPTIONS"


@on_virtual_time
async def test_pages_add_up_to_the_list_without_repeats():
    fake = FakeMetron(issues=555, throttle=False)
    async with client_of(fake) as client:
        seen, url = [], "issue/"
        while url:
            body = (await client.get(url)).json()
            seen += [row["id"] for row in body["results"]]
            assert body["count"] == 555
            url = body["next"]
        assert sorted(seen) == list(range(1, 556))
        last = (await client.get("issue/?page=last")).json()
        assert last["previous"] == f"{HOST}/api/issue/?page=5"
        for page in ("0", "7", "-1", "two"):
            response = await client.get("issue/", params={"page": page})
            assert response.status_code == 404
            assert response.json() == {"detail": "Invalid page."}
        empty = (await client.get("issue/?series_name=zzz")).json()
        assert empty == {"count": 0, "next": None, "previous": None, "results": []}


@on_virtual_time
async def test_every_detail_of_every_kind_matches_its_row():
    fake = FakeMetron(issues=60, throttle=False)
    async with client_of(fake) as client:
        kinds = [
            "arc",
            "character",
            "creator",
            "imprint",
            "issue",
            "publisher",
            "series",
            "team",
            "universe",
        ]
        for kind in kinds:
            for row in (await client.get(f"{kind}/")).json()["results"]:
                detail = (await client.get(f"{kind}/{row['id']}/")).json()
                assert detail["modified"] == row["modified"]
                assert "attribution" in detail
                assert detail["resource_url"].startswith(HOST)
        row = (await client.get("series/")).json()["results"][0]
        assert {"publisher", "series_type", "cv_id", "gcd_id"} <= row.keys()


@on_virtual_time
async def test_lists_below_a_detail_filter_the_parent():
    fake = FakeMetron(issues=300, throttle=False)
    async with client_of(fake) as client:
        for kind, relation in (("arc", "arcs"), ("character", "characters"), ("team", "teams")):
            rows = (await client.get(f"{kind}/1/issue_list/")).json()["results"]
            expected = fake.catalogue.issues_with(relation, 1)
            assert {row["id"] for row in rows} == expected
        assert (await client.get("arc/1/issue_list/?name=zzz")).json() == {
            "detail": "No Arc matches the given query."
        }
        series = (await client.get("publisher/1/series_list/?page=1")).json()
        assert series["count"] == sum(
            s.publisher == 1 for s in fake.catalogue.tables.series.values()
        )


@on_virtual_time
async def test_conditional_requests_work_where_the_server_supports_them():
    fake = FakeMetron(issues=60, throttle=False)
    async with client_of(fake) as client:
        for path in (
            "issue/5/",
            "series/1/issue_list/",
            "reading_list/1/",
            "collection/1/",
            "wish_list/1/",
        ):
            if path == "wish_list/1/":
                fake.accounts["reader"].shelf.wish_modified = fake.clock.moment()
            first = await client.get(path)
            since = {"If-Modified-Since": first.headers["last-modified"]}
            again = await client.get(path, headers=since)
            assert again.status_code == 304
            assert again.content == b""
            earlier = parsedate_to_datetime(first.headers["last-modified"]) - dt.timedelta(
                seconds=1
            )
            since = {"If-Modified-Since": earlier.strftime("%a, %d %b %Y %H:%M:%S GMT")}
            assert (await client.get(path, headers=since)).status_code == 200
        never = {"If-Modified-Since": "Fri, 20 Nov 2099 20:19:11 GMT"}
        for path in ("issue/", "publisher/1/series_list/", "reading_list/1/items/", "role/"):
            response = await client.get(path, headers=never)
            assert response.status_code == 200
            assert "last-modified" not in response.headers
        odd = await client.get("issue/5/", headers={"If-Modified-Since": "soon"})
        assert odd.status_code == 200


@on_virtual_time
async def test_an_edit_moves_modified_and_a_renamed_creator_does_not():
    fake = FakeMetron(issues=60)
    async with client_of(fake) as client:
        old = (await client.get("issue/5/")).headers["last-modified"]
        credit = fake.catalogue.credits(fake.catalogue.tables.issue[5])[0]
        fake.rename("creator", credit.creator, "Another Name")
        hidden = await client.get("issue/5/", headers={"If-Modified-Since": old})
        assert hidden.status_code == 304
        detail = (await client.get("issue/5/")).json()
        assert "Another Name" in {one["creator"] for one in detail["credits"]}
        fake.touch("issue", 5, title="New")
        seen = await client.get("issue/5/", headers={"If-Modified-Since": old})
        assert seen.json()["title"] == "New"
        rows = (await client.get("issue/")).json()["results"]
        assert next(row for row in rows if row["id"] == 5)["modified"] == seen.json()["modified"]


@on_virtual_time
async def test_the_servers_own_cache():
    fake = FakeMetron(issues=60, throttle=False, list_cache=120, detail_cache=86_400)
    async with client_of(fake) as client:
        assert (await client.get("arc/")).headers["x-cache"] == "MISS"
        name = fake.catalogue.tables.publisher[1].name
        await client.get("imprint/2/")
        await client.get("series/1/issue_list/")
        fake.rename("arc", 1, "Aardvark")
        fake.rename("publisher", 1, "Renamed")
        stale = await client.get("arc/")
        assert stale.headers["x-cache"] == "HIT"
        assert "Aardvark" not in stale.text
        imprint = await client.get("imprint/2/")
        assert imprint.headers["x-cache"] == "HIT"
        assert imprint.json()["publisher"]["name"] == name
        fake.touch("imprint", 2)
        fresh = await client.get("imprint/2/")
        assert fresh.headers["x-cache"] == "MISS"
        assert fresh.json()["publisher"]["name"] == "Renamed"
        fake.clock.advance(121)
        assert "Aardvark" in (await client.get("arc/")).text
        assert "x-cache" not in (await client.get("role/")).headers


@on_virtual_time
async def test_shelves_and_private_lists_are_visible_to_their_owner_only():
    fake = FakeMetron(issues=400, throttle=False)
    async with client_of(fake, "reader2") as client:
        assert (await client.get("collection/")).json()["count"] == 0
        assert (await client.get("collection/1/")).status_code == 404
        assert (await client.get("reading_list/3/")).status_code == 404
        assert (await client.get("reading_list/3/items/")).status_code == 404
        assert (await client.get("pull_list/1/")).status_code == 404
        assert (await client.get("wish_list/1/")).json() == {
            "detail": "No WishList matches the given query."
        }
    async with client_of(fake, "editor") as client:
        assert (await client.get("reading_list/3/")).status_code == 200
        assert (await client.get("reading_list/")).json()["count"] == 63
    async with client_of(fake) as client:
        assert (await client.get("reading_list/")).json()["count"] == 62
        assert (await client.get("collection/missing_issues/99999/")).json()["count"] == 0
        gaps = (await client.get("collection/missing_series/")).json()["results"]
        missing = (await client.get(f"collection/missing_issues/{gaps[0]['id']}/")).json()
        assert missing["count"] == gaps[0]["missing_count"]
        items = (await client.get("reading_list/1/items/")).json()
        assert len(items["results"]) == 50
        assert items["next"].endswith("/api/reading_list/1/items/?page=2")


@on_virtual_time
async def test_equal_rows_change_places_between_pages_of_an_unstable_server():
    stable, unstable = FakeMetron(issues=3000), FakeMetron(issues=3000, unstable=True)
    lost = {}
    for fake in (stable, unstable):
        async with client_of(fake) as client:
            seen = [
                row["id"]
                for page in range(1, 5)
                for row in (await client.get(f"creator/?page={page}")).json()["results"]
            ]
        assert len(seen) == 375
        lost[fake] = 375 - len(set(seen))
        async with client_of(fake) as client:
            wishes = (await client.get("wish_list/items/")).json()["results"]
            assert [w["priority"] for w in wishes] == sorted(w["priority"] for w in wishes)
    assert lost[stable] == 0
    assert lost[unstable] > 0


@on_virtual_time
async def test_the_clock_can_be_skewed_and_driven():
    fake = FakeMetron(issues=20)
    async with client_of(fake) as client:
        fake.clock.skew = -30
        response = await client.get("role/")
        date = parsedate_to_datetime(response.headers["date"]).timestamp()
        assert int(response.headers["x-ratelimit-burst-reset"]) - date == 60
        assert date == fake.clock.steady() - 30
        for _ in range(19):
            await client.get("role/")
        assert (await client.get("role/")).status_code == 429
        assert fake.throttled == 1
        fake.clock.advance(60)
        assert (await client.get("role/")).status_code == 200


@on_virtual_time
async def test_limits_float_and_are_lifted():
    fake = FakeMetron(issues=20)
    async with client_of(fake) as client:
        fake.burst_limit = 60
        assert (await client.get("role/")).headers["x-ratelimit-burst-limit"] == "60"
        fake.sustained_limit = lambda now: 7 if now else 0
        assert (await client.get("role/")).headers["x-ratelimit-sustained-remaining"] == "5"
        fake.burst_limit = 1
        dropped = await client.get("role/")
        assert dropped.status_code == 429
        assert "retry-after" not in dropped.headers
        assert fake.burst_limit == 1
        assert callable(fake.sustained_limit)
    free = FakeMetron(issues=20, throttle=False)
    async with client_of(free) as client:
        for _ in range(50):
            response = await client.get("role/")
        assert response.status_code == 200
        assert int(response.headers["x-ratelimit-burst-limit"]) >= 1_000_000


@on_virtual_time
async def test_a_rejection_by_one_window_costs_a_slot_in_the_other():
    fake = FakeMetron(issues=20, burst=2)
    async with client_of(fake) as client:
        remaining = [
            (await client.get("role/")).headers["x-ratelimit-sustained-remaining"] for _ in range(4)
        ]
        assert remaining == ["4999", "4998", "4997", "4996"]
        limited = await client.get("role/")
        assert limited.json()["detail"].endswith("in 60 seconds.")
        fake.clock.advance(59.5)
        assert (await client.get("role/")).json()["detail"].endswith("in 1 second.")


@on_virtual_time
async def test_the_log_is_kept_and_bounded():
    fake = FakeMetron(issues=20, keep_requests=2, bans=False)
    async with client_of(fake) as client:
        await client.get("role/")
        await client.get("issue/", params={"page": 9})
        await client.post("arc/", data={"name": "x"})
    assert [(a.method, a.path, a.status) for a in fake.requests] == [
        ("GET", "/api/issue/", 404),
        ("POST", "/api/arc/", 403),
    ]
    assert fake.requests[0].params == {"page": "9"}
    assert fake.requests[1].body == b"name=x"
    assert fake.requests[1].headers["user-agent"] == "test/1"
    fake.reset_log()
    assert (fake.requests, fake.throttled, fake.bans) == ([], 0, [])


def test_a_catalogue_has_comics_of_this_week_and_is_deterministic():
    day = dt.date(2026, 11, 20)
    fake, again = FakeMetron(today=day), FakeMetron(today=day)
    assert fake.catalogue.tables == again.catalogue.tables
    assert FakeMetron(today=day, seed=2).catalogue.tables != fake.catalogue.tables
    monday = day - dt.timedelta(days=day.weekday())
    week = [
        issue
        for issue in fake.catalogue.tables.issue.values()
        if issue.store_date
        and monday <= issue.store_date < monday + dt.timedelta(days=7)
        and fake.catalogue.tables.series[issue.series].publisher == 1
    ]
    assert len(week) >= 5
    numbers = {issue.number for issue in fake.catalogue.tables.issue.values()}
    assert {"-1", "80.BEY"} & numbers


def test_a_virtual_loop_begins_after_the_data_of_a_server_that_was_there(monkeypatch):
    epoch = runpy.run_path(serverclock.__file__)["VIRTUAL_EPOCH"]
    monkeypatch.setattr(serverclock, "VIRTUAL_EPOCH", epoch)
    monkeypatch.setitem(FakeMetron.__init__.__kwdefaults__, "today", None)
    fake = FakeMetron(issues=100)

    async def main():
        return fake.clock.moment()

    begin = run_virtual(main())
    assert max(row.modified for row in fake.catalogue.tables.issue.values()) < begin
    assert abs(begin - dt.datetime.now(dt.UTC)) < dt.timedelta(days=1)
    assert begin.hour == 17


@on_virtual_time
async def test_deleted_objects_disappear_from_relations():
    fake = FakeMetron(issues=100, throttle=False)
    series = fake.catalogue.tables.issue[5].series
    issue = fake.add_issue(series, "999", characters=(1,), cover_date=dt.date(2027, 1, 1))
    async with client_of(fake) as client:
        rows = (await client.get(f"series/{series}/issue_list/")).json()["results"]
        assert issue.id in {row["id"] for row in rows}
        listed = (await client.get("character/1/issue_list/")).json()["results"]
        assert issue.id in {row["id"] for row in listed}
        fake.delete("character", 1)
        assert 1 not in {
            one["id"] for one in (await client.get(f"issue/{issue.id}/")).json()["characters"]
        }
        fake.delete("issue", issue.id)
        gone = await client.get(f"issue/{issue.id}/")
        assert gone.json() == {"detail": "No Issue matches the given query."}
        fake.delete("imprint", 1)
        fake.delete("publisher", 2)
        assert all(s.publisher != 2 for s in fake.catalogue.tables.series.values())
        for path in (
            "issue/",
            "collection/",
            "pull_list/series/",
            "pull_list/issues/",
            "wish_list/items/",
            "reading_list/1/items/",
        ):
            assert (await client.get(path)).status_code == 200

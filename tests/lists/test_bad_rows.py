"""One row that does not decode: the error names it, or it is skipped and counted."""

from __future__ import annotations

from typing import Any

import pytest

from metron_async import AsyncMetron, DecodeError, UsageError
from metron_async.testing import FakeMetron, Fault


def client(fake: FakeMetron) -> AsyncMetron:
    return AsyncMetron(token=fake.token, transport=fake.transport(), cache=":memory:")


def broken(position: int, **fields: Any) -> Fault:
    """Return a fault that damages the row at *position* of a page."""

    def damage(body: dict[str, Any]) -> dict[str, Any]:
        rows = list(body["results"])
        rows[position] = {**rows[position], **fields}
        return body | {"results": rows}

    return Fault.json(damage)


async def test_the_error_names_the_row() -> None:
    """One bad row made a whole page unusable, and the error named its position only."""
    fake = FakeMetron(250, throttle=False)
    async with client(fake) as metron:
        good = await metron.with_options(refresh=True).issues.iter().collect()
        await metron.cache.clear()  # type: ignore[union-attr]
        fake.faults.add(broken(3, modified="soon"), path="/api/issue/", skip=1)
        with pytest.raises(DecodeError, match=rf"id {good[103].id} .*\$\.results\[3\]") as caught:
            await metron.issues.iter().collect()
        assert caught.value.where == "$.results[3].modified"
        assert caught.value.path == "issue/?page=2"
        assert await metron.issues.iter().collect() == good  # the page was not kept


@pytest.mark.parametrize(
    ("fields", "name"), [({"id": "x"}, "an unknown id"), ({"number": 5}, "id ")]
)
async def test_bad_rows_are_skipped_and_counted(fields: dict[str, Any], name: str) -> None:
    fake = FakeMetron(250, throttle=False)
    async with client(fake) as metron:
        good = await metron.with_options(refresh=True).issues.iter().collect()
        await metron.cache.clear()  # type: ignore[union-attr]
        fake.faults.add(broken(7, **fields), path="/api/issue/", times=None)
        rest = [row for position, row in enumerate(good) if position not in {7, 107, 207}]
        listed = metron.issues.iter()
        assert await listed.collect(on_bad_row="skip") == rest
        assert (listed.skipped, listed.missing) == (3, 0)
        assert [row async for row in listed.rows(on_bad_row="skip")] == rest
        pages = [page async for page in listed.pages(on_bad_row="skip", start=2)]
        assert [len(page) for page in pages] == [99, 49]
        assert (listed.skipped, listed.missing) == (2, 0)
        with pytest.raises(DecodeError, match=name):
            await listed.collect()
        details = metron.issues.iter(series_id=good[0].series.id).details(on_bad_row="skip")
        found = [issue.id for issue in await details.collect()]
        assert details.skipped == 1
        assert good[7].id not in found
        with pytest.raises(DecodeError, match=name):
            await metron.issues.iter().details().first()


async def test_a_list_with_skipped_rows_cannot_be_strict() -> None:
    async with client(FakeMetron(30, throttle=False)) as metron:
        listed = metron.issues.iter()
        with pytest.raises(UsageError, match="mutually exclusive"):
            await listed.collect(strict=True, on_bad_row="skip")
        with pytest.raises(UsageError, match="mutually exclusive"):
            await anext(listed.pages(strict=True, on_bad_row="skip"))
        with pytest.raises(UsageError, match="on_bad_row"):
            await listed.collect(on_bad_row="ignore")  # type: ignore[arg-type]
        with pytest.raises(UsageError, match="on_bad_row"):
            listed.details(on_bad_row="ignore")  # type: ignore[arg-type]


async def test_counting_needs_no_row_that_decodes() -> None:
    fake = FakeMetron(250, throttle=False)
    async with client(fake) as metron:
        fake.faults.add(broken(3, modified="soon"), path="/api/issue/", times=None)
        assert await metron.issues.iter().count() == 250
        with pytest.raises(DecodeError):
            await metron.issues.iter().page(1)

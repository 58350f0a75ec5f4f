"""The large tables of the generated catalogue: series, their issues, and reading lists."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from metron_async.testing import records as r
from metron_async.testing._data import vocabularies as v
from metron_async.testing._data.arithmetic import DAY, Seeds, image, mix, pick, some

if TYPE_CHECKING:
    from metron_async.testing._data.arithmetic import Sizes

__all__ = ["issues_and_series", "reading_lists"]

_ONGOING = 4
_HARDCOVER, _PAPERBACK, _LIMITED = 8, 10, 11
_OPEN_LISTS = 62
_PRIVATE_LIST = 3


def issues_and_series(made: Seeds, sizes: Sizes) -> tuple[dict[int, r.Issue], dict[int, r.Series]]:
    """Return series with their issues, until there are enough issues."""
    issues: dict[int, r.Issue] = {}
    all_series: dict[int, r.Series] = {}
    longest = 24 if sizes.issues < 5000 else 120  # noqa: PLR2004
    while len(issues) < sizes.issues:
        rid = len(all_series) + 1
        number = mix(made.seed, 20, rid)
        length = min(2 + (number >> 4) % longest, sizes.issues - len(issues))
        running = rid % 2 == 1
        last = _last_store_date(made, number, running=running)
        step = DAY * pick((7, 14, 28), number >> 3) if running else DAY * 28
        series = _series(made, rid, number, last - step * (length - 1), last, running=running)
        all_series[rid] = series
        for position in range(length):
            store = last - step * (length - 1 - position)
            issue = _issue(made, len(issues) + 1, series, position + 1, store)
            issues[issue.id] = issue
    return issues, all_series


def _last_store_date(made: Seeds, number: int, *, running: bool) -> dt.date:
    """Return a Wednesday: weeks ahead for a running series, a year or more ago for another."""
    if running:
        return made.wednesday + DAY * 7 * (number % 6)
    return made.wednesday - DAY * 7 * (60 + number % 3000)


def _series(
    made: Seeds, rid: int, number: int, first: dt.date, last: dt.date, *, running: bool
) -> r.Series:
    name = f"{pick(v.ADJECTIVES, number)} {pick(v.NOUNS, number >> 7)}"
    if number % 7 == 0:
        name += f": {pick(v.NOUNS, number >> 11)}"
    year = max(first.year, 1930)
    # Half of the running series belong to the first publisher, so that its week is a full table.
    publisher = (1 + (rid // 2) % 2) if running else number % len(v.PUBLISHERS) + 1
    kinds = (1, 1, 1, _LIMITED) if running else (1, _LIMITED, _PAPERBACK, _HARDCOVER, 12, 2, 5)
    owners = [iid for iid, (_, owner, _) in enumerate(v.IMPRINTS, 1) if owner == publisher]
    return r.Series(
        id=rid,
        name=name,
        modified=made.modified(20, rid),
        desc=v.BLURB if number % 3 == 0 else "",
        sort_name=name,
        alt_names=("Café Noir",) if number % 9 == 0 else (),
        language=pick(v.LANGUAGES, number >> 5),
        volume=1 + number % 5 // 4,
        series_type=pick(kinds, number >> 6),
        status=_ONGOING if running else 1 + number % 3,
        publisher=publisher,
        imprint=pick(owners, number) if owners and number % 4 == 0 else None,
        year_began=year,
        year_end=None if running else max(last.year, year),
        genres=some(1 + number % 2, len(v.GENRES), number),
        associated=(rid - 1,) if number % 6 == 0 and rid > 1 else (),
        cv_id=made.external(100_000, rid),
        gcd_id=made.external(200_000, rid),
        slug=r.slug(f"{name} {year}"),
    )


def _number(number: int, position: int, series: int) -> str:
    """Return the issue's number, which some series have in an unusual form."""
    if position in {1, 7} and series % 5 == 0:
        return pick(v.ODD_NUMBERS, number)
    return str(position)


def _issue(made: Seeds, rid: int, series: r.Series, position: int, store: dt.date) -> r.Issue:
    number = mix(made.seed, 21, rid)
    cover = (store + DAY * 60).replace(day=1)
    collected = series.series_type in {_HARDCOVER, _PAPERBACK}
    price = f"{2 + number % 4}.99" if number % 11 else None
    external = made.external(400_000, rid)
    return r.Issue(
        id=rid,
        modified=made.latest
        - dt.timedelta(seconds=number % 63_000_000, microseconds=number % 999_983),
        desc=v.BLURB if number % 3 else "",
        image=image("issue", rid) if number % 8 else None,
        cv_id=external,
        gcd_id=external + 1_000_000 if external and number % 5 == 0 else None,
        series=series.id,
        number=_number(number, position, series.id),
        alt_number=str(position + 600) if number % 13 == 0 else "",
        title=f"{series.name}, Book {position}" if collected else "",
        names=(f"Chapter {position}: {pick(v.STORIES, number >> 9)}",) if number % 4 else (),
        cover_date=cover,
        store_date=store if number % 17 or store >= made.wednesday - DAY * 60 else None,
        foc_date=store - DAY * 23 if number % 2 else None,
        price=price,
        currency="" if price is None else ("GBP" if series.publisher == 10 else "USD"),  # noqa: PLR2004
        rating=1 + number % len(v.RATINGS),
        sku=f"SKU{rid:07d}",
        upc=f"76194120{rid:07d}00111" if number % 6 else "",
        isbn=f"978{rid:010d}" if collected else "",
        page=32 if number % 10 else None,
        cover_hash=f"{number:08x}{mix(number):08x}" if number % 8 else "",
        average_rating=(number % 9 + 2) / 2 if number % 5 == 0 else None,
        rating_count=1 + number % 20 if number % 5 == 0 else 0,
        reprints=(rid - 1,) if number % 19 == 0 and rid > 1 else (),
        desc_is_solicitation=rid % 2 == 0,
    )


def reading_lists(made: Seeds, sizes: Sizes) -> dict[int, r.ReadingList]:
    """Return a long list and its sequel, a private list of the editor, and sixty guides."""
    table: dict[int, r.ReadingList] = {}
    item = 0
    for rid in range(1, _OPEN_LISTS + 2):
        name = {1: "Secret Wars of the Cafés", 2: "Secret Wars Again", 3: "Drafts"}.get(
            rid, f"Guide {rid - 4:02d}"
        )
        record = r.ReadingList(
            id=rid,
            name=name,
            modified=made.modified(22, rid),
            slug=r.slug(name),
            desc=f"Order for {name}",
            user=1,
            list_type=pick(tuple(v.LIST_TYPES), mix(rid)) if rid > _PRIVATE_LIST else "EVENT",
            is_private=rid == _PRIVATE_LIST,
            attribution_source=pick(tuple(v.ATTRIBUTIONS), rid),
            attribution_url="https://orders.example/list" if rid % 2 else "",
            average_rating=4.0 if rid % 3 == 1 else None,
            rating_count=1 if rid % 3 == 1 else 0,
            previous=1 if rid == 2 else None,  # noqa: PLR2004
            next=2 if rid == 1 else None,
        )
        for order in range(min(120 if rid == 1 else 1 + rid % 7, sizes.issues)):
            item += 1
            record.items.append(
                r.ReadingItem(
                    id=item,
                    issue=(order if rid == 1 else mix(rid, order)) % sizes.issues + 1,
                    order=order,
                    issue_type=pick(v.ISSUE_TYPES, order),
                )
            )
        table[rid] = record
    return table

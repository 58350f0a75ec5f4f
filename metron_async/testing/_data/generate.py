"""A generated catalogue of any size, the same one for the same size, seed and day.

Everything follows from index arithmetic: a number is mixed from the seed, the id and a purpose,
and determines names, dates and relations. So a catalogue of 100,000 issues takes about a second,
and the relations of an issue are computed on demand.

Store dates lie around *today*. About half of the series are running, with an issue every one, two
or four weeks, up to some weeks ahead. So the list of this week's comics is never empty.
"""

from __future__ import annotations

import datetime as dt
import functools
from copy import copy
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from metron_async.testing import records as r
from metron_async.testing._data import vocabularies as v
from metron_async.testing._data.arithmetic import DAY, Seeds, Sizes, image, mix, pick, some
from metron_async.testing._data.generate_issues import issues_and_series, reading_lists

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Tables", "build"]

T = TypeVar("T")

_MOST_COPIED = 5_000
"""Issues of the largest catalogue that is kept, to be copied for the next server."""


class Tables(NamedTuple):
    """All records, by kind and id."""

    arc: dict[int, r.Arc]
    character: dict[int, r.Character]
    creator: dict[int, r.Creator]
    imprint: dict[int, r.Imprint]
    issue: dict[int, r.Issue]
    publisher: dict[int, r.Publisher]
    series: dict[int, r.Series]
    team: dict[int, r.Team]
    universe: dict[int, r.Universe]
    role: dict[int, r.Term]
    series_type: dict[int, r.Term]
    rating: dict[int, r.Term]
    genre: dict[int, r.Term]
    reading_list: dict[int, r.ReadingList]


class _Builder(Seeds):
    """Generator of the small tables."""

    def terms(self, words: dict[int, str], purpose: int) -> dict[int, r.Term]:
        return {
            rid: r.Term(id=rid, name=name, modified=self.modified(purpose, rid))
            for rid, name in words.items()
        }

    def publishers(self) -> dict[int, r.Publisher]:
        def make(rid: int) -> r.Publisher:
            name, founded, country = v.PUBLISHERS[rid - 1]
            return r.Publisher(
                id=rid,
                name=name,
                modified=self.modified(1, rid),
                desc=f"{name} — founded {founded}." if founded else "",
                alt_names=(f"{name} Group",) if rid % 4 == 1 else (),
                founded=founded,
                country=country,
                cv_id=9 + rid,
                slug=r.slug(name),
            )

        return _table(len(v.PUBLISHERS), make)

    def imprints(self) -> dict[int, r.Imprint]:
        def make(rid: int) -> r.Imprint:
            name, publisher, founded = v.IMPRINTS[rid - 1]
            return r.Imprint(
                id=rid,
                name=name,
                modified=self.modified(2, rid),
                publisher=publisher,
                founded=founded,
                cv_id=self.external(500, rid),
                slug=r.slug(name),
            )

        return _table(len(v.IMPRINTS), make)

    def universes(self) -> dict[int, r.Universe]:
        def make(rid: int) -> r.Universe:
            return r.Universe(
                id=rid,
                name=f"Earth {rid}",
                modified=self.modified(3, rid),
                publisher=(rid - 1) % 2 + 1,
                designation=str(rid),
                slug=f"earth-{rid}",
            )

        return _table(self.sizes.universes, make)

    def creators(self) -> dict[int, r.Creator]:
        def make(rid: int) -> r.Creator:
            number = mix(self.seed, 4, rid)
            name = f"{pick(v.FIRST_NAMES, number)} {pick(v.LAST_NAMES, number >> 8)}"
            born = dt.date(1900 + number % 100, number % 12 + 1, number % 28 + 1)
            return r.Creator(
                id=rid,
                name=name,
                modified=self.modified(4, rid),
                birth=born if number % 3 else None,
                death=born + DAY * 25_000 if number % 3 and born.year < 1945 else None,  # noqa: PLR2004
                alias=(name.rsplit(maxsplit=1)[-1],) if number % 5 == 0 else (),
                cv_id=self.external(40_000, rid),
                slug=r.slug(f"{name} {rid}"),
            )

        return _table(self.sizes.creators, make)

    def teams(self) -> dict[int, r.Team]:
        def make(rid: int) -> r.Team:
            number = mix(self.seed, 5, rid)
            name = f"The {pick(v.ADJECTIVES, number)} {pick(v.NOUNS, number >> 8)}s"
            return r.Team(
                id=rid,
                name=name,
                modified=self.modified(5, rid),
                desc=v.BLURB if rid % 2 == 0 else "",
                creators=some(number % 3, self.sizes.creators, number),
                universes=some(1, self.sizes.universes, number),
                cv_id=self.external(60_000, rid),
                slug=r.slug(f"{name} {rid}"),
            )

        return _table(self.sizes.teams, make)

    def characters(self) -> dict[int, r.Character]:
        def make(rid: int) -> r.Character:
            number = mix(self.seed, 6, rid)
            one, two = pick(v.ADJECTIVES, number), pick(v.NOUNS, number >> 8)
            return r.Character(
                id=rid,
                name=f"{one} {two}",
                modified=self.modified(6, rid),
                alias=(f"{two} {one}",) if rid % 2 == 0 else (),
                desc=v.BLURB if rid % 3 else "",
                image=image("character", rid) if rid % 4 == 0 else None,
                creators=some(number % 3, self.sizes.creators, number),
                teams=some(number % 2, self.sizes.teams, number),
                universes=some(number % 2, self.sizes.universes, number + 1),
                cv_id=self.external(9_000, rid),
                slug=r.slug(f"{one} {two} {rid}"),
            )

        return _table(self.sizes.characters, make)

    def arcs(self) -> dict[int, r.Arc]:
        def make(rid: int) -> r.Arc:
            number = mix(self.seed, 7, rid)
            event = pick(("War", "Crisis", "Dawn"), rid)
            name = f"{pick(v.ADJECTIVES, number)} {event} {rid % 5}"
            return r.Arc(
                id=rid,
                name=name,
                modified=self.modified(7, rid),
                desc=v.BLURB,
                cv_id=self.external(30_000, rid),
                slug=r.slug(name),
            )

        return _table(self.sizes.arcs, make)


def _table(size: int, make: Callable[[int], T]) -> dict[int, T]:
    return {rid: make(rid) for rid in range(1, size + 1)}


def build(issues: int, seed: int, today: dt.date) -> Tables:
    """Return a catalogue of its own; tests build the same one thousands of times.

    Args:
        issues: Number of issues; everything else is sized to go with them.
        seed: Another seed gives another catalogue of the same size.
        today: The day around which running series publish their issues.

    Returns:
        All tables, by id.
    """
    if issues > _MOST_COPIED:
        return _generated(issues, seed, today)
    tables = Tables(*(_copied(table) for table in _kept(issues, seed, today)))
    for record in tables.reading_list.values():
        record.items = [copy(item) for item in record.items]
    return tables


def _copied(table: dict[int, Any]) -> dict[int, Any]:
    return {rid: record.__copy__() for rid, record in table.items()}


@functools.lru_cache(maxsize=16)
def _kept(issues: int, seed: int, today: dt.date) -> Tables:
    return _generated(issues, seed, today)


def _generated(issues: int, seed: int, today: dt.date) -> Tables:
    sizes = Sizes.of(issues)
    made = _Builder(sizes, seed, today)
    all_issues, all_series = issues_and_series(made, sizes)
    return Tables(
        arc=made.arcs(),
        character=made.characters(),
        creator=made.creators(),
        imprint=made.imprints(),
        issue=all_issues,
        publisher=made.publishers(),
        series=all_series,
        team=made.teams(),
        universe=made.universes(),
        role=made.terms(dict(enumerate(v.ROLES, 1)), 8),
        series_type=made.terms(v.SERIES_TYPES, 9),
        rating=made.terms(dict(enumerate(v.RATINGS, 1)), 10),
        genre=made.terms(dict(enumerate(v.GENRES, 1)), 11),
        reading_list=reading_lists(made, sizes),
    )

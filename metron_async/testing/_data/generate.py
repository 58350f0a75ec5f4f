"""An invented catalogue of any size, the same one for the same size, seed and day.

Everything follows from index arithmetic: a number is mixed from the seed, the id and a purpose,
and decides names, dates and relations. So a catalogue of 100,000 issues is made in about a second,
and what an issue is related to need not be stored until somebody asks.

Store dates lie around *today*: about half of the series are running, and bring out an issue every
one, two or four weeks, up to some weeks ahead, so that "this week's comics" is never an empty list.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from metron_async.testing import records as r
from metron_async.testing._data import vocabularies as v
from metron_async.testing._data.arithmetic import DAY, Seeds, Sizes, image, mix, pick, some
from metron_async.testing._data.generate_issues import issues_and_series, reading_lists

__all__ = ["Tables", "build"]


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
    """Makes the small tables."""

    def terms(self, words: dict[int, str], purpose: int) -> dict[int, r.Term]:
        return {
            rid: r.Term(id=rid, name=name, modified=self.modified(purpose, rid))
            for rid, name in words.items()
        }

    def publishers(self) -> dict[int, r.Publisher]:
        table: dict[int, r.Publisher] = {}
        for rid, (name, founded, country) in enumerate(v.PUBLISHERS, 1):
            table[rid] = r.Publisher(
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
        return table

    def imprints(self) -> dict[int, r.Imprint]:
        return {
            rid: r.Imprint(
                id=rid,
                name=name,
                modified=self.modified(2, rid),
                publisher=publisher,
                founded=founded,
                cv_id=self.external(500, rid),
                slug=r.slug(name),
            )
            for rid, (name, publisher, founded) in enumerate(v.IMPRINTS, 1)
        }

    def universes(self) -> dict[int, r.Universe]:
        return {
            rid: r.Universe(
                id=rid,
                name=f"Earth {rid}",
                modified=self.modified(3, rid),
                publisher=(rid - 1) % 2 + 1,
                designation=str(rid),
                slug=f"earth-{rid}",
            )
            for rid in range(1, self.sizes.universes + 1)
        }

    def creators(self) -> dict[int, r.Creator]:
        table: dict[int, r.Creator] = {}
        for rid in range(1, self.sizes.creators + 1):
            number = mix(self.seed, 4, rid)
            name = f"{pick(v.FIRST_NAMES, number)} {pick(v.LAST_NAMES, number >> 8)}"
            born = dt.date(1900 + number % 100, number % 12 + 1, number % 28 + 1)
            table[rid] = r.Creator(
                id=rid,
                name=name,
                modified=self.modified(4, rid),
                birth=born if number % 3 else None,
                death=born + DAY * 25_000 if number % 3 and born.year < 1945 else None,  # noqa: PLR2004
                alias=(name.rsplit(maxsplit=1)[-1],) if number % 5 == 0 else (),
                cv_id=self.external(40_000, rid),
                slug=r.slug(f"{name} {rid}"),
            )
        return table

    def teams(self) -> dict[int, r.Team]:
        table: dict[int, r.Team] = {}
        for rid in range(1, self.sizes.teams + 1):
            number = mix(self.seed, 5, rid)
            name = f"The {pick(v.ADJECTIVES, number)} {pick(v.NOUNS, number >> 8)}s"
            table[rid] = r.Team(
                id=rid,
                name=name,
                modified=self.modified(5, rid),
                desc=v.BLURB if rid % 2 == 0 else "",
                creators=some(number % 3, self.sizes.creators, number),
                universes=some(1, self.sizes.universes, number),
                cv_id=self.external(60_000, rid),
                slug=r.slug(f"{name} {rid}"),
            )
        return table

    def characters(self) -> dict[int, r.Character]:
        table: dict[int, r.Character] = {}
        for rid in range(1, self.sizes.characters + 1):
            number = mix(self.seed, 6, rid)
            one, two = pick(v.ADJECTIVES, number), pick(v.NOUNS, number >> 8)
            table[rid] = r.Character(
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
        return table

    def arcs(self) -> dict[int, r.Arc]:
        table: dict[int, r.Arc] = {}
        for rid in range(1, self.sizes.arcs + 1):
            number = mix(self.seed, 7, rid)
            name = f"{pick(v.ADJECTIVES, number)} {pick(('War', 'Crisis', 'Dawn'), rid)} {rid % 5}"
            table[rid] = r.Arc(
                id=rid,
                name=name,
                modified=self.modified(7, rid),
                desc=v.BLURB,
                cv_id=self.external(30_000, rid),
                slug=r.slug(name),
            )
        return table


def build(issues: int, seed: int, today: dt.date) -> Tables:
    """Make the whole catalogue.

    Args:
        issues: How many issues; everything else is sized to go with them.
        seed: Another seed gives another catalogue of the same size.
        today: The day around which running series bring out their issues.

    Returns:
        All tables, by id.
    """
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

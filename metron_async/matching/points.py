"""How well an issue fits a query: evidence, points and reasons.

Each fact that both sides know adds or removes points. Facts that
one side does not know change nothing. So more agreement never lowers a score.

| fact | agrees | disagrees |
|---|---|---|
| Metron's, Comic Vine's or GCD's id | 100 | -100 |
| UPC, SKU | 80 | 0: a variant cover has its own |
| series' id | 40 | -80 |
| name of the series | 40 x similarity | 0 at least |
| number | 30 | -60 |
| no number given | 25 for the only issue of its series, 4 for number 1 | 0 |
| year | 15 cover, 14 sale, 8 off by one or start of the series | -25 |
| volume | 10; also as the year in which the series began | -12 |
| cover date | 10 same day, 6 same month | 0 |
| day of sale | 10 same day, 6 within a week | 0 |
| publisher | 6 | -20 |
| cover hash | 25 at distance 0, 5 at the limit | -10 beyond, and never decided |
| title of a story, or the end of the series' name | 6 | 0 |

An issue with equal name and number and nothing against it has 70 points.
"""

from __future__ import annotations

import msgspec

__all__ = ["POINTS", "Reason"]

POINTS: dict[str, float] = {
    "id": 100,
    "id_differs": -100,
    "code": 80,
    "series_id": 40,
    "series_id_differs": -80,
    "name": 40,
    "number": 30,
    "number_differs": -60,
    "only": 25,
    "first": 4,
    "cover_year": 15,
    "store_year": 14,
    "near_year": 8,
    "year_differs": -25,
    "volume": 10,
    "volume_differs": -12,
    "date": 10,
    "near_date": 6,
    "publisher": 6,
    "publisher_differs": -20,
    "cover": 25,
    "cover_at_limit": 5,
    "cover_differs": -10,
    "title": 6,
}
"""Points by fact, as in the table at the top of :mod:`metron_async.matching.points`."""


class Reason(msgspec.Struct, frozen=True):
    """One fact that changed a score."""

    fact: str
    """Name of the fact in :data:`POINTS`."""
    points: float
    """Points that it added, or removed if negative."""
    text: str
    """The fact in words, such as ``"number 3"``."""

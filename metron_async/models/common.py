"""What all models share: their base classes, small nested objects, and the page of a list.

Models are frozen :class:`msgspec.Struct` classes. Unknown fields of an answer are ignored, since
servers gain fields; a field that the schema promises and that is absent or of another type fails
to decode. A field that may be absent has a default.

Two base classes, for one reason each:

* :class:`Model`, for the objects of the detail endpoints, can be referred to weakly, so that what
  is known about an object (where it came from, how old it is) can be kept beside it.
* :class:`Row`, for rows of lists and nested objects, is left out of garbage collection. Frozen
  objects made of numbers, texts, dates, tuples and other rows cannot form a cycle, and lists of a
  hundred thousand rows would otherwise be walked by every full collection.

``frozen`` and ``kw_only`` are repeated on every class because type checkers, and for ``kw_only``
msgspec itself, do not inherit them.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Generic, TypeVar

import msgspec

__all__ = [
    "Attribution",
    "BasicRef",
    "Instant",
    "Model",
    "NamedRow",
    "PageBody",
    "Row",
    "SeriesRef",
    "User",
]

T = TypeVar("T")

# A naive time would be compared with an aware one sooner or later, and fail there; it is refused
# where it comes in instead.
Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class Model(msgspec.Struct, frozen=True, kw_only=True, weakref=True):
    """Base of the objects that a detail endpoint answers."""


class Row(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Base of rows of lists and of nested objects."""


def check_amount(amount: Decimal | None) -> None:
    """Refuse an amount of money that is none: ``"NaN"`` and ``"Infinity"`` read as decimals, too.

    Raises:
        ValueError: If it is not finite; msgspec makes it an error that tells the place.
    """
    if amount is not None and not amount.is_finite():
        msg = "Expected a finite `decimal`"
        raise ValueError(msg)


class PageBody(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One page of a list as the server sends it.

    Attributes:
        count: Rows in the whole list, over all pages.
        next: Absolute URL of the next page, or ``None`` on the last.
        previous: Absolute URL of the page before, or ``None`` on the first.
        results: The rows of this page, in the server's order.
    """

    count: int
    next: str | None = None
    previous: str | None = None
    results: list[T]


class BasicRef(Row, frozen=True, kw_only=True):
    """Another object, named where it is mentioned.

    Attributes:
        id: Metron's id of that object.
        name: Its name when this answer was made.
    """

    id: int
    name: str


class NamedRow(Row, frozen=True, kw_only=True):
    """A row that tells an object's id, name and when it was changed.

    Inside of a detail it may be older than the object it names: changing that object does not
    change this one.

    Attributes:
        id: Metron's id of the object.
        name: Its name.
        modified: When it was last changed; aware.
    """

    id: int
    name: str
    modified: Instant


class SeriesRef(Row, frozen=True, kw_only=True):
    """The series that an issue belongs to, as rows of issues tell it.

    Attributes:
        id: Metron's id of the series.
        name: Name of the series, without its year.
        volume: Number of the volume.
        year_began: Year of the first issue.
    """

    id: int
    name: str
    volume: int
    year_began: int


class User(Row, frozen=True, kw_only=True):
    """A user of Metron.

    Attributes:
        id: Metron's id of the user.
        username: Name that the user is known by.
    """

    id: int
    username: str


class Attribution(Row, frozen=True, kw_only=True):
    """Where the text of a record was taken from; newer servers tell it.

    Attributes:
        source: Name of the source.
        url: Page at the source.
    """

    source: str
    url: str

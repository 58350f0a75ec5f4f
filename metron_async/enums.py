"""Closed sets of codes, for filters and for inputs of writes.

Every member is also its plain value, so ``SeriesStatus.ONGOING`` and ``4`` are interchangeable
wherever a filter or an input takes one. The models keep plain strings and numbers: a code that a
newer server adds must not fail to decode, and details contain display words ("Print") where filters
take codes (``PRINT``).

Languages and countries have no enum. They are ISO 639 and ISO 3166 codes (``"en"``, ``"US"``), and
both lists grow with the server's libraries.
"""

from enum import Enum, IntEnum, StrEnum

__all__ = [
    "AttributionSource",
    "BookFormat",
    "Currency",
    "Grade",
    "GradingCompany",
    "ListType",
    "Rating",
    "SeriesStatus",
    "WishPriority",
    "WishStatus",
]


class SeriesStatus(IntEnum):
    """Status of a series. Filters and writes take the number."""

    CANCELLED = 1
    """Stopped before its planned end."""
    COMPLETED = 2
    """Ended as planned."""
    HIATUS = 3
    """Paused."""
    ONGOING = 4
    """Still being published."""


class BookFormat(StrEnum):
    """Format of an owned issue."""

    PRINT = "PRINT"
    """On paper."""
    DIGITAL = "DIGITAL"
    """As a file, or in a reader's account."""
    BOTH = "BOTH"
    """On paper and digitally."""


class GradingCompany(StrEnum):
    """Company that graded a copy."""

    CGC = "CGC"
    """Certified Guaranty Company."""
    CBCS = "CBCS"
    """Comic Book Certification Service."""
    PGX = "PGX"
    """Professional Grading Experts."""


class Grade(float, Enum):
    """Condition of a copy on the ten-point scale.

    Members are floats: ``item.grade >= Grade.NM_MINUS`` works on values of the server.
    """

    GEM_MINT = 10.0
    """10.0, flawless."""
    MINT = 9.9
    """9.9."""
    NM_M = 9.8
    """9.8, near mint to mint."""
    NM_PLUS = 9.6
    """9.6."""
    NM = 9.4
    """9.4, near mint."""
    NM_MINUS = 9.2
    """9.2."""
    VF_NM = 9.0
    """9.0, very fine to near mint."""
    VF_PLUS = 8.5
    """8.5."""
    VF = 8.0
    """8.0, very fine."""
    VF_MINUS = 7.5
    """7.5."""
    FN_VF = 7.0
    """7.0, fine to very fine."""
    FN_PLUS = 6.5
    """6.5."""
    FN = 6.0
    """6.0, fine."""
    FN_MINUS = 5.5
    """5.5."""
    VG_FN = 5.0
    """5.0, very good to fine."""
    VG_PLUS = 4.5
    """4.5."""
    VG = 4.0
    """4.0, very good."""
    VG_MINUS = 3.5
    """3.5."""
    GD_VG = 3.0
    """3.0, good to very good."""
    GD_PLUS = 2.5
    """2.5."""
    GD = 2.0
    """2.0, good."""
    GD_MINUS = 1.8
    """1.8."""
    FR_GD = 1.5
    """1.5, fair to good."""
    FR = 1.0
    """1.0, fair."""
    PR = 0.5
    """0.5, poor."""


class Rating(IntEnum):
    """Stars that a user gives to an issue of the collection."""

    ONE = 1
    """One star, the lowest."""
    TWO = 2
    """Two stars."""
    THREE = 3
    """Three stars."""
    FOUR = 4
    """Four stars."""
    FIVE = 5
    """Five stars, the highest."""


class WishPriority(IntEnum):
    """Priority of a wanted issue; 1 comes first.

    The server numbers the five steps and does not name them. Its default is 3.
    """

    HIGHEST = 1
    """1."""
    HIGH = 2
    """2."""
    MEDIUM = 3
    """3, the server's default."""
    LOW = 4
    """4."""
    LOWEST = 5
    """5."""


class WishStatus(StrEnum):
    """Display words of a wish list item's ``status``.

    The server returns a status but does not take one. Compare with these words, and expect that
    others may appear.
    """

    WANTED = "Wanted"
    """Not bought yet."""
    ACQUIRED = "Acquired"
    """Bought, and added to the collection."""


class Currency(StrEnum):
    """Currencies of prices."""

    USD = "USD"
    """US dollar, the server's default."""
    GBP = "GBP"
    """Pound sterling."""
    EUR = "EUR"
    """Euro."""
    ITL = "ITL"
    """Italian lira, for issues before 2002."""


class AttributionSource(StrEnum):
    """Source of a reading list."""

    CBRO = "CBRO"
    """Comic Book Reading Orders."""
    CMRO = "CMRO"
    """Complete Marvel Reading Orders."""
    CBH = "CBH"
    """Comic Book Herald."""
    CBT = "CBT"
    """Comic Book Treasury."""
    MG = "MG"
    """Marvel Guides."""
    HTLC = "HTLC"
    """How To Love Comics."""
    LOCG = "LOCG"
    """League of ComicGeeks."""
    OTHER = "OTHER"
    """Anything else."""


class ListType(StrEnum):
    """Subject of a reading list."""

    EVENT = "EVENT"
    """A crossover event."""
    STORY = "STORY"
    """One story."""
    CHARACTERS = "CHARACTERS"
    """One or several characters."""
    TEAMS = "TEAMS"
    """One or several teams."""
    CREATOR = "CREATOR"
    """A creator's work."""
    MASTER = "MASTER"
    """A whole universe or line."""

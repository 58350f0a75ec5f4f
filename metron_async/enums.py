"""The closed sets of codes that Metron knows, for filters and for what is written.

Every member is also its plain value, so ``SeriesStatus.ONGOING`` and ``4`` are interchangeable
wherever a filter or an input takes one. What the server *answers* stays plain text or numbers in
the models: a choice that is added tomorrow must not make today's client fail, and details answer
with display words ("Print") where filters want codes (``PRINT``).

Languages and countries are deliberately not enumerated here. They are ISO 639 and ISO 3166 codes
(``"en"``, ``"US"``), which users know as text, and both lists grow with the server's libraries.
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
    """Whether a series goes on; filters and writes want the number.

    Attributes:
        CANCELLED: Stopped before its planned end.
        COMPLETED: Ended as planned.
        HIATUS: Paused.
        ONGOING: Still appearing.
    """

    CANCELLED = 1
    COMPLETED = 2
    HIATUS = 3
    ONGOING = 4


class BookFormat(StrEnum):
    """In which form an issue is owned.

    Attributes:
        PRINT: On paper.
        DIGITAL: As a file, or in a reader's account.
        BOTH: On paper and digitally.
    """

    PRINT = "PRINT"
    DIGITAL = "DIGITAL"
    BOTH = "BOTH"


class GradingCompany(StrEnum):
    """Who graded a copy.

    Attributes:
        CGC: Certified Guaranty Company.
        CBCS: Comic Book Certification Service.
        PGX: Professional Grading Experts.
    """

    CGC = "CGC"
    CBCS = "CBCS"
    PGX = "PGX"


class Grade(float, Enum):
    """Condition of a copy on the ten-point scale.

    Members are floats: ``item.grade >= Grade.NM_MINUS`` works on what the server answers.

    Attributes:
        GEM_MINT: 10.0, flawless.
        MINT: 9.9.
        NM_M: 9.8, near mint to mint.
        NM_PLUS: 9.6.
        NM: 9.4, near mint.
        NM_MINUS: 9.2.
        VF_NM: 9.0, very fine to near mint.
        VF_PLUS: 8.5.
        VF: 8.0, very fine.
        VF_MINUS: 7.5.
        FN_VF: 7.0, fine to very fine.
        FN_PLUS: 6.5.
        FN: 6.0, fine.
        FN_MINUS: 5.5.
        VG_FN: 5.0, very good to fine.
        VG_PLUS: 4.5.
        VG: 4.0, very good.
        VG_MINUS: 3.5.
        GD_VG: 3.0, good to very good.
        GD_PLUS: 2.5.
        GD: 2.0, good.
        GD_MINUS: 1.8.
        FR_GD: 1.5, fair to good.
        FR: 1.0, fair.
        PR: 0.5, poor.
    """

    GEM_MINT = 10.0
    MINT = 9.9
    NM_M = 9.8
    NM_PLUS = 9.6
    NM = 9.4
    NM_MINUS = 9.2
    VF_NM = 9.0
    VF_PLUS = 8.5
    VF = 8.0
    VF_MINUS = 7.5
    FN_VF = 7.0
    FN_PLUS = 6.5
    FN = 6.0
    FN_MINUS = 5.5
    VG_FN = 5.0
    VG_PLUS = 4.5
    VG = 4.0
    VG_MINUS = 3.5
    GD_VG = 3.0
    GD_PLUS = 2.5
    GD = 2.0
    GD_MINUS = 1.8
    FR_GD = 1.5
    FR = 1.0
    PR = 0.5


class Rating(IntEnum):
    """Stars that a user gives to an issue of their collection.

    Attributes:
        ONE: One star, the lowest.
        TWO: Two stars.
        THREE: Three stars.
        FOUR: Four stars.
        FIVE: Five stars, the highest.
    """

    ONE = 1
    TWO = 2
    THREE = 3
    FOUR = 4
    FIVE = 5


class WishPriority(IntEnum):
    """How much an issue is wanted; 1 comes first.

    The server numbers the five steps and names none but the default, which is 3.

    Attributes:
        HIGHEST: 1.
        HIGH: 2.
        MEDIUM: 3, the server's default.
        LOW: 4.
        LOWEST: 5.
    """

    HIGHEST = 1
    HIGH = 2
    MEDIUM = 3
    LOW = 4
    LOWEST = 5


class WishStatus(StrEnum):
    """Display words of a wish list item's ``status``.

    The server takes no status, it only answers one, and in words. Compare with it, and expect
    that other words may appear.

    Attributes:
        WANTED: Still looked for.
        ACQUIRED: Bought; there is an item in the collection now.
    """

    WANTED = "Wanted"
    ACQUIRED = "Acquired"


class Currency(StrEnum):
    """Currencies of prices.

    Attributes:
        USD: US dollar, the server's default.
        GBP: Pound sterling.
        EUR: Euro.
        ITL: Italian lira, for issues before 2002.
    """

    USD = "USD"
    GBP = "GBP"
    EUR = "EUR"
    ITL = "ITL"


class AttributionSource(StrEnum):
    """Where a reading list was taken from.

    Attributes:
        CBRO: Comic Book Reading Orders.
        CMRO: Complete Marvel Reading Orders.
        CBH: Comic Book Herald.
        CBT: Comic Book Treasury.
        MG: Marvel Guides.
        HTLC: How To Love Comics.
        LOCG: League of ComicGeeks.
        OTHER: Anything else.
    """

    CBRO = "CBRO"
    CMRO = "CMRO"
    CBH = "CBH"
    CBT = "CBT"
    MG = "MG"
    HTLC = "HTLC"
    LOCG = "LOCG"
    OTHER = "OTHER"


class ListType(StrEnum):
    """What a reading list follows.

    Attributes:
        EVENT: A crossover event.
        STORY: One story.
        CHARACTERS: One or several characters.
        TEAMS: One or several teams.
        CREATOR: A creator's work.
        MASTER: A whole universe or line.
    """

    EVENT = "EVENT"
    STORY = "STORY"
    CHARACTERS = "CHARACTERS"
    TEAMS = "TEAMS"
    CREATOR = "CREATOR"
    MASTER = "MASTER"

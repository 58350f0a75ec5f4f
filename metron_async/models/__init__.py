"""What the API answers, and what it accepts: frozen msgspec Structs."""

from metron_async.models.arcs import Arc, ArcSummary
from metron_async.models.characters import Character, CharacterSummary, CharacterWritten
from metron_async.models.collection import (
    CollectionFormatStat,
    CollectionIssue,
    CollectionItem,
    CollectionStats,
    CollectionSummary,
    MissingIssue,
    MissingSeries,
    RatingResult,
    ReadDate,
    ScrobbleResult,
)
from metron_async.models.common import (
    Attribution,
    BasicRef,
    Model,
    NamedRow,
    PageBody,
    Row,
    SeriesRef,
    User,
)
from metron_async.models.creators import Creator, CreatorSummary
from metron_async.models.credits import Credit, CreditWritten
from metron_async.models.imprints import Imprint, ImprintSummary, ImprintWritten
from metron_async.models.issues import Issue, IssueSeries, IssueSummary, IssueWritten, Reprint
from metron_async.models.kinds import AgeRating, Genre, Role, SeriesType
from metron_async.models.publishers import Publisher, PublisherSummary
from metron_async.models.pull_list import PulledSeries, PullList, PullListIssue, PullListSeries
from metron_async.models.reading_lists import (
    ReadingList,
    ReadingListIssue,
    ReadingListItem,
    ReadingListSummary,
)
from metron_async.models.series import AssociatedSeries, Series, SeriesSummary, SeriesWritten
from metron_async.models.teams import Team, TeamSummary, TeamWritten
from metron_async.models.universes import Universe, UniverseSummary, UniverseWritten
from metron_async.models.variants import Variant, VariantWritten
from metron_async.models.wish_list import (
    AcquireResult,
    WishList,
    WishListItem,
    WishListItemSummary,
)

__all__ = [
    "AcquireResult",
    "AgeRating",
    "Arc",
    "ArcSummary",
    "AssociatedSeries",
    "Attribution",
    "BasicRef",
    "Character",
    "CharacterSummary",
    "CharacterWritten",
    "CollectionFormatStat",
    "CollectionIssue",
    "CollectionItem",
    "CollectionStats",
    "CollectionSummary",
    "Creator",
    "CreatorSummary",
    "Credit",
    "CreditWritten",
    "Genre",
    "Imprint",
    "ImprintSummary",
    "ImprintWritten",
    "Issue",
    "IssueSeries",
    "IssueSummary",
    "IssueWritten",
    "MissingIssue",
    "MissingSeries",
    "Model",
    "NamedRow",
    "PageBody",
    "Publisher",
    "PublisherSummary",
    "PullList",
    "PullListIssue",
    "PullListSeries",
    "PulledSeries",
    "RatingResult",
    "ReadDate",
    "ReadingList",
    "ReadingListIssue",
    "ReadingListItem",
    "ReadingListSummary",
    "Reprint",
    "Role",
    "Row",
    "ScrobbleResult",
    "Series",
    "SeriesRef",
    "SeriesSummary",
    "SeriesType",
    "SeriesWritten",
    "Team",
    "TeamSummary",
    "TeamWritten",
    "Universe",
    "UniverseSummary",
    "UniverseWritten",
    "User",
    "Variant",
    "VariantWritten",
    "WishList",
    "WishListItem",
    "WishListItemSummary",
]

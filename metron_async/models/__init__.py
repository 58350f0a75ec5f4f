"""Objects that the API returns and accepts: frozen msgspec Structs."""

from metron_async.models._encoding import *
from metron_async.models._images import *
from metron_async.models._rules import *
from metron_async.models.arcs import *
from metron_async.models.base import *
from metron_async.models.characters import *
from metron_async.models.collection import *
from metron_async.models.common import *
from metron_async.models.creators import *
from metron_async.models.credits import *
from metron_async.models.imprints import *
from metron_async.models.inputs import *
from metron_async.models.inputs_account import *
from metron_async.models.issues import *
from metron_async.models.publishers import *
from metron_async.models.pull_list import *
from metron_async.models.reading_lists import *
from metron_async.models.series import *
from metron_async.models.teams import *
from metron_async.models.universes import *
from metron_async.models.variants import *
from metron_async.models.wish_list import *

__all__ = [
    "MAX_BODY",
    "AcquireInput",
    "AcquireResult",
    "Action",
    "AgeRating",
    "Arc",
    "ArcInput",
    "ArcSummary",
    "AssociatedSeries",
    "Attribution",
    "BasicRef",
    "Character",
    "CharacterInput",
    "CharacterSummary",
    "CharacterWritten",
    "CollectionAddInput",
    "CollectionFormatStat",
    "CollectionIssue",
    "CollectionItem",
    "CollectionStats",
    "CollectionSummary",
    "Creator",
    "CreatorInput",
    "CreatorSummary",
    "Credit",
    "CreditInput",
    "CreditWritten",
    "FormFields",
    "Genre",
    "Image",
    "ImagePart",
    "Imprint",
    "ImprintInput",
    "ImprintSummary",
    "ImprintWritten",
    "Input",
    "Issue",
    "IssueInput",
    "IssueSeries",
    "IssueSummary",
    "IssueWritten",
    "JsonFields",
    "MissingIssue",
    "MissingSeries",
    "Model",
    "NamedRow",
    "PageBody",
    "Price",
    "Publisher",
    "PublisherInput",
    "PublisherSummary",
    "PullList",
    "PullListAddInput",
    "PullListIssue",
    "PullListSeries",
    "PulledSeries",
    "RatingInput",
    "RatingResult",
    "ReadDate",
    "ReadingList",
    "ReadingListIssue",
    "ReadingListItem",
    "ReadingListSummary",
    "Record",
    "Reprint",
    "Role",
    "Row",
    "ScrobbleInput",
    "ScrobbleResult",
    "Series",
    "SeriesInput",
    "SeriesRef",
    "SeriesSummary",
    "SeriesType",
    "SeriesWritten",
    "Team",
    "TeamInput",
    "TeamSummary",
    "TeamWritten",
    "Universe",
    "UniverseInput",
    "UniverseSummary",
    "UniverseWritten",
    "Upload",
    "User",
    "Variant",
    "VariantInput",
    "VariantWritten",
    "WishList",
    "WishListAddInput",
    "WishListItem",
    "WishListItemSummary",
    "check_input",
    "encode_form",
    "encode_input",
    "image_part",
    "image_type",
]

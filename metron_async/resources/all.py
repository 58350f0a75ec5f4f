"""The resources of a client, each loaded on first use."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metron_async._engine.caller import Caller
    from metron_async.resources.arcs import ArcsResource
    from metron_async.resources.characters import CharactersResource
    from metron_async.resources.collection import CollectionResource
    from metron_async.resources.creators import CreatorsResource
    from metron_async.resources.credits import CreditsResource
    from metron_async.resources.imprints import ImprintsResource
    from metron_async.resources.issues import IssuesResource
    from metron_async.resources.publishers import PublishersResource
    from metron_async.resources.pull_list import PullListResource
    from metron_async.resources.reading_lists import ReadingListsResource
    from metron_async.resources.roles import RolesResource
    from metron_async.resources.series import SeriesResource
    from metron_async.resources.series_types import SeriesTypesResource
    from metron_async.resources.teams import TeamsResource
    from metron_async.resources.universes import UniversesResource
    from metron_async.resources.variants import VariantsResource
    from metron_async.resources.wish_list import WishListResource

__all__ = ["AllResources"]


class AllResources:
    """All resources, with one set of options."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    @functools.cached_property
    def arcs(self) -> ArcsResource:
        """Story arcs."""
        from metron_async.resources.arcs import ArcsResource

        return ArcsResource(self._caller)

    @functools.cached_property
    def characters(self) -> CharactersResource:
        """Characters."""
        from metron_async.resources.characters import CharactersResource

        return CharactersResource(self._caller)

    @functools.cached_property
    def collection(self) -> CollectionResource:
        """The account's own comics."""
        from metron_async.resources.collection import CollectionResource

        return CollectionResource(self._caller)

    @functools.cached_property
    def creators(self) -> CreatorsResource:
        """Creators of comics, such as writers and artists."""
        from metron_async.resources.creators import CreatorsResource

        return CreatorsResource(self._caller)

    @functools.cached_property
    def credits(self) -> CreditsResource:
        """Credits of issues; for editors."""
        from metron_async.resources.credits import CreditsResource

        return CreditsResource(self._caller)

    @functools.cached_property
    def imprints(self) -> ImprintsResource:
        """Imprints of publishers."""
        from metron_async.resources.imprints import ImprintsResource

        return ImprintsResource(self._caller)

    @functools.cached_property
    def issues(self) -> IssuesResource:
        """Single issues."""
        from metron_async.resources.issues import IssuesResource

        return IssuesResource(self._caller)

    @functools.cached_property
    def publishers(self) -> PublishersResource:
        """Publishers."""
        from metron_async.resources.publishers import PublishersResource

        return PublishersResource(self._caller)

    @functools.cached_property
    def pull_list(self) -> PullListResource:
        """The series that the account follows."""
        from metron_async.resources.pull_list import PullListResource

        return PullListResource(self._caller)

    @functools.cached_property
    def reading_lists(self) -> ReadingListsResource:
        """Reading lists, public ones and the account's own."""
        from metron_async.resources.reading_lists import ReadingListsResource

        return ReadingListsResource(self._caller)

    @functools.cached_property
    def roles(self) -> RolesResource:
        """Roles of creators."""
        from metron_async.resources.roles import RolesResource

        return RolesResource(self._caller)

    @functools.cached_property
    def series(self) -> SeriesResource:
        """Series, each one run of issues."""
        from metron_async.resources.series import SeriesResource

        return SeriesResource(self._caller)

    @functools.cached_property
    def series_types(self) -> SeriesTypesResource:
        """Types of series."""
        from metron_async.resources.series_types import SeriesTypesResource

        return SeriesTypesResource(self._caller)

    @functools.cached_property
    def teams(self) -> TeamsResource:
        """Teams of characters."""
        from metron_async.resources.teams import TeamsResource

        return TeamsResource(self._caller)

    @functools.cached_property
    def universes(self) -> UniversesResource:
        """Universes that stories are set in."""
        from metron_async.resources.universes import UniversesResource

        return UniversesResource(self._caller)

    @functools.cached_property
    def variants(self) -> VariantsResource:
        """Variant covers; for editors."""
        from metron_async.resources.variants import VariantsResource

        return VariantsResource(self._caller)

    @functools.cached_property
    def wish_list(self) -> WishListResource:
        """The issues that the account wants."""
        from metron_async.resources.wish_list import WishListResource

        return WishListResource(self._caller)

"""Builders of objects of the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

from metron_async.testing import records as r
from metron_async.testing._data.arguments import checked

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from decimal import Decimal
    from typing import Unpack

    from metron_async.testing._data.catalogue import Catalogue
    from metron_async.testing._server.serverclock import ServerClock

__all__ = ["CatalogueBuilders", "Common"]

R = TypeVar("R", bound=r.Record)
_KINDS: dict[type[r.Record], str] = {r.ReadingList: "reading_list"}
"""Names of tables that are not those of the record."""


class Common(TypedDict, total=False):
    """Optional fields that most objects have.

    ``id`` is the next free id by default, ``modified`` the server's present time, and ``slug``
    follows from the name.
    """

    id: int
    desc: str
    image: str | None
    cv_id: int | None
    gcd_id: int | None
    slug: str
    modified: dt.datetime | str


class CatalogueBuilders:
    """Methods that add objects to the catalogue.

    All of them take ids of objects that exist, and raise ``TypeError`` or ``ValueError`` for a
    value that the server could not hold. What is not given is empty.
    """

    catalogue: Catalogue
    clock: ServerClock

    def _add(self, record: type[R], common: Common, **own: Any) -> R:
        kind = _KINDS.get(record, record.__name__.lower())
        table = self.catalogue.table(kind)
        default = {"id": self.catalogue.next_id(kind), "modified": self.clock.moment()}
        made = record(**checked(record, default | own | dict(common), self.catalogue))
        if made.id in table:
            msg = f"{kind} id {made.id} is taken: omit id to get the next free one"
            raise ValueError(msg)
        made.slug = made.slug or r.slug(made.name)
        self.catalogue.add(kind, made)
        return made

    def add_publisher(
        self,
        name: str,
        *,
        founded: int | None = None,
        country: str = "US",
        alt_names: Sequence[str] = (),
        **common: Unpack[Common],
    ) -> r.Publisher:
        """Add a publisher.

        Args:
            name: Its name.
            founded: Year.
            country: ISO code of two letters.
            alt_names: Other names.
            common: Fields that most objects have: ``id``, ``desc``, ``image``, ``cv_id``, ...

        Example:
            >>> fake = FakeMetron(issues=0)
            >>> publisher = fake.add_publisher("Image Comics", founded=1992)
            >>> series = fake.add_series("Saga", publisher=publisher.id, year_began=2012)
            >>> fake.add_issue(series.id, "1", cover_date="2012-03-01").id
            1
        """
        own = {"founded": founded, "country": country, "alt_names": alt_names}
        return self._add(r.Publisher, common, name=name, **own)

    def add_imprint(
        self, name: str, publisher: int, *, founded: int | None = None, **common: Unpack[Common]
    ) -> r.Imprint:
        """Add an imprint of a publisher; see :meth:`add_publisher`."""
        return self._add(r.Imprint, common, name=name, publisher=publisher, founded=founded)

    def add_universe(
        self, name: str, publisher: int, *, designation: str = "", **common: Unpack[Common]
    ) -> r.Universe:
        """Add a universe of a publisher; see :meth:`add_publisher`."""
        own = {"publisher": publisher, "designation": designation}
        return self._add(r.Universe, common, name=name, **own)

    def add_arc(self, name: str, **common: Unpack[Common]) -> r.Arc:
        """Add a story arc; see :meth:`add_publisher`."""
        return self._add(r.Arc, common, name=name)

    def add_creator(
        self,
        name: str,
        *,
        birth: dt.date | str | None = None,
        death: dt.date | str | None = None,
        alias: Sequence[str] = (),
        **common: Unpack[Common],
    ) -> r.Creator:
        """Add a creator; see :meth:`add_publisher`.

        Args:
            name: The name.
            birth: Date, or an ISO string.
            death: Date, or an ISO string.
            alias: Other names.
            common: Fields that most objects have.
        """
        return self._add(r.Creator, common, name=name, birth=birth, death=death, alias=alias)

    def add_team(
        self,
        name: str,
        *,
        creators: Sequence[int] = (),
        universes: Sequence[int] = (),
        **common: Unpack[Common],
    ) -> r.Team:
        """Add a team, with ids of its creators and universes; see :meth:`add_publisher`."""
        return self._add(r.Team, common, name=name, creators=creators, universes=universes)

    def add_character(
        self,
        name: str,
        *,
        alias: Sequence[str] = (),
        creators: Sequence[int] = (),
        teams: Sequence[int] = (),
        universes: Sequence[int] = (),
        **common: Unpack[Common],
    ) -> r.Character:
        """Add a character, with ids of its relations; see :meth:`add_publisher`."""
        own = {"alias": alias, "creators": creators, "teams": teams, "universes": universes}
        return self._add(r.Character, common, name=name, **own)

    def add_series(
        self,
        name: str,
        *,
        publisher: int = 1,
        year_began: int | None = None,
        year_end: int | None = None,
        volume: int = 1,
        series_type: int = 1,
        status: int = 4,
        imprint: int | None = None,
        sort_name: str | None = None,
        alt_names: Sequence[str] = (),
        language: str = "en",
        genres: Sequence[int] = (),
        associated: Sequence[int] = (),
        **common: Unpack[Common],
    ) -> r.Series:
        """Add a series.

        Args:
            name: Its name, without the year.
            publisher: Id of its publisher.
            year_began: Year of its first issue; by default the catalogue's present year.
            year_end: Year of its last issue.
            volume: Number of the volume.
            series_type: Id of its type: 1 ongoing series, 11 limited series, ...
            status: 1 cancelled, 2 completed, 3 hiatus, 4 ongoing.
            imprint: Id of its imprint.
            sort_name: Name to sort by; by default *name*.
            alt_names: Other names.
            language: Code of its language.
            genres: Ids of its genres.
            associated: Ids of other series.
            common: Fields that most objects have: ``id``, ``desc``, ``cv_id``, ``gcd_id``, ...
        """
        year = self.catalogue.today.year if year_began is None else year_began
        return self._add(
            r.Series,
            common,
            name=name,
            sort_name=name if sort_name is None else sort_name,
            publisher=publisher,
            year_began=year,
            year_end=year_end,
            volume=volume,
            series_type=series_type,
            status=status,
            imprint=imprint,
            alt_names=alt_names,
            language=language,
            genres=genres,
            associated=associated,
            slug=r.slug(f"{name} {year}"),
        )

    # -- issues --------------------------------------------------------------------------------

    def add_issue(
        self,
        series: int,
        number: str,
        *,
        cover_date: dt.date | str | None = None,
        store_date: dt.date | str | None = None,
        foc_date: dt.date | str | None = None,
        alt_number: str = "",
        title: str = "",
        names: Sequence[str] = (),
        price: str | Decimal | None = None,
        currency: str = "USD",
        rating: int = 1,
        sku: str = "",
        isbn: str = "",
        upc: str = "",
        page: int | None = None,
        cover_hash: str = "",
        average_rating: float | None = None,
        rating_count: int = 0,
        arcs: Sequence[int] = (),
        characters: Sequence[int] = (),
        teams: Sequence[int] = (),
        universes: Sequence[int] = (),
        reprints: Sequence[int] = (),
        desc_is_solicitation: bool = False,
        **common: Unpack[Common],
    ) -> r.Issue:
        """Add an issue to a series; :meth:`add_credit` and :meth:`add_variant` complete it.

        Args:
            series: Id of the series.
            number: Its number, as text.
            cover_date: Date or an ISO string; by default the first day of the present month.
            store_date: Date, or an ISO string.
            foc_date: Date, or an ISO string.
            alt_number: Alternative number.
            title: Title of a collection.
            names: Names of its stories.
            price: Price, such as ``"3.99"``.
            currency: Currency of the price.
            rating: Id of its age rating.
            sku: SKU of its distributor.
            isbn: ISBN.
            upc: UPC.
            page: Number of pages.
            cover_hash: Perceptual hash of its cover, 16 hexadecimal digits.
            average_rating: Mean of the users' ratings.
            rating_count: Number of the users' ratings.
            arcs: Ids of its story arcs.
            characters: Ids of its characters.
            teams: Ids of its teams.
            universes: Ids of its universes.
            reprints: Ids of the issues that it reprints.
            desc_is_solicitation: Whether its description is the publisher's advertisement.
            common: Fields that most objects have: ``id``, ``desc``, ``image``, ``cv_id``, ...
        """
        present = self.catalogue.today.replace(day=1)
        return self._add(
            r.Issue,
            common,
            series=series,
            number=number,
            cover_date=present if cover_date is None else cover_date,
            store_date=store_date,
            foc_date=foc_date,
            alt_number=alt_number,
            title=title,
            names=names,
            price=price,
            currency="" if price is None else currency,
            rating=rating,
            sku=sku,
            isbn=isbn,
            upc=upc,
            page=page,
            cover_hash=cover_hash,
            average_rating=average_rating,
            rating_count=rating_count,
            arcs=arcs,
            characters=characters,
            teams=teams,
            universes=universes,
            credits=(),
            reprints=reprints,
            desc_is_solicitation=desc_is_solicitation,
        )

    def add_credit(self, issue: int, creator: int, roles: Sequence[int] = (1,)) -> r.Credit:
        """Add a credit to an issue, which moves its ``modified``.

        Args:
            issue: Id of the issue.
            creator: Id of the creator.
            roles: Ids of the roles; 1 is the writer.
        """
        now = self.clock.moment()
        checked(r.Variant, {"issue": issue}, self.catalogue)
        values = {"creator": creator, "roles": roles}
        found = checked(r.Credit, values, self.catalogue)
        return self.catalogue.add_credit(issue, found["creator"], found["roles"], now)

    def add_variant(
        self,
        issue: int,
        *,
        name: str = "",
        image: str = "https://static.comics.example/media/variants/cover.jpg",
        price: str | Decimal | None = None,
        currency: str = "USD",
        sku: str = "",
        upc: str = "",
    ) -> r.Variant:
        """Add a variant cover to an issue, which moves its ``modified``.

        Args:
            issue: Id of the issue.
            name: Its name.
            image: URL of its image.
            price: Price, such as ``"9.99"``.
            currency: Currency of the price.
            sku: SKU of its distributor.
            upc: UPC.
        """
        own = {"issue": issue, "name": name, "image": image, "price": price}
        own |= {"currency": currency, "sku": sku, "upc": upc}
        values = checked(r.Variant, own, self.catalogue)
        return self.catalogue.add_variant(values, self.clock.moment())

"""The fake's database: tables, the relations between them, their orders, and edits.

Derived values (orders, reverse relations, display names) are computed on demand, and kept until
an edit that may change them.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from metron_async.testing import records as r
from metron_async.testing._data.arithmetic import Sizes, mix, some
from metron_async.testing._data.generate import Tables, build

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["RELATIONS", "Catalogue", "issue_order", "series_display"]

_SUFFIXES = {10: "TPB", 8: "HC", 9: "Omnibus", 15: "GN"}
_DIGITAL = 12
_KEPT = 10_000
RELATIONS = {"arcs": "arc", "characters": "character", "teams": "team", "universes": "universe"}
"""Relations of an issue, with the kinds of the related objects."""

_NUMBERED = tuple(RELATIONS)


def series_display(series: r.Series) -> str:
    """Return the name by which rows show a series, such as ``"Savage Wolf TPB (1966)"``."""
    suffix = _SUFFIXES.get(series.series_type)
    name = f"{series.name} {suffix}" if suffix else series.name
    shown = f"{name} ({series.year_began})"
    return f"{shown} Digital Chapter" if series.series_type == _DIGITAL else shown


class Catalogue:
    """All objects of the fake server.

    Attributes:
        tables: The records, by kind and id.
        version: Grows with every edit.
        variants: Variant covers, by id.
        usernames: Function from the id of a user to the name.
    """

    def __init__(self, issues: int, seed: int, today: dt.date) -> None:
        self.tables: Tables = build(issues, seed, today)
        self.today = today
        self.seed = seed
        self.sizes: Sizes = Sizes.of(issues)
        self.version: int = 0
        self.variants: dict[int, r.Variant] = {}
        self.next_credit: int = issues * 4 + 10
        self.usernames: Callable[[int], str] = str
        self._derived: dict[tuple[str, object], Any] = {}

    # -- derived values ------------------------------------------------------------------------

    def table(self, kind: str) -> dict[int, Any]:
        """Return the records of *kind*, by id.

        Raises:
            ValueError: There is no such kind.
        """
        if kind not in self.tables._fields:
            msg = f"Unknown kind {kind!r}: expected one of {', '.join(self.tables._fields)}"
            raise ValueError(msg)
        table: dict[int, Any] = getattr(self.tables, kind)
        return table

    def existing(self, kind: str, rid: int) -> Any:
        """Return one record.

        Raises:
            KeyError: The record does not exist.
        """
        record = self.table(kind).get(rid)
        if record is None:
            msg = f"{kind} {rid} does not exist"
            raise KeyError(msg)
        return record

    def derived(self, name: str, argument: object, make: Any) -> Any:
        """Return ``make()``, kept under *name* and *argument* until something is edited."""
        key = (name, argument)
        found = self._derived.get(key)
        if found is None:
            if len(self._derived) >= _KEPT:
                self._derived.clear()
            found = self._derived[key] = make()
        return found

    def ordered(self, kind: str) -> Sequence[Any]:
        """Return all records of *kind* in the order of its list."""
        rows: Sequence[Any] = self.derived("ordered", kind, lambda: self._order(kind))
        return rows

    def _order(self, kind: str) -> Sequence[Any]:
        rows = list(self.table(kind).values())
        if kind == "issue":
            names = {sid: (s.sort_name, s.year_began, sid) for sid, s in self.tables.series.items()}
            rows.sort(key=lambda i: (names[i.series], *issue_order(i)))
        elif kind == "series":
            rows.sort(key=lambda s: (s.sort_name, s.year_began, s.id))
        elif kind in {"role", "rating", "genre"}:
            rows.sort(key=lambda term: term.id)
        else:
            rows.sort(key=lambda record: (record.name, record.id))
        return rows

    def issues_of_series(self, series: int) -> Sequence[r.Issue]:
        """Return the issues of a series, oldest first."""
        index: dict[int, list[r.Issue]] = self.derived("by series", None, self._by_series)
        return index.get(series, ())

    def _by_series(self) -> dict[int, list[r.Issue]]:
        index: defaultdict[int, list[r.Issue]] = defaultdict(list)
        for issue in self.tables.issue.values():
            index[issue.series].append(issue)
        for issues in index.values():
            issues.sort(key=issue_order)
        return dict(index)

    def issues_with(self, relation: str, rid: int) -> frozenset[int]:
        """Return the ids of the issues that are related to the object *rid*.

        Args:
            relation: ``"arcs"``, ``"characters"``, ``"teams"``, ``"universes"``, ``"creators"``
                or ``"roles"``.
            rid: Id of the related object.
        """
        index: dict[int, list[int]] = self.derived("with", relation, lambda: self._with(relation))
        return frozenset(index.get(rid, ()))

    def issues_related(self, relation: str, rid: int) -> Sequence[r.Issue]:
        """Return the issues that are related to the object *rid*, oldest first."""

        def find() -> list[r.Issue]:
            table = self.tables.issue
            return sorted((table[i] for i in self.issues_with(relation, rid)), key=issue_order)

        found: list[r.Issue] = self.derived("related", (relation, rid), find)
        return found

    def _with(self, relation: str) -> dict[int, list[int]]:
        index: defaultdict[int, list[int]] = defaultdict(list)
        for issue in self.tables.issue.values():
            for rid in self._related_ids(issue, relation):
                index[rid].append(issue.id)
        return dict(index)

    def _related_ids(self, issue: r.Issue, relation: str) -> Sequence[int] | set[int]:
        if relation == "creators":
            return [credit.creator for credit in self.credits(issue)]
        if relation == "roles":
            return {role for credit in self.credits(issue) for role in credit.roles}
        return self.related(issue, relation)

    # -- relations of an issue, computed on demand ---------------------------------------------

    def related(self, issue: r.Issue, relation: str) -> tuple[int, ...]:
        """Return the ids of an issue's arcs, characters, teams or universes."""
        ids: tuple[int, ...] | None = getattr(issue, relation)
        if ids is None:
            number = mix(self.seed, 30 + _NUMBERED.index(relation), issue.id)
            count = {"arcs": number % 3 // 2, "characters": 1 + number % 5}.get(
                relation, number % 2
            )
            ids = some(count, getattr(self.sizes, relation), number)
            setattr(issue, relation, ids)
        return ids

    def credits(self, issue: r.Issue) -> tuple[r.Credit, ...]:
        """Return the credits of an issue."""
        if issue.credits is None:
            number = mix(self.seed, 40, issue.id)
            creators = some(2 + number % 4, self.sizes.creators, number)
            issue.credits = tuple(
                r.Credit(
                    id=issue.id * 4 + turn,
                    creator=creator,
                    roles=tuple(sorted(some(1 + turn % 2, 14, number, creator))),
                    modified=issue.modified,
                )
                for turn, creator in enumerate(creators)
            )
        return issue.credits

    def variants_of(self, issue: int) -> list[r.Variant]:
        """Return the variant covers of an issue."""
        return [variant for variant in self.variants.values() if variant.issue == issue]

    # -- edits ---------------------------------------------------------------------------------

    def get(self, kind: str, rid: int) -> Any | None:
        """Return one record, or ``None``."""
        return self.table(kind).get(rid)

    def change(self, kind: str, rid: int, changes: Mapping[str, Any], now: dt.datetime) -> Any:
        """Set fields of a record and move its ``modified``.

        Raises:
            KeyError: The record does not exist.
            AttributeError: The record has no such field.
        """
        record = self.existing(kind, rid)
        for field in changes.keys() - set(record.__struct_fields__):
            msg = f"{type(record).__name__} has no field {field!r}"
            raise AttributeError(msg)
        for field, value in changes.items():
            setattr(record, field, value)
        record.modified = changes.get("modified", now)
        self.edited(structure=bool(changes.keys() - {"modified"}))
        return record

    def edited(self, *, structure: bool = True) -> None:
        """Drop derived values after an edit that may have changed them."""
        self.version += 1
        if structure:
            self._derived.clear()

    def add(self, kind: str, record: Any) -> Any:
        """Add a new record to its table."""
        self.table(kind)[record.id] = record
        self.edited()
        return record

    def add_credit(
        self, issue: int, creator: int, roles: tuple[int, ...], now: dt.datetime
    ) -> r.Credit:
        """Add a credit to an issue, and move the issue's ``modified``."""
        credit = r.Credit(id=self.next_credit, creator=creator, roles=roles, modified=now)
        self.next_credit += 1
        known = self.credits(self.tables.issue[issue])
        self.change("issue", issue, {"credits": (*known, credit)}, now)
        return credit

    def add_variant(self, values: Mapping[str, Any], now: dt.datetime) -> r.Variant:
        """Add a variant cover to an issue, and move the issue's ``modified``."""
        variant = r.Variant(id=max(self.variants, default=0) + 1, **values)
        self.variants[variant.id] = variant
        self.change("issue", variant.issue, {}, now)
        return variant

    def next_reading_item(self) -> int:
        """Return an id that no item of a reading list has."""
        lists = self.tables.reading_list.values()
        return max((item.id for one in lists for item in one.items), default=0) + 1

    def next_id(self, kind: str) -> int:
        """Return an id that no record of *kind* has."""
        return max(self.table(kind), default=0) + 1

    def remove(self, kind: str, rid: int) -> None:
        """Delete a record, and the records that belong to it.

        Raises:
            KeyError: The record does not exist.
        """
        del self.table(kind)[self.existing(kind, rid).id]
        if kind == "series":
            for issue in [i for i in self.tables.issue.values() if i.series == rid]:
                del self.tables.issue[issue.id]
        elif kind == "publisher":
            for own in [s.id for s in self.tables.series.values() if s.publisher == rid]:
                self.remove("series", own)
        elif kind == "imprint":
            for series in self.tables.series.values():
                series.imprint = None if series.imprint == rid else series.imprint
        self.edited()


def issue_order(issue: r.Issue) -> tuple[dt.date, bool, dt.date, str, int]:
    """Return the sort key of issues: cover date, store date (none last), number, id."""
    store = issue.store_date
    return issue.cover_date, store is None, store or dt.date.min, issue.number, issue.id

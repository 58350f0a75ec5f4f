# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
"""What type checkers see of writes. Checked by mypy and pyright, and never run."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import assert_type

from metron_async import Added, AsyncMetron, Grade, Rating
from metron_async.models import (
    AcquireResult,
    Arc,
    ArcInput,
    CharacterInput,
    CharacterWritten,
    CollectionItem,
    CreditInput,
    CreditWritten,
    IssueInput,
    IssueWritten,
    Price,
    PullListSeries,
    RatingResult,
    ScrobbleResult,
    Upload,
    VariantInput,
    VariantWritten,
    WishListItem,
)


async def account(metron: AsyncMetron) -> None:
    """What adds tells whether it created something; the rest gives its result."""
    added = await metron.collection.add(1, grade=Grade.MINT, purchase_price=Decimal("3.99"))
    assert_type(added, Added[CollectionItem])
    item, created = added
    assert_type(item, CollectionItem)
    assert_type(created, bool)
    assert_type(await metron.collection.scrobble(1), Added[ScrobbleResult])
    await metron.collection.scrobble(1, date_read=datetime.now(UTC))
    assert_type(await metron.collection.rate(1, Rating.FIVE), RatingResult)
    assert_type(await metron.collection.rate(1, None), RatingResult)
    assert_type(await metron.pull_list.add_series(1), Added[PullListSeries])
    wish = await metron.wish_list.add(1, max_price=Price(Decimal(5), "EUR"))
    assert_type(wish, Added[WishListItem])
    assert_type(await metron.wish_list.acquire(1), AcquireResult)
    await metron.collection.scrobble(1, date_read="today")  # type: ignore[arg-type]
    await metron.collection.add(1, purchase_price=3.99)  # type: ignore[arg-type]
    await metron.collection.rate(1)  # type: ignore[call-arg]


async def editor(metron: AsyncMetron) -> None:
    """Each namespace takes its own input, and gives its own answer."""
    assert_type(await metron.arcs.create(ArcInput(name="x", image=Path("x.png"))), Arc)
    written = await metron.characters.update(1, CharacterInput(alias=[], image=Upload(b"x")))
    assert_type(written, CharacterWritten)
    assert_type(await metron.issues.replace(1, IssueInput(price=None)), IssueWritten)
    rows = await metron.credits.create([CreditInput(issue=1, creator=1, role=[1])])
    assert_type(rows, list[CreditWritten])
    assert_type(await metron.variants.update(1, VariantInput(name="x")), VariantWritten)
    await metron.arcs.create(CharacterInput(name="x"))  # type: ignore[arg-type]
    await metron.arcs.update(ArcInput(name="x"))  # type: ignore[call-arg, arg-type]

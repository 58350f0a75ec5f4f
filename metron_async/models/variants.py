"""Variant covers of issues."""

from decimal import Decimal

from metron_async.models.common import Model, Row, check_amount

__all__ = ["Variant", "VariantWritten"]


class Variant(Row, frozen=True, kw_only=True):
    """A variant cover inside of its issue. It has no id there.

    Attributes:
        name: Name of the variant, or ``""``.
        price: Price, or ``None``; its currency is not told.
        sku: Distributor's number, or ``""``.
        upc: Barcode, or ``""``.
        image: URL of the cover.
    """

    name: str = ""
    price: Decimal | None
    sku: str = ""
    upc: str = ""
    image: str

    def __post_init__(self) -> None:
        check_amount(self.price)


class VariantWritten(Model, frozen=True, kw_only=True):
    """A variant as creating or updating it answers.

    Attributes:
        id: Metron's id of the variant; nothing else tells it.
        image: URL of the cover.
        name: Name of the variant, or ``""``.
        price_currency: Code of the price's currency, or ``None``.
        price: Price, or ``None``.
        sku: Distributor's number, or ``""``.
        upc: Barcode, or ``""``.
        issue: Id of the issue.
    """

    id: int
    image: str
    name: str = ""
    price_currency: str | None
    price: Decimal | None = None
    sku: str = ""
    upc: str = ""
    issue: int

    def __post_init__(self) -> None:
        check_amount(self.price)

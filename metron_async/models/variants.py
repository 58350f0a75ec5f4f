"""Variant covers of issues."""

from decimal import Decimal

from metron_async.models.base import Model, Row, check_amount

__all__ = ["Variant", "VariantWritten"]


class Variant(Row, frozen=True, kw_only=True):
    """Variant cover, as its issue lists it: without an id."""

    name: str = ""
    """Name of the variant, or ``""``."""
    price: Decimal | None
    """Price, or ``None``. The server does not send its currency."""
    sku: str = ""
    """Distributor's number, or ``""``."""
    upc: str = ""
    """Barcode, or ``""``."""
    image: str
    """URL of the cover."""

    def __post_init__(self) -> None:
        check_amount(self.price)


class VariantWritten(Model, frozen=True, kw_only=True):
    """Variant cover as returned by a write, with ids in place of objects."""

    id: int
    """Metron's id of the variant. No read returns it."""
    image: str
    """URL of the cover."""
    name: str = ""
    """Name of the variant, or ``""``."""
    price_currency: str | None
    """Currency code of the price, or ``None``."""
    price: Decimal | None = None
    """Price, or ``None``."""
    sku: str = ""
    """Distributor's number, or ``""``."""
    upc: str = ""
    """Barcode, or ``""``."""
    issue: int
    """Id of the issue."""

    def __post_init__(self) -> None:
        check_amount(self.price)

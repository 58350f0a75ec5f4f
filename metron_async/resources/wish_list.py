"""The issues that the account wants: ``metron.wish_list``."""

from metron_async.models import WishList, WishListItemSummary
from metron_async.pagination import Paginator
from metron_async.resources.account_lists import AccountList

__all__ = ["WishLists"]


class WishLists(AccountList[WishList]):
    """The issues that the account wants: ``metron.wish_list``."""

    path = "wish_list"
    model = WishList

    def items(self) -> Paginator[WishListItemSummary]:
        """Iterate the items of the wish list."""
        return self._rows(self._request("items/"), WishListItemSummary)

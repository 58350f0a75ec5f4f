"""Credits: the roles of a creator in an issue."""

from metron_async.models.base import Instant, Model, Row
from metron_async.models.common import Role

__all__ = ["Credit", "CreditWritten"]


class Credit(Row, frozen=True, kw_only=True):
    """Creator and roles, as an issue lists them."""

    id: int
    """Id of the *creator*. The server does not send the credit's own id."""
    creator: str
    """Name of the creator."""
    role: tuple[Role, ...]
    """Roles of the creator in this issue."""


class CreditWritten(Model, frozen=True, kw_only=True):
    """Credit as returned by a write, with ids in place of objects."""

    id: int
    """Id of the credit itself."""
    modified: Instant
    """When the credit was last changed; aware."""
    issue: int
    """Id of the issue."""
    creator: int
    """Id of the creator."""
    role: tuple[int, ...]
    """Ids of the roles."""

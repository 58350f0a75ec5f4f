"""Credits: who did what for an issue."""

from metron_async.models.common import Instant, Model, Row
from metron_async.models.kinds import Role

__all__ = ["Credit", "CreditWritten"]


class Credit(Row, frozen=True, kw_only=True):
    """A creator and what they did for one issue.

    Attributes:
        id: Id of the *creator*; the credit's own id is not told.
        creator: Name of the creator.
        role: What they did.
    """

    id: int
    creator: str
    role: tuple[Role, ...]


class CreditWritten(Model, frozen=True, kw_only=True):
    """A credit as creating it answers.

    Attributes:
        id: Id of the credit itself.
        modified: When it was last changed; aware.
        issue: Id of the issue.
        creator: Id of the creator.
        role: Ids of the roles.
    """

    id: int
    modified: Instant
    issue: int
    creator: int
    role: tuple[int, ...]

"""Objects that the API returns and accepts: frozen msgspec Structs."""

from metron_async.models import (
    arcs,
    base,
    characters,
    collection,
    common,
    creators,
    credits,  # noqa: A004 - a module of the API
    imprints,
    inputs,
    inputs_account,
    issues,
    publishers,
    pull_list,
    reading_lists,
    series,
    teams,
    universes,
    variants,
    wish_list,
)
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

__all__ = ["Action", "Image", "Price", "Upload", "check_input"]
__all__ += arcs.__all__
__all__ += base.__all__
__all__ += characters.__all__
__all__ += collection.__all__
__all__ += common.__all__
__all__ += creators.__all__
__all__ += credits.__all__
__all__ += imprints.__all__
__all__ += inputs.__all__
__all__ += inputs_account.__all__
__all__ += issues.__all__
__all__ += publishers.__all__
__all__ += pull_list.__all__
__all__ += reading_lists.__all__
__all__ += series.__all__
__all__ += teams.__all__
__all__ += universes.__all__
__all__ += variants.__all__
__all__ += wish_list.__all__

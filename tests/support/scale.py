"""How much a test does: a little each time, and a lot in the nightly session."""

import os

NIGHTLY = os.environ.get("METRON_ASYNC_NIGHTLY", "") not in {"", "0"}


def scaled(ordinary, nightly):
    """Return *nightly* in the nightly session, and *ordinary* everywhere else."""
    return nightly if NIGHTLY else ordinary

"""The command ``metron-async``.

Data goes to the standard output, everything else to the standard error. Credentials are taken
from the environment and from nowhere else.
"""

from metron_async.cli.app import main

__all__ = ["main"]

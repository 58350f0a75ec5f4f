"""``python -m metron_async``: the same as the command ``metron-async``."""

import sys

from metron_async.cli import main

if __name__ == "__main__":
    sys.exit(main())

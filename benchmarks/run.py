"""Measure everything, side by side with the peers, and write it down.

Run it: ``python -m benchmarks.run``, or ``nox -s bench``. It takes some ten minutes, and writes
``results.json`` (the data), ``RESULTS.md``, its charts, and the tables of ``docs/benchmarks.md``.
With ``--only PART`` one part is measured again; with ``--render`` nothing is.
"""

import sys

# Every measured process imports this module, too. So nothing else is imported here: a heap full of
# modules makes the garbage collector slow, and with it whatever allocates much.
if __name__ == "__main__":
    from benchmarks.suite import main

    sys.exit(main())

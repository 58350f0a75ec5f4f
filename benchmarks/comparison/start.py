"""How long a new process takes to import a client, and to get its first answer with it.

Also for how long the event loop of a running program is held meanwhile.

``import metron_async`` alone loads next to nothing: names are loaded when they are first used. That
moves the cost and does not save it. So what is imported here is what a program uses, and what
counts more is the time to the first answer, with everything loaded and opened that it takes. What
comes after it, as closing the client, is not counted for any of them.
"""

import os
import statistics
import subprocess
import sys
from pathlib import Path

ROUNDS = 11

IMPORTS = {
    "metron_async": "from metron_async import AsyncMetron",
    "mokkari": "import mokkari, mokkari.sqlite_cache, mokkari.rate_limit",
    "hishel": "import asyncio, httpx, msgspec, hishel, hishel.httpx",
    "httpx": "import asyncio, httpx, msgspec",
}

BY_HTTPX = """
async def main():
    headers = {"Authorization": "Bearer reader-token", "User-Agent": "bench/1.0"}
    async with CLIENT as client:
        msgspec.json.decode((await client.get(f"{URL}/api/issue/1/", headers=headers)).content)
        return time.perf_counter()
end = asyncio.run(main())
"""

FIRST = {
    "metron_async": """
import asyncio
async def main():
    async with AsyncMetron("reader-token", base_url=URL) as metron:
        await metron.issues.get(1)
        return time.perf_counter()
end = asyncio.run(main())
""",
    "mokkari": """
cache = mokkari.sqlite_cache.SqliteCache(f"{HOME}/mokkari.db")
limiter = mokkari.rate_limit.HeaderPacedRateLimiter()
session = mokkari.api("reader-token", cache=cache, rate_limiter=limiter)
session.api_url = f"{URL}/api/{{}}/"
session.issue(1)
end = time.perf_counter()
""",
    "hishel": BY_HTTPX.replace(
        "CLIENT",
        "hishel.httpx.AsyncCacheClient(rfc={'shared': False}, "
        "storage=hishel.AsyncSqliteStorage(database_path=f'{HOME}/hishel.db'))",
    ),
    "httpx": BY_HTTPX.replace("CLIENT", "httpx.AsyncClient()"),
}

HELD = """
import asyncio
worst = 0.0
async def watch():
    global worst
    while True:
        began = time.perf_counter()
        await asyncio.sleep(0.001)
        worst = max(worst, time.perf_counter() - began - 0.001)
async def main():
    watching = asyncio.create_task(watch())
    await asyncio.sleep(0.02)
    async with AsyncMetron("reader-token", base_url=URL) as metron:
        await metron.issues.get(1)
    watching.cancel()
asyncio.run(main())
end = t + worst
"""


def once(code: str, home: str) -> float:
    """Run *code* in a new process, and return the milliseconds until the time that it calls end."""
    program = f"import time; t = time.perf_counter()\n{code}\nprint(end - t)"
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        check=True,
        env=environment | {"XDG_CACHE_HOME": home},
        text=True,
    )
    return float(done.stdout) * 1e3


def measure(url: str, home: str) -> dict[str, dict[str, float]]:
    """Return the median milliseconds of importing, of the first answer, and of holding the loop.

    All take turns. Each has a directory of its own each time: no answer may come from a cache.
    """
    ended = "\nend = time.perf_counter()"
    programs = {("import", name): program + ended for name, program in IMPORTS.items()}
    for name, program in FIRST.items():
        programs["first", name] = f"URL, HOME = {url!r}, '__HOME__'\n{IMPORTS[name]}\n{program}"
    programs["held", "metron_async"] = f"URL = {url!r}\n{IMPORTS['metron_async']}\n{HELD}"
    times: dict[tuple[str, str], list[float]] = {which: [] for which in programs}
    for number in range(ROUNDS + 1):
        for which, program in programs.items():
            own = Path(home, f"{number}-{'-'.join(which)}")
            own.mkdir()
            spent = once(program.replace("__HOME__", str(own)), str(own))
            if number:  # the first compiles
                times[which].append(spent)
    found: dict[str, dict[str, float]] = {"import": {}, "first": {}, "held": {}}
    for (what, name), each in times.items():
        found[what][name] = statistics.median(each)
    return found

"""What the tests of the fake server share."""

import contextlib
import functools
import inspect

import httpx

from metron_async.testing import run_virtual

HOST = "https://metron.cloud"


@contextlib.asynccontextmanager
async def client_of(fake, account="reader", **options):
    """Give a bare HTTP client that talks to *fake* in process."""
    headers = {"User-Agent": "test/1"}
    if account is not None:
        headers["Authorization"] = f"Bearer {fake.accounts[account].tokens[0]}"
    transport = fake.transport(options.pop("client", "127.0.0.1"))
    async with httpx.AsyncClient(
        transport=transport, base_url=f"{HOST}/api/", headers=headers, **options
    ) as client:
        yield client


def on_virtual_time(function):
    """Run an asynchronous test on a loop with virtual time."""

    @functools.wraps(function)
    def run(*args, **kwargs):
        return run_virtual(function(*args, **kwargs))

    del run.__wrapped__  # pytest must not see a coroutine function
    run.__signature__ = inspect.signature(function)
    return run

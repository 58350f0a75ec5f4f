"""What the tests of the fake server share."""

import contextlib

import httpx

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

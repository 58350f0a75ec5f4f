"""A client and a fake server on virtual time, and what tests ask of them at the end."""

from __future__ import annotations

from support.virtual import settle

from metron_async import AsyncMetron

SECRET = "s3cr3t-t0ken"


def client(fake, **options):
    """Return a client of *fake* as its account ``reader``."""
    options.setdefault("transport", fake.transport())
    return AsyncMetron(token=fake.token, **options)


async def idle(metron):
    """Assert that *metron* holds no slot of the quota, and that no call waits."""
    await settle()
    state = await metron.quota()
    assert state.in_flight == 0
    assert not any(state.waiting.values())
    flights = metron._caller.core.parts.in_flight
    assert not flights._running
    assert not flights._by_key


def paths(fake):
    """Return the paths that *fake* was asked for, without the API's root."""
    return [asked.path.removeprefix("/api/") for asked in fake.requests]

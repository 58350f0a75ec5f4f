"""Cancel a call at its n-th suspension, and see what it leaves behind."""

from __future__ import annotations

import asyncio
import types


class Suspensions:
    """Drives a coroutine, counts its suspensions, and cancels its task at one of them.

    Attributes:
        count: Suspensions so far.

    Args:
        coroutine: What to drive.
        number: The suspension to cancel at, from 1.
        late: Cancel in the moment in which what was waited for has just come, in place of the
            moment in which the waiting begins.
    """

    def __init__(self, coroutine, number, *, late=False):
        self._coroutine = coroutine
        self._number = number
        self._late = late
        self.count = 0

    @types.coroutine
    def _drive(self):
        step, value = self._coroutine.send, None
        while True:
            try:
                awaited = step(value)
            except StopIteration as stop:
                return stop.value
            self.count += 1
            if self.count == self._number:
                cancel = asyncio.current_task().cancel
                if self._late and awaited is not None:
                    awaited.add_done_callback(lambda _, cancel=cancel: cancel())
                else:
                    cancel()
            try:
                step, value = self._coroutine.send, (yield awaited)
            except BaseException as error:  # noqa: BLE001 - handed on to where it belongs
                step, value = self._coroutine.throw, error

    async def run(self):
        return await self._drive()


async def cancelled_after(seconds, coroutine):
    """Run *coroutine* for *seconds* at most; return whether it ended before."""
    task = asyncio.create_task(coroutine)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if done:
        task.result()
        return True
    task.cancel()
    await asyncio.wait({task})
    return False


async def cancelled_at(number, coroutine, *, late=False):
    """Run *coroutine* until its suspension *number*; return whether it came to its end before.

    A cancellation that came too late is fine, if the call then gives its value; one that is
    swallowed on the way is not, and shows as a call that goes on being suspended.
    """
    driven = Suspensions(coroutine, number, late=late)
    task = asyncio.create_task(driven.run())
    await asyncio.wait({task})
    if task.cancelled():
        return False
    task.result()
    assert driven.count <= number, "a cancellation was swallowed"
    return driven.count < number

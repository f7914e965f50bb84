"""The machine's time, as a ``Clock``."""

from __future__ import annotations

import asyncio
import time
from concurrent import futures
from contextlib import AbstractContextManager, nullcontext


class RealClock:
    """The machine's own monotonic time."""

    def now(self) -> float:
        """Seconds since some beginning."""
        return time.monotonic()

    def sleep(self, seconds: float, wake: futures.Future[None] | None = None) -> None:
        """Sleeps, until it is woken."""
        if wake is None:
            time.sleep(seconds)
        else:
            futures.wait([wake], seconds)

    async def async_sleep(self, seconds: float, wake: futures.Future[None] | None = None) -> None:
        """Sleeps, until it is woken, and lets others run."""
        if wake is None:
            await asyncio.sleep(seconds)
        else:
            await asyncio.wait([asyncio.wrap_future(wake)], timeout=seconds)

    def acting(self) -> AbstractContextManager[object]:
        """Nothing: real time goes on by itself."""
        return _NOTHING


_NOTHING = nullcontext()

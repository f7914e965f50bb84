"""The machine's time, as a ``Clock``."""

from __future__ import annotations

import asyncio
import time
from contextlib import AbstractContextManager, nullcontext


class RealClock:
    """The machine's own monotonic time."""

    def now(self) -> float:
        """Seconds since some beginning."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Sleeps."""
        time.sleep(seconds)

    async def async_sleep(self, seconds: float) -> None:
        """Sleeps, and lets others run."""
        await asyncio.sleep(seconds)

    def acting(self) -> AbstractContextManager[object]:
        """Nothing: real time goes on by itself."""
        return _NOTHING


_NOTHING = nullcontext()

"""Time that a test can turn: a client that sleeps on this clock moves it."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime


class Clock:
    """Simulated seconds, safe to share between threads.

    They pass ``speed`` times as fast as real ones. Unless ``realtime``, whoever sleeps does not wait: the
    clock jumps to the moment the sleeper asked for. Of several sleepers each is promised its own moment only.

    Args:
        realtime: sleepers really wait, ``1/speed`` of what they ask for.
        speed: simulated seconds in one real second, above 0.
    """

    def __init__(self, *, realtime: bool = False, speed: float = 1.0) -> None:
        if not speed > 0:
            raise ValueError("speed must be above 0")
        self.realtime = realtime
        self.speed = speed
        self._lock = threading.Lock()
        self._offset = 0.0
        self._born = time.monotonic()
        self._epoch = time.time()

    def now(self) -> float:
        """Simulated seconds since the clock was made; they never run backwards."""
        return self.speed * (time.monotonic() - self._born) + self._offset

    def wall(self) -> float:
        """Simulated Unix time in seconds: real when the clock was made, moving with it since."""
        return self._epoch + self.now()

    def wall_time(self, at: float) -> datetime:
        """The simulated moment of a time on this clock, in UTC."""
        return datetime.fromtimestamp(self._epoch + at, UTC)

    def advance(self, seconds: float) -> None:
        """Turns the clock on by so many simulated seconds."""
        if seconds < 0:
            raise ValueError("a clock is not turned back")
        with self._lock:
            self._offset += seconds

    def sleep(self, seconds: float) -> None:
        """Returns when that many simulated seconds have passed."""
        target = self.now() + seconds
        if (left := self._left(target)) > 0:
            time.sleep(left / self.speed)

    async def async_sleep(self, seconds: float) -> None:
        """The same; other tasks of the loop get their turn at least once."""
        target = self.now() + seconds
        # Sleepers of one turn of the loop fix their moments before any of them moves the clock.
        await asyncio.sleep(0)
        if (left := self._left(target)) > 0:
            await asyncio.sleep(left / self.speed)

    def _left(self, target: float) -> float:
        """What is still to be waited; nothing on a clock that its sleepers turn."""
        with self._lock:
            left = target - self.now()
            if left > 0 and not self.realtime:
                self._offset += left
                return 0.0
            return left

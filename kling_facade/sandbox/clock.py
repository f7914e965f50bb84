"""Time that a test can turn: a client that sleeps on this clock moves it."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import threading
import time
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

QUIET = 0.0015  # real seconds without any activity, after which nobody is about to act
IDLE = 0.0003  # seconds of CPU between two looks; more means that somebody in this process is at work
SLACK = 0.1  # simulated seconds; sleepers so close together are woken together
PATIENCE = 0.05  # real seconds for a woken sleeper to stir, or for one at work to act; it may be blocked


@frozen(order=True)
class _Waiter:
    """Somebody who wants to know when a moment has come.

    Attributes:
        moment: in simulated seconds.
        number: in order of arrival.
        wake: called, from any thread, when it has.
        turning: whether waiting for it turns the clock.
    """

    moment: float
    number: int
    wake: Callable[[], object] = field(order=False)
    turning: bool = field(order=False)


class Clock:
    """Simulated seconds, safe to share between threads and event loops.

    They pass ``speed`` times as fast as real ones. Unless ``realtime``, whoever sleeps does not wait: once
    nobody is about to act, the clock jumps to the moment of the earliest sleeper. So sleepers wake in order,
    and their times do not add up.

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
        self._waiters: list[_Waiter] = []
        self._numbers = itertools.count()
        self._stirring: set[int] = set()  # woken, and not heard of since
        self._acting = 0
        self._last_act = 0.0
        self._cpu = 0.0
        self._turner: threading.Thread | None = None

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
        """Turns the clock on by so many simulated seconds, in one jump over all that lies between."""
        if seconds < 0:
            raise ValueError("a clock is not turned back")
        with self._lock:
            self._offset += seconds
            self._wake_due()

    @contextmanager
    def acting(self) -> Generator[None]:
        """While somebody is at work the clock does not jump."""
        self._act(+1)
        try:
            yield
        finally:
            self._act(-1)

    def sleep(self, seconds: float, wake: Future[None] | None = None) -> None:
        """Returns when that many simulated seconds have passed, or ``wake`` is done."""
        moment, wake = self.now() + seconds, wake or Future()
        if self.realtime:
            wait([wake], max(0.0, seconds) / self.speed)
        elif seconds > 0:
            woken = threading.Event()
            waiter = self._enter(moment, woken.set, turning=True)
            wake.add_done_callback(lambda _: woken.set())
            try:
                woken.wait()
            finally:
                self._leave(waiter)

    async def async_sleep(self, seconds: float, wake: Future[None] | None = None) -> None:
        """The same; other tasks of the loop get their turn."""
        wake = wake or Future()
        if self.realtime:
            await asyncio.wait([asyncio.wrap_future(wake)], timeout=max(0.0, seconds) / self.speed)
        elif seconds <= 0:
            await asyncio.sleep(0)
        else:
            await self._until(self.now() + seconds, wake, turning=True)

    async def until(self, moment: float) -> None:
        """Returns when the clock has passed a moment; watches, and does not turn it."""
        await self._until(moment, Future(), turning=False)

    async def _until(self, moment: float, wake: Future[None], *, turning: bool) -> None:
        loop, woken = asyncio.get_running_loop(), asyncio.Event()
        waiter = self._enter(moment, lambda: loop.call_soon_threadsafe(woken.set), turning=turning)
        wake.add_done_callback(lambda _: loop.call_soon_threadsafe(woken.set))
        try:
            while (left := moment - self.now()) > 0 and not wake.done():
                # nobody turns a clock on which nobody sleeps; then it gets there by itself
                with suppress(TimeoutError):
                    await asyncio.wait_for(woken.wait(), left / self.speed)
        finally:
            self._leave(waiter)

    # Turning

    def _act(self, change: int) -> None:
        with self._lock:
            self._acting += change
            self._last_act = time.monotonic()

    def _enter(self, moment: float, wake: Callable[[], object], *, turning: bool) -> _Waiter:
        with self._lock:
            waiter = _Waiter(moment, next(self._numbers), wake, turning)
            heapq.heappush(self._waiters, waiter)
            self._last_act = time.monotonic()
            if turning and self._turner is None:
                self._turner = threading.Thread(target=self._turn, name="kling-sandbox-clock", daemon=True)
                self._turner.start()
            return waiter

    def _leave(self, waiter: _Waiter) -> None:
        with self._lock:
            self._stirring.discard(waiter.number)
            if waiter in self._waiters:  # cancelled
                self._waiters.remove(waiter)
                heapq.heapify(self._waiters)
            self._last_act = time.monotonic()

    def _turn(self) -> None:
        """Runs, on a thread of its own, as long as anybody sleeps."""
        while True:
            with self._lock:
                if self._is_quiet():
                    self._stirring.clear()
                    earliest = self._waiters[0].moment
                    close = [one.moment for one in self._waiters if one.moment < earliest + SLACK]
                    self._offset += max(0.0, max(close) - self.now())
                self._wake_due()
                if not any(waiter.turning for waiter in self._waiters):
                    self._turner = None
                    return
            time.sleep(QUIET / 3)

    def _is_quiet(self) -> bool:
        """Whether nobody acts or is about to."""
        before, self._cpu = self._cpu, time.process_time()
        at_work = bool(self._stirring) or self._cpu - before > IDLE
        silence = time.monotonic() - self._last_act
        return not self._acting and silence > (PATIENCE if at_work else QUIET) and bool(self._waiters)

    def _wake_due(self) -> None:
        now = self.now()
        while self._waiters and self._waiters[0].moment <= now:
            waiter = heapq.heappop(self._waiters)
            self._stirring.add(waiter.number)
            with suppress(RuntimeError):  # its event loop was closed
                waiter.wake()
            self._last_act = time.monotonic()

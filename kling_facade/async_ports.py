"""``IO`` for asyncio: tasks, deadlines, and what a cancelled caller cannot undo."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING, Any, TypeVar

from kling_facade.errors import ConfigurationError
from kling_facade.http import CONNECTIONS, AsyncHTTP
from kling_facade.leaving import abandon, deliver
from kling_facade.ticket import Ticket
from kling_facade.wire import NotSent
from kling_facade.workers import on_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Future

    from kling_facade.settings import Connecting, Settings
    from kling_facade.wire import Answer, Clock, Request, Sink

T = TypeVar("T")


class AsyncIO:
    """Suspends. Each call is a task of its own: httpx loses a connection when a call is cancelled."""

    def __init__(self, settings: Settings, *, clock: Clock, connecting: Connecting) -> None:
        self._settings = settings
        self._connecting = connecting
        self._clock = clock
        self._closed = False
        self._connect()

    def _connect(self) -> None:
        """What a forked process must not share with its parent."""
        self._process = os.getpid()
        self._http = AsyncHTTP(self._settings, self._connecting)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._slots = asyncio.Semaphore(CONNECTIONS)
        self._calls: set[asyncio.Future[Any]] = set()
        self._creates: set[asyncio.Future[Any]] = set()

    def now(self) -> float:
        """The clock's seconds."""
        return self._clock.now()

    async def sleep(self, seconds: float, wake: Future[None] | None = None) -> None:
        """Returns when that many seconds have passed, or ``wake`` is done."""
        await self._clock.async_sleep(seconds, wake)

    async def blocking(self, work: Callable[[], T]) -> T:
        """Runs it on a thread."""
        return await on_thread(work)

    async def send(self, request: Request, *, timeout: float) -> Answer:
        """Sends once; returns at the latest after ``timeout`` real seconds."""
        ticket = Ticket() if request.fresh else None
        call = self._start(self._exchange(request, timeout, ticket), self._calls)
        with self._clock.acting():
            await asyncio.wait({call}, timeout=max(timeout, 0.0))
        return call.result() if call.done() else abandon(call, ticket, timeout)

    async def _exchange(self, request: Request, timeout: float, ticket: Ticket | None) -> Answer:
        """Waits for a connection here: in httpx's own pool a thousand waiting calls cost minutes."""
        until = time.monotonic() + timeout
        async with self._slots:
            left = until - time.monotonic()
            if left <= 0:
                return NotSent("no connection was free in time")
            return await self._http.exchange(request, left, ticket)

    async def fetch(self, url: str, sink: Sink, *, timeout: float) -> Answer:
        """Downloads once."""
        self._check_usable()
        return await self._http.fetch(url, sink, timeout=timeout)

    async def finish(self, flow: Callable[[], Coroutine[Any, Any, T]], *, orphaned: Callable[[T], None]) -> T:
        """As a task that the caller's cancellation does not reach."""
        create = self._start(flow(), self._creates)
        try:
            return await asyncio.shield(create)
        except asyncio.CancelledError:
            create.add_done_callback(lambda ended: deliver(ended, orphaned))
            raise

    async def close(self) -> None:
        """Waits for running creates, at most ``timeout`` seconds, then lets go of all connections."""
        if self._creates:
            await asyncio.wait(set(self._creates), timeout=self._settings.timeout)
        self._closed = True
        for call in list(self._calls):
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)
        await self._http.close()

    def _start(self, flow: Coroutine[Any, Any, T], running: set[asyncio.Future[Any]]) -> asyncio.Task[T]:
        try:
            self._check_usable()
        except ConfigurationError:
            flow.close()
            raise
        task = asyncio.get_running_loop().create_task(flow)
        running.add(task)
        task.add_done_callback(running.discard)
        return task

    def _check_usable(self) -> None:
        if self._closed:
            raise ConfigurationError("this client is closed; make a new one")
        if self._process != os.getpid():
            self._connect()
        loop = asyncio.get_running_loop()
        if self._loop not in (None, loop):
            raise ConfigurationError(
                "this AsyncKling was used in another event loop before; make one inside each asyncio.run()"
            )
        self._loop = loop

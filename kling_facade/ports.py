"""The two implementations of ``IO``: deadlines, threads, tasks, and what a cancelled caller cannot undo."""

from __future__ import annotations

import asyncio
import os
import threading
import time
import weakref
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from kling_facade.errors import ConfigurationError
from kling_facade.events import log
from kling_facade.http import CONNECTIONS, AsyncHTTP, SyncHTTP
from kling_facade.ticket import Ticket
from kling_facade.wire import Answer, AnswerLost, NotSent, Reply
from kling_facade.workers import Workers, on_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from kling_facade.http import Connecting
    from kling_facade.settings import Settings
    from kling_facade.wire import Clock, Request, Sink

T = TypeVar("T")


def run(flow: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine over an ``IO`` that never suspends."""
    try:
        flow.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    flow.close()
    raise RuntimeError("a synchronous flow was suspended")


class SyncIO:
    """Blocks. Calls run on as many threads as there are connections: the caller can leave at its deadline."""

    def __init__(self, settings: Settings, *, clock: Clock, connecting: Connecting) -> None:
        self._settings = settings
        self._connecting = connecting
        self._clock = clock
        self._creates: set[threading.Thread] = set()
        self._closed = False
        self._connect()

    def _connect(self) -> None:
        """What a forked process must not share with its parent."""
        self._process = os.getpid()
        self._http = SyncHTTP(self._settings, self._connecting)
        self._workers = Workers(CONNECTIONS, name="kling-call")
        self._release = weakref.finalize(self, _release, self._workers, self._http)

    def now(self) -> float:
        """The clock's seconds."""
        return self._clock.now()

    async def sleep(self, seconds: float, wake: Future[None] | None = None) -> None:
        """Returns when that many seconds have passed, or ``wake`` is done."""
        self._clock.sleep(seconds, wake)

    async def blocking(self, work: Callable[[], T]) -> T:
        """Runs it here."""
        return work()

    async def send(self, request: Request, *, timeout: float) -> Answer:
        """Sends once; returns at the latest after ``timeout`` real seconds."""
        self._check_usable()
        with self._clock.acting():
            return self._send(request, timeout)

    def _send(self, request: Request, timeout: float) -> Answer:
        http, ticket = self._http, Ticket() if request.fresh else None
        future = self._workers.submit(lambda: http.exchange(request, timeout, ticket))
        try:
            return future.result(max(timeout, 0.0))
        except TimeoutError:
            pass
        if future.cancel() or future.done():
            return NotSent("no connection was free in time") if future.cancelled() else future.result()
        self._workers.replace(future)
        return _abandon(future, ticket, timeout)

    async def fetch(self, url: str, sink: Sink, *, timeout: float) -> Answer:
        """Downloads once, on the caller's own thread."""
        self._check_usable()
        return self._http.fetch(url, sink, timeout=timeout)

    async def finish(self, flow: Callable[[], Coroutine[Any, Any, T]], *, orphaned: Callable[[T], None]) -> T:
        """On a thread of its own, which Ctrl-C does not reach and the interpreter waits for."""
        future: Future[T] = Future()
        thread = threading.Thread(target=self._carry, args=(flow, future), name="kling-create", daemon=False)
        self._creates.add(thread)
        thread.start()
        try:
            return future.result()
        except BaseException as error:
            if not future.done() or future.exception() is not error:
                future.add_done_callback(lambda ended: _deliver(ended, orphaned))
            raise

    def _carry(self, flow: Callable[[], Coroutine[Any, Any, T]], future: Future[T]) -> None:
        try:
            future.set_result(run(flow()))
        except BaseException as error:
            future.set_exception(error)
        finally:
            self._creates.discard(threading.current_thread())

    def close(self) -> None:
        """Waits for running creates, at most ``timeout`` seconds, then lets go of all connections."""
        until = time.monotonic() + self._settings.timeout
        for thread in list(self._creates):
            thread.join(max(0.0, until - time.monotonic()))
        self._closed = True
        self._release()

    def _check_usable(self) -> None:
        if self._closed:
            raise ConfigurationError("this client is closed; make a new one")
        if self._process != os.getpid():
            self._release.detach()  # the connections are the parent's
            self._connect()


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
        return call.result() if call.done() else _abandon(call, ticket, timeout)

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
            create.add_done_callback(lambda ended: _deliver(ended, orphaned))
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


def _release(workers: Workers, http: SyncHTTP) -> None:
    workers.close()
    http.close()


def _abandon(call: Future[Answer] | asyncio.Future[Answer], ticket: Ticket | None, timeout: float) -> Answer:
    """Leaves a call at its deadline. A paid one that was sent may still bring an id: it must not be lost."""
    reason = f"no answer within {timeout:g} s"
    if ticket is None:
        return AnswerLost(reason)
    answer = ticket.abandon(reason)
    if isinstance(answer, AnswerLost):
        call.add_done_callback(_report_late_answer)
    return answer


def _report_late_answer(call: Future[Answer] | asyncio.Future[Answer]) -> None:
    if not call.cancelled() and isinstance(answer := call.result(), Reply):
        log.warning("the answer to a create came too late: HTTP %s %r", answer.status, answer.body[:300])


def _deliver(create: Future[T] | asyncio.Future[T], orphaned: Callable[[T], None]) -> None:
    """Hands on what the caller of a create no longer waits for."""
    if create.cancelled():
        log.warning("the event loop ended while a create was on its way; it may have been accepted")
    elif create.exception() is None:
        orphaned(create.result())

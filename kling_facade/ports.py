"""``IO`` for synchronous code: threads, deadlines, and what Ctrl-C cannot undo."""

from __future__ import annotations

import os
import threading
import time
import weakref
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from kling_facade.errors import ConfigurationError
from kling_facade.http import CONNECTIONS, SyncHTTP
from kling_facade.leaving import abandon, deliver
from kling_facade.ticket import Ticket
from kling_facade.wire import NotSent
from kling_facade.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from kling_facade.settings import Connecting, Settings
    from kling_facade.wire import Answer, Clock, Request, Sink

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
        return abandon(future, ticket, timeout)

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
                future.add_done_callback(lambda ended: deliver(ended, orphaned))
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


def _release(workers: Workers, http: SyncHTTP) -> None:
    workers.close()
    http.close()

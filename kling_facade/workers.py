"""Threads of our own: other code cannot use them up, nor do they hold up the end of the interpreter."""

from __future__ import annotations

import contextvars
import os
import threading
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakSet

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
_ALL = WeakSet["Workers"]()


class Workers:
    """Runs calls on at most ``count`` daemon threads; one that is given up on can be replaced."""

    def __init__(self, count: int, *, name: str) -> None:
        self._name = name
        self._count = count
        self._closed = False
        self.start_over()
        _ALL.add(self)

    def start_over(self) -> None:
        """A forked process has none of its parent's threads."""
        self._lock = threading.Lock()
        self._wanted = self._count
        self._threads = 0
        self._unfinished = 0
        self._calls: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()

    def submit(self, call: Callable[[], T]) -> Future[T]:
        """The result to come.

        Raises:
            RuntimeError: the workers are closed, or no thread can be started.
        """
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("closed")
            if self._threads < min(self._wanted, self._unfinished + 1):
                self._start_thread()
            self._calls.put((future, call))
            self._unfinished += 1
        return future

    def _start_thread(self) -> None:
        try:
            threading.Thread(target=self._work, name=self._name, daemon=True).start()
        except RuntimeError:  # the machine has no more; the others will do
            if not self._threads:
                raise
        else:
            self._threads += 1

    def replace(self, future: Future[Any]) -> None:
        """Lets another thread take the place of the one that is stuck in this call, until it comes back."""
        with self._lock:
            self._wanted += 1
            if self._threads < min(self._wanted, self._unfinished):
                self._start_thread()
        future.add_done_callback(self._came_back)

    def close(self) -> None:
        """Lets the threads end when they are done."""
        with self._lock:
            self._closed = True
            for _ in range(self._threads):
                self._calls.put(None)

    def _came_back(self, _future: Future[Any]) -> None:
        with self._lock:
            self._wanted -= 1

    def _work(self) -> None:
        while (item := self._calls.get()) is not None:
            future, call = item
            if future.set_running_or_notify_cancel():
                _settle(future, call)
            del item, future, call  # an idle thread keeps nothing alive
            with self._lock:
                self._unfinished -= 1
                if self._threads > self._wanted:
                    self._threads -= 1
                    return


def _settle(future: Future[Any], call: Callable[[], Any]) -> None:
    try:
        future.set_result(call())
    except BaseException as error:
        future.set_exception(error)


async def on_thread(work: Callable[[], T]) -> T:
    """What ``work`` returns; a cancelled caller waits for it too, so that nothing goes on behind its back."""
    within = contextvars.copy_context()
    return await outcome(_FILES.submit(lambda: within.run(work)))


async def outcome(call: Future[T]) -> T:
    """The same for a call that was made."""
    import asyncio  # which a synchronous program does without

    thread = asyncio.wrap_future(call)
    cancelled: asyncio.CancelledError | None = None
    while not thread.done():
        try:
            await asyncio.wait({thread})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is None:
        return thread.result()
    thread.exception()  # retrieved: asyncio would complain of it
    raise cancelled


_FILES = Workers(32, name="kling-file")  # asyncio's own may all be held up by the application


def _start_over() -> None:
    for workers in _ALL:
        workers.start_over()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_over)

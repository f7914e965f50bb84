"""Who in this process waits for news of which task; safe across threads and event loops."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator
    from concurrent.futures import Future

_REMEMBERED = 10_000  # tasks whose news is kept for those who will ask later


class Waiters:
    """Counts the news of each task and wakes whoever sleeps until some comes."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._news = OrderedDict[str, int]()
        self._asleep: dict[str, set[Future[None]]] = {}

    def news(self, task_id: str | None = None) -> int:
        """How often there was news of a task, or of how many tasks there was any."""
        return len(self._news) if task_id is None else self._news.get(task_id, 0)

    def tell(self, task_id: str) -> None:
        """There is news of the task."""
        with self._lock:
            self._news[task_id] = self._news.get(task_id, 0) + 1
            self._news.move_to_end(task_id)
            if len(self._news) > _REMEMBERED:
                self._news.popitem(last=False)
            for wake in self._asleep.pop(task_id, ()):
                wake.set_result(None)

    @contextmanager
    def sleeping(self, task_id: str, *, known: int) -> Generator[Future[None]]:
        """What is done as soon as there is news beyond the ``known``; good for one sleep."""
        from concurrent.futures import Future  # loads logging, which a receiver does not need

        wake: Future[None] = Future()
        with self._lock:
            if self.news(task_id) > known:
                wake.set_result(None)
            else:
                self._asleep.setdefault(task_id, set()).add(wake)
        try:
            yield wake
        finally:
            with self._lock:
                self._forget(task_id, wake)
            wake.cancel()

    def _forget(self, task_id: str, wake: Future[None]) -> None:
        others = self._asleep.get(task_id, set())
        others.discard(wake)
        if not others:
            self._asleep.pop(task_id, None)

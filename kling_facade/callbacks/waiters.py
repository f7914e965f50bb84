"""Who in this process waits for news of which task; safe across threads and event loops."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator
    from concurrent.futures import Future

_REMEMBERED = 10_000  # tasks of each kind
_ARRIVE = 8  # callbacks received for each one missed; below that one cannot go by them


class Waiters:
    """Counts the news of each task and wakes whoever sleeps until some comes."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._news = OrderedDict[str, int]()
        self._expected = OrderedDict[str, int]()
        self._missed = OrderedDict[str, int]()
        self._asleep: dict[str, set[Future[None]]] = {}

    def news(self, task_id: str | None = None) -> int:
        """How often there was news of a task, or of how many tasks there was any."""
        return len(self._news) if task_id is None else self._news.get(task_id, 0)

    def tell(self, task_id: str) -> None:
        """There is news of the task."""
        with self._lock:
            _count(self._news, task_id)
            self._missed.pop(task_id, None)
            for wake in self._asleep.pop(task_id, ()):
                wake.set_result(None)

    def expect(self, task_id: str) -> None:
        """The task was submitted with the URL at which its news arrives."""
        with self._lock:
            _count(self._expected, task_id)

    def miss(self, task_id: str) -> None:
        """The task has ended, and there was no news of it: lost, late, or told to another process."""
        with self._lock:
            if task_id in self._expected and task_id not in self._news:
                _count(self._missed, task_id)

    def relied_on(self, task_id: str) -> bool:
        """Whether news of the task can be waited for: it is expected, and what is expected comes."""
        return (
            task_id in self._expected
            and task_id not in self._news
            and len(self._news) > _ARRIVE * len(self._missed)
        )

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


def _count(tasks: OrderedDict[str, int], task_id: str) -> None:
    tasks[task_id] = tasks.get(task_id, 0) + 1
    tasks.move_to_end(task_id)
    if len(tasks) > _REMEMBERED:
        tasks.popitem(last=False)

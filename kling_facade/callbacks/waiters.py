"""Who in this process waits for news of which task; safe across threads and event loops."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator
    from concurrent.futures import Future

T = TypeVar("T")

_REMEMBERED = 10_000  # tasks that are expected, and that there was news of
_JUDGED = 200  # tasks whose end is known, by which the next are judged
_ARRIVE = 8  # callbacks received for each one missed; below that one cannot go by them
_WAKES = 3  # of one task; more would let whoever knows one URL spend the queries of all


class Waiters:
    """Counts the news of each task and wakes whoever sleeps until some comes."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._news = OrderedDict[str, int]()
        self._expected = OrderedDict[str, None]()
        self._came = OrderedDict[str, bool]()  # of expected tasks
        self._asleep: dict[str, set[Future[None]]] = {}

    def news(self, task_id: str | None = None) -> int:
        """How often there was news of a task, or of how many tasks there was any."""
        return len(self._news) if task_id is None else self._news.get(task_id, 0)

    def tell(self, task_id: str) -> None:
        """There is news of the task."""
        with self._lock:
            news = self.news(task_id) + 1
            _note(self._news, task_id, value=news, limit=_REMEMBERED)
            if task_id in self._expected:
                _note(self._came, task_id, value=True, limit=_JUDGED)
            if news <= _WAKES:
                for wake in self._asleep.pop(task_id, ()):
                    wake.set_result(None)

    def expect(self, task_id: str) -> None:
        """The task was submitted with the URL at which its news arrives."""
        with self._lock:
            _note(self._expected, task_id, value=None, limit=_REMEMBERED)
            if task_id in self._news:
                _note(self._came, task_id, value=True, limit=_JUDGED)

    def miss(self, task_id: str) -> None:
        """The task has ended, and there was no news of it: lost, late, or told to another process."""
        with self._lock:
            if task_id in self._expected and task_id not in self._news:
                _note(self._came, task_id, value=False, limit=_JUDGED)

    def relied_on(self, task_id: str) -> bool:
        """Whether news of the task can be waited for: it is expected, and what is expected comes."""
        with self._lock:
            if task_id not in self._expected or task_id in self._news:
                return False
            came = sum(self._came.values())
            return came > _ARRIVE * (len(self._came) - came)

    @contextmanager
    def sleeping(self, task_id: str, *, known: int) -> Generator[Future[None]]:
        """What is done as soon as there is news beyond the ``known``; good for one sleep."""
        from concurrent.futures import Future  # loads logging, which a receiver does not need

        wake: Future[None] = Future()
        with self._lock:
            if min(self.news(task_id), _WAKES) > known:
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


def _note(tasks: OrderedDict[str, T], task_id: str, *, value: T, limit: int) -> None:
    tasks[task_id] = value
    tasks.move_to_end(task_id)
    if len(tasks) > limit:
        tasks.popitem(last=False)

"""Which callbacks were handled: what an inbox must remember, and where."""

from __future__ import annotations

import time
from collections import OrderedDict
from threading import Lock
from typing import Any, Literal, Protocol

ClaimState = Literal["taken", "busy", "finished"]


class Memory(Protocol):
    """What an inbox must remember of tasks; a ``Journal`` is one that processes share. Thread-safe."""

    def bind(self, submission_id: str, task_id: str, *, signed: bool) -> bool:
        """Whether the submission is this task, as far as is known.

        The first task that is named is; one that the service's signature names, before one that only whoever
        knew the mark could name.
        """
        ...

    def claim(self, task_id: str, *, owner: str, seconds: float) -> ClaimState:
        """Asks to handle a task: "taken" by this owner, "busy" with another one, or "finished" before.

        Args:
            task_id: the task.
            owner: of the claim.
            seconds: after which the claim of an owner that died is void.
        """
        ...

    def finish(self, task_id: str) -> None:
        """The task was handled, for good."""
        ...

    def release(self, task_id: str, *, owner: str) -> None:
        """The owner could not handle it; another may try."""
        ...


class RecentMemory:
    """The last tasks of this process.

    Args:
        size: how many.
    """

    def __init__(self, size: int = 10_000) -> None:
        self._size = size
        self._lock = Lock()
        self._finished = OrderedDict[str, None]()
        self._tasks = OrderedDict[str, tuple[str, bool]]()
        self._claims: dict[str, tuple[str, float]] = {}

    def bind(self, submission_id: str, task_id: str, *, signed: bool) -> bool:
        """See ``Memory.bind``."""
        with self._lock:
            known, proven = self._tasks.get(submission_id, (task_id, False))
            if known != task_id and (proven or not signed):
                return False
            self._tasks[submission_id] = (task_id, proven or signed)
            _shorten(self._tasks, self._size)
        return True

    def hand_over(self, heir: Memory) -> None:
        """Lets another memory know which submission is which task."""
        with self._lock:
            tasks = list(self._tasks.items())
        for submission_id, (task_id, signed) in tasks:
            heir.bind(submission_id, task_id, signed=signed)

    def look_up(self, task_id: str) -> ClaimState | None:
        """How a claim would fare that cannot be had here; None if it could."""
        with self._lock:
            return self._look_up(task_id)

    def _look_up(self, task_id: str) -> ClaimState | None:
        if task_id in self._finished:
            return "finished"
        held = task_id in self._claims and self._claims[task_id][1] > time.monotonic()
        return "busy" if held else None

    def claim(self, task_id: str, *, owner: str, seconds: float) -> ClaimState:
        """See ``Memory.claim``."""
        with self._lock:
            if (state := self._look_up(task_id)) is None:
                self._claims[task_id] = (owner, time.monotonic() + seconds)
        return state or "taken"

    def finish(self, task_id: str) -> None:
        """See ``Memory.finish``."""
        with self._lock:
            self._claims.pop(task_id, None)
            self._finished[task_id] = None
            _shorten(self._finished, self._size)

    def release(self, task_id: str, *, owner: str) -> None:
        """See ``Memory.release``."""
        with self._lock:
            if task_id in self._claims and self._claims[task_id][0] == owner:
                del self._claims[task_id]


def _shorten(entries: OrderedDict[str, Any], size: int) -> None:
    while len(entries) > size:
        entries.popitem(last=False)

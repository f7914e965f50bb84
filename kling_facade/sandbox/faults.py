"""Answers that take the place of the sandbox's own."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Literal, get_args

from attrs import frozen

if TYPE_CHECKING:
    from kling_facade.sandbox.answers import Answer

Operation = Literal["create", "record", "credits", "link", "upload", "result"]
OPERATIONS: tuple[Operation, ...] = get_args(Operation)


@frozen
class Fault:
    """An answer put in place of the real one.

    Attributes:
        answer: what goes out.
        accept: the request is worked on first, so that a create is accepted and charged.
    """

    answer: Answer
    accept: bool


class Faults:
    """The faults waiting for the next requests, by operation, first in first out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: defaultdict[str, deque[Fault]] = defaultdict(deque)

    def add(self, operation: Operation, fault: Fault, times: int) -> None:
        """Lets the next ``times`` requests of the operation meet the fault."""
        if operation not in OPERATIONS:
            raise ValueError(f"no such operation: {operation!r}; there are {', '.join(OPERATIONS)}")
        with self._lock:
            self._waiting[operation].extend([fault] * times)

    def take(self, operation: Operation) -> Fault | None:
        """The fault that this request meets, if any."""
        with self._lock:
            waiting = self._waiting[operation]
            return waiting.popleft() if waiting else None

"""A port without a network, and time that only passes when somebody sleeps."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

from kling_facade.flows.session import Session, open_session
from kling_facade.polling import PollPolicy
from kling_facade.settings import Settings
from kling_facade.wire import Answer, Reply, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable
    from concurrent.futures import Future

    from kling_facade.wire import Sink

T = TypeVar("T")


class FakeClock:
    """Sleeping is all that moves it."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.sleeps: list[float] = []
        self.events: list[tuple[float, Callable[[], object]]] = []  # what happens to happen, and when

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float, wake: Future[None] | None = None) -> None:
        self.sleeps.append(seconds)
        until = self.time + seconds
        while not (wake and wake.done()) and self.events and min(self.events, key=_when)[0] <= until:
            event = min(self.events, key=_when)
            self.events.remove(event)
            self.time = max(self.time, event[0])
            event[1]()
        if not (wake and wake.done()):
            self.time = until

    async def async_sleep(self, seconds: float, wake: Future[None] | None = None) -> None:
        self.sleep(seconds, wake)

    def acting(self) -> AbstractContextManager[object]:
        return nullcontext()


def _when(event: tuple[float, object]) -> float:
    return event[0]


class FakeIO:
    """Answers from a script, the last one again and again."""

    def __init__(self, answers: Iterable[Answer] = (), *, answer_time: float = 0.0) -> None:
        self.clock = FakeClock()
        self.answers = list(answers)
        self.answer_time = answer_time
        self.sent: list[Request] = []
        self.answered: list[Answer] = []
        self.times: list[float] = []

    def now(self) -> float:
        return self.clock.now()

    async def sleep(self, seconds: float, wake: Future[None] | None = None) -> None:
        self.clock.sleep(seconds, wake)

    async def send(self, request: Request, *, timeout: float) -> Answer:
        assert timeout > 0
        self.sent.append(request)
        self.times.append(self.clock.time)
        self.clock.time += min(self.answer_time, timeout)
        self.answered.append(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
        return self.answered[-1]

    async def fetch(self, url: str, sink: Sink, *, timeout: float) -> Answer:
        raise NotImplementedError

    async def blocking(self, work: Callable[[], T]) -> T:
        return work()

    async def finish(self, flow: Callable[[], Coroutine[Any, Any, T]], *, orphaned: Callable[[T], None]) -> T:
        return await flow()


def settings() -> Settings:
    return Settings("key", "https://api.test", "https://api.test/file-upload", 30.0)


def session(io: FakeIO, polling: PollPolicy | None = None, **options: Any) -> Session:
    return open_session(io, settings(), polling or PollPolicy(seed=1), **options)


def reply(document: object = None, *, status: int = 200, **headers: str) -> Reply:
    """An answer with that JSON in it."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, names, json.dumps(document).encode())


def record(state: str, **fields: object) -> Reply:
    """An answer of recordInfo."""
    return reply({"code": 200, "msg": "success", "data": {"taskId": "t1", "state": state, **fields}})


def success(url: str = "https://files.test/a.mp4") -> Reply:
    return record("success", resultJson=json.dumps({"resultUrls": [url]}))

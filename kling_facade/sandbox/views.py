"""What somebody looking at the sandbox's page sees: plain JSON, made anew from what the sandbox knows."""

from __future__ import annotations

import json
import math
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import asdict, frozen

from kling_facade.sandbox.document import is_object
from kling_facade.sandbox.faults import FAULTS, OPERATIONS
from kling_facade.sandbox.quirks import TABLE as QUIRK_TABLE
from kling_facade.sandbox.scenarios import TABLE as SCENARIO_TABLE

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from kling_facade.sandbox.answers import Answer
    from kling_facade.sandbox.callbacks import Delivery
    from kling_facade.sandbox.faults import Trap
    from kling_facade.sandbox.requests import Exchange, Recorder
    from kling_facade.sandbox.service import Service
    from kling_facade.sandbox.tasks import SandboxTask

PER_PAGE = 50  # rows that are sent and shown at once
LONGEST_BODY = 64 * 1024  # bytes of a body that are shown
LONGEST_ENVELOPE = 16 * 1024  # bytes that are searched for a code

T = TypeVar("T")


@frozen
class Glance:
    """What of the sandbox somebody looks at.

    Attributes:
        tab: "tasks", "requests" or "callbacks".
        page: of its rows, the newest are on page 1.
        chosen: id of the task that is looked at closely, or empty.
    """

    tab: str
    page: int
    chosen: str


class Views:
    """Reads, and changes nothing.

    Args:
        service: its tasks, its money and its rules.
        recorder: its requests and answers.
        deliveries: its callbacks.
    """

    def __init__(self, service: Service, recorder: Recorder, deliveries: deque[Delivery]) -> None:
        self._service = service
        self._recorder = recorder
        self._deliveries = deliveries

    def clock(self) -> dict[str, Any]:
        """The time, and how fast it passes."""
        clock = self._service.clock
        return {"now": clock.now(), "wall": clock.wall(), "speed": clock.speed}

    def view(self, glance: Glance) -> dict[str, Any]:
        """All that is on the page but the time."""
        tasks, exchanges = self._service.tasks, self._recorder.exchanges()
        deliveries = list(self._deliveries)
        rows: dict[str, Sequence[Any]] = {
            "tasks": list(tasks.values()),
            "requests": exchanges,
            "callbacks": deliveries,
        }
        spell: dict[str, Callable[[Any], dict[str, Any]]] = {
            "tasks": self._task,
            "requests": _exchange,
            "callbacks": _delivery,
        }
        shown = rows.get(glance.tab, ())
        task = tasks.get(glance.chosen)
        return {
            "rules": self._rules(),
            "credits": self._service.credits(),
            "totals": {name: len(found) for name, found in rows.items()},
            "per_page": PER_PAGE,
            "rows": [spell[glance.tab](row) for row in _page(shown, glance.page)],
            "task": None if task is None else self._closely(task, exchanges, deliveries),
        }

    def options(self) -> dict[str, Any]:
        """All that can be switched on; it never changes."""
        return {
            "api_key": self._service.settings.api_key,
            "scenarios": [{"name": one.name, "about": one.about} for one in SCENARIO_TABLE],
            "quirks": [{"name": one.name, "about": one.about} for one in QUIRK_TABLE],
            "operations": OPERATIONS,
            "faults": list(FAULTS),
        }

    def exchange(self, number: int) -> dict[str, Any] | None:
        """One request and its answer, bodies and all."""
        for found in self._recorder.exchanges():
            if found.number == number:
                headers = self._masked(found.request.headers)
                return _exchange(found) | {
                    "query": found.request.query,
                    "request": {"headers": headers} | _body(found.request.body),
                    "answer": {"headers": found.headers} | _body(found.body, found.size),
                }
        return None

    def delivery(self, delivery_id: str) -> dict[str, Any] | None:
        """One callback and its answer, bodies and all."""
        found = self.find_delivery(delivery_id)
        if found is None:
            return None
        return _delivery(found) | {
            "request": {"headers": found.headers} | _body(found.body),
            "answer": _body(found.answer),
        }

    def find_delivery(self, delivery_id: str) -> Delivery | None:
        """The callback itself."""
        return next((one for one in list(self._deliveries) if one.id == delivery_id), None)

    def picture(self, name: str) -> Path | None:
        """The file of a picture that a task has."""
        paths = (task.picture.path for task in self._service.tasks.values())
        return next((path for path in paths if path and path.name == name), None)

    def _rules(self) -> dict[str, Any]:
        rules = self._service.rules
        return {
            "scenario": rules.scenario.name,
            "about": rules.scenario.about,
            "quirks": sorted(rules.quirks),
            "scenario_quirks": sorted(rules.scenario.quirks),
            "faults": [_trap(trap) for trap in rules.traps],
        }

    def _task(self, task: SandboxTask) -> dict[str, Any]:
        state = task.state(self._service.clock.now())
        return {
            "id": task.id,
            "prompt": task.request["input"]["prompt"],
            "picture": task.picture.path and f"/page/pictures/{task.picture.path.name}",
            "state": state,
            "at": task.at,
            "wall": task.wall,
            "course": {name: _finite(moment) for name, moment in asdict(task.course).items()},
            "seconds": task.seconds,
            "sound": task.sound,
            "price": task.price,
            "failure": task.failure.text if task.failure and state == "fail" else None,
        }

    def _closely(
        self, task: SandboxTask, exchanges: Iterable[Exchange], deliveries: Iterable[Delivery]
    ) -> dict[str, Any]:
        asked = [one for one in exchanges if one.task_id == task.id]
        told = [one for one in deliveries if one.task_id == task.id]
        return self._task(task) | {
            "model": task.request["model"],
            "image": task.request["input"]["image_urls"][0],
            "callback_url": task.request.get("callBackUrl"),
            "totals": {"requests": len(asked), "callbacks": len(told)},
            "requests": [_exchange(one) for one in _page(asked, 1)],
            "callbacks": [_delivery(one) for one in _page(told, 1)],
        }

    def _masked(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Somebody may have sent the sandbox a key that is worth money."""
        known = f"Bearer {self._service.settings.api_key}"
        given = headers.get("authorization", known)
        mask = {} if given == known else {"authorization": "(hidden: it is not the sandbox's key)"}
        return {**headers, **mask}


def _page(rows: Sequence[T], page: int) -> list[T]:
    """Rows of one page, newest first."""
    first = (page - 1) * PER_PAGE
    return list(islice(reversed(rows), first, first + PER_PAGE))


def _exchange(exchange: Exchange) -> dict[str, Any]:
    request = exchange.request
    return {
        "id": exchange.number,
        "at": request.at,
        "method": request.method,
        "path": request.path,
        "task_id": exchange.task_id,
        "faulty": exchange.faulty,
        "over": exchange.over,
        "status": exchange.status,
        "code": _code(exchange.body),
    }


def _delivery(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "at": delivery.at,
        "task_id": delivery.task_id,
        "url": delivery.url,
        "attempt": delivery.attempt,
        "status": delivery.status,
        "problem": delivery.problem,
        "forged": delivery.forged,
    }


def _code(body: bytes) -> int | None:
    """The code in an envelope: most refusals travel under HTTP 200."""
    if len(body) > LONGEST_ENVELOPE:
        return None
    try:
        document: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    code = document.get("code") if is_object(document) else None
    return code if isinstance(code, int) else None


def _trap(trap: Trap) -> dict[str, Any]:
    fault = trap.fault
    return {
        "operation": fault.on,
        "name": _name(fault.answer),
        "left": None if fault.times is None else fault.times - trap.met,
        "met": trap.met,
        "accept": fault.accept,
    }


def _name(answer: Answer) -> str:
    return next((name for name, known in FAULTS.items() if known == answer), "an answer of your own")


def _body(body: bytes, size: int | None = None) -> dict[str, Any]:
    """A body as text; None for the text of one that is none."""
    shown = body[:LONGEST_BODY]
    try:
        # a character that was cut in two at the end does not make it binary
        text = shown.decode("utf-8", "strict" if len(shown) == len(body) else "ignore")
    except UnicodeDecodeError:
        text = None
    return {"text": text, "size": len(body) if size is None else size, "shown": len(shown)}


def _finite(moment: float) -> float | None:
    """JSON knows no infinity."""
    return moment if math.isfinite(moment) else None

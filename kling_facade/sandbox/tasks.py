"""What happens to an accepted task, and what its record says at any moment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from attrs import frozen

if TYPE_CHECKING:
    from kling_facade.sandbox.pictures import Picture

State = Literal["waiting", "queuing", "generating", "success", "fail"]


MEDIA_FAULT_CODE = "400"


@frozen
class Course:
    """When the states of a task begin, in simulated seconds after it was accepted."""

    queuing: float
    generating: float
    done: float


@frozen
class Failure:
    """How a task fails.

    Attributes:
        code: a text, though mostly digits.
        text: for people; clients have nothing better to tell failures apart by.
    """

    code: str
    text: str


@frozen
class SandboxTask:
    """A task that was accepted.

    Attributes:
        id: 32 hexadecimal digits.
        request: as it was understood, defaults filled in.
        picture: what its video starts from.
        price: credits it was charged.
        course: when its states begin.
        failure: what it ends with, if not with a video.
        at: simulated seconds when it was accepted.
        wall: the same as Unix time.
    """

    id: str
    request: dict[str, Any]
    picture: Picture
    price: float
    course: Course
    failure: Failure | None
    at: float
    wall: float

    @property
    def seconds(self) -> int:
        """Length of its video."""
        return int(self.request["input"]["duration"])

    @property
    def sound(self) -> bool:
        """Whether its video has an audio track."""
        return bool(self.request["input"]["sound"])

    @property
    def ends(self) -> float:
        """The simulated second in which it is done; infinite if it never is."""
        return self.at + self.course.done

    def state(self, now: float) -> State:
        """Where it is at a moment of the clock."""
        age = now - self.at
        if age >= self.course.done:
            return "fail" if self.failure else "success"
        if age >= self.course.generating:
            return "generating"
        return "queuing" if age >= self.course.queuing else "waiting"

    def record(self, now: float, result_url: str) -> dict[str, Any]:
        """The ``data`` of recordInfo, as it is seen on the wire rather than as documented."""
        state = self.state(now)
        done, failed = state in ("success", "fail"), state == "fail"
        completed = self.wall + self.course.done
        return {
            "taskId": self.id,
            "model": self.request["model"],
            "state": state,
            "param": self._param(),
            "resultJson": json.dumps({"resultUrls": [result_url]}) if state == "success" else "",
            "failCode": self.failure.code if failed and self.failure else None,
            "failMsg": self.failure.text if failed and self.failure else None,
            "costTime": int(self.course.done) if done else None,  # seconds, though documented as milliseconds
            "completeTime": int(completed * 1000) if done else None,
            "createTime": int(self.wall * 1000),
            "updateTime": int((completed if done else self.wall + now - self.at) * 1000),
            "creditsConsumed": 0 if failed else self.price,
        }

    def _param(self) -> str:
        """JSON in JSON: since 2026 the input is a string again."""
        return json.dumps(self.request | {"input": json.dumps(self.request["input"])})

"""What the sandbox is about to say, and the ways to say it differently."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from attrs import define, field

from kling_facade.sandbox.document import is_object

if TYPE_CHECKING:
    from collections.abc import Callable


@define
class Draft:
    """An answer of the API, or the body of a callback, before it goes out.

    Attributes:
        document: the envelope.
        status: of HTTP.
        headers: of HTTP, names in lower case.
        age: simulated seconds since the task that it speaks of was accepted.
        link: to the task's video.
        full: the record before any quirk, and for callbacks the credits.
    """

    document: dict[str, Any]
    status: int = 200
    headers: dict[str, str] = field(factory=dict[str, str])
    age: float = math.inf
    link: str = ""
    full: dict[str, Any] = field(factory=dict[str, Any])

    @property
    def code(self) -> int:
        """What the envelope says of the outcome."""
        return int(self.document.get("code", self.status))

    @property
    def record(self) -> dict[str, Any]:
        """The record inside, empty if there is none."""
        data = self.document.get("data")
        return data if is_object(data) and "state" in data else {}

    @property
    def state(self) -> str:
        """Of the record inside."""
        return str(self.record.get("state", ""))


def refuse(code: int, msg: str) -> Callable[[Draft], object]:
    """Puts a refusal in place of the answer."""
    return lambda draft: draft.document.update(code=code, msg=msg, data=None)


def set_fields(states: tuple[str, ...], **values: Any) -> Callable[[Draft], object]:
    """Sets fields of a record in one of the states."""
    return lambda draft: draft.record.update(values) if draft.state in states else None


def leave_out(*names: str) -> Callable[[Draft], object]:
    """Leaves fields out of ``data``."""

    def edit(draft: Draft) -> None:
        data = draft.document.get("data")
        if is_object(data):
            for name in names:
                data.pop(name, None)

    return edit


def rename(old: str, new: str) -> Callable[[Draft], object]:
    """Gives a field of the envelope another name."""

    def edit(draft: Draft) -> None:
        if old in draft.document:
            draft.document[new] = draft.document.pop(old)

    return edit


def only_if(test: Callable[[Draft], bool], edit: Callable[[Draft], object]) -> Callable[[Draft], object]:
    """Edits those drafts for which the test holds."""
    return lambda draft: edit(draft) if test(draft) else None


def is_refused(draft: Draft) -> bool:
    """Whether the envelope says no."""
    return draft.code != 200


def links(*urls: str) -> str:
    """What resultJson says of them."""
    return json.dumps({"resultUrls": urls})


def spell_result(spell: Callable[[str], object]) -> Callable[[Draft], object]:
    """Says differently where a success has its video.

    Args:
        spell: from the link to resultJson.
    """

    def edit(draft: Draft) -> None:
        if draft.state == "success":
            draft.record["resultJson"] = spell(draft.link)

    return edit


def encode_param_once(draft: Draft) -> None:
    """Encodes the echo of the request once, as it was before 2026."""
    if "param" in draft.record:
        draft.record["param"] = decode_param(draft.full["param"])


def tell_cost_in_ms(draft: Draft) -> None:
    """Says how long the task took in milliseconds."""
    record = draft.record
    if record.get("costTime") is not None:
        record["costTime"] = record["completeTime"] - record["createTime"]


def move_task_id(name: str) -> Callable[[Draft], object]:
    """Moves the task's id inside ``data``."""

    def edit(draft: Draft) -> None:
        draft.record.pop("taskId", None)
        draft.record[name] = draft.full["taskId"]

    return edit


def put_task_id_on_top(draft: Draft) -> None:
    """Moves the task's id beside ``data``."""
    draft.record.pop("taskId", None)
    draft.document["taskId"] = draft.full["taskId"]


def speak(number: int) -> Callable[[Draft], object]:
    """Says what a callback says in that generation."""
    return lambda draft: draft.document.update(data=speak_generation(number, draft.full))


# Callbacks have had three forms

TASK = ("taskId", "model", "state", "param", "resultJson", "costTime", "completeTime", "createTime")
GENERATIONS = {
    1: (*TASK, "updateTime", "consumeCredits", "remainedCredits"),
    2: (*TASK, "failCode", "failMsg"),
    3: (*TASK, "failCode", "failMsg", "creditsConsumed"),
}
GENERATION_3_FAILURE = ("taskId", "model", "state", "param", "failCode", "failMsg", "creditsConsumed")


def speak_generation(number: int, full: dict[str, Any]) -> dict[str, Any]:
    """The record inside a callback of that generation."""
    names = GENERATION_3_FAILURE if number == 3 and full["state"] == "fail" else GENERATIONS[number]
    said = {name: full[name] for name in names}
    return said if number == 3 else said | {"param": decode_param(full["param"])}


def decode_param(param: str) -> str:
    """The echo of the request encoded once, as it was before 2026."""
    request = json.loads(param)
    return json.dumps(request | {"input": json.loads(request["input"])})

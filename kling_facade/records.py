"""The record of a task, read so that nothing the service may send can break the reader."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from kling_facade.failures import Failure, classify
from kling_facade.jsons import decode, is_array, is_object
from kling_facade.moments import answered_at, moment
from kling_facade.settings import http_url_problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class TaskState:
    """The states known today. The service may send others, so a state is a plain string."""

    WAITING = "waiting"
    QUEUING = "queuing"
    GENERATING = "generating"
    SUCCESS = "success"
    FAIL = "fail"

    FAILED = frozenset({FAIL, "failed"})  # "failed" was seen once


@frozen
class TaskStatus:
    """What the service knew of a task when it was asked.

    Attributes:
        task_id: the id that the create gave.
        model: the model that makes the video, "" where the service left it out.
        state: see TaskState.
        urls: links to the result; empty until success.
        failure: set exactly when the task has failed.
        created_at: when the service took the task on.
        completed_at: when it ended.
        credits: what the task costs, as far as the service says; failed tasks are refunded.
        elapsed: seconds from creation to the end, or to this answer, by the service's own clock.
        raw: the record as received.
    """

    task_id: str
    model: str
    state: str
    urls: tuple[str, ...] = ()
    failure: Failure | None = None
    created_at: datetime | None = None
    completed_at: datetime | None = None
    credits: float | None = None
    elapsed: float | None = None
    raw: Mapping[str, Any] = field(factory=dict[str, Any], repr=False, eq=False)

    @property
    def done(self) -> bool:
        """The task has ended, well or badly."""
        return self.succeeded or self.failed

    @property
    def succeeded(self) -> bool:
        """The video is made."""
        return self.state == TaskState.SUCCESS

    @property
    def failed(self) -> bool:
        """The service gave up."""
        return self.state in TaskState.FAILED


def read_record(
    document: Mapping[str, Any], *, task_id: str, headers: Mapping[str, str]
) -> TaskStatus | None:
    """The status in an answer of recordInfo; None if it holds none.

    Args:
        document: the whole answer.
        task_id: the id that was asked for.
        headers: of the answer; they tell when it was made.
    """
    from kling_api.models import TaskRecord, TaskRecordResponse

    record = TaskRecordResponse.from_dict(document).data
    if not isinstance(record, TaskRecord):
        return None
    state = _string(record.state).strip().lower()
    if not state:
        return None
    created_at, completed_at = moment(record.create_time), moment(record.complete_time)
    return TaskStatus(
        task_id=task_id,
        model=_string(record.model),
        state=state,
        urls=_urls(record.result_json) if state == TaskState.SUCCESS else (),
        failure=classify(record.fail_code, record.fail_msg) if state in TaskState.FAILED else None,
        created_at=created_at,
        completed_at=completed_at,
        credits=number(record.credits_consumed),
        elapsed=_elapsed(created_at, completed_at or answered_at(headers)),
        raw=document["data"],
    )


def number(value: object) -> float | None:
    """The value as a float, if it is a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # an int that no float can hold
        return None


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _elapsed(start: datetime | None, end: datetime | None) -> float | None:
    return max(0.0, (end - start).total_seconds()) if start and end else None


def _urls(result: object) -> tuple[str, ...]:
    """The links in resultJson: a JSON string, sometimes encoded twice, or already an object."""
    for _ in range(3):
        result = decode(result) if isinstance(result, str) else result
    if not is_object(result):
        return ()
    urls: object = result.get("resultUrls") or result.get("result_urls")
    if not is_array(urls):
        return ()
    return tuple(url for url in urls if isinstance(url, str) and not http_url_problem(url))

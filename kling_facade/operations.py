"""The calls of the API, and where each answer holds what was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kling_facade.envelope import JsonObject, Operation
from kling_facade.jsons import is_object
from kling_facade.records import TaskStatus, number, read_record
from kling_facade.settings import http_url_problem

if TYPE_CHECKING:
    from kling_facade.wire import Reply


def _read_task_id(document: JsonObject, _reply: Reply, _subject: str) -> str | None:
    """The documented taskId; live answers carry recordId too, equal to it."""
    from kling_api.models import CreatedTask, CreateTaskResponse

    created = CreateTaskResponse.from_dict(document).data
    if not isinstance(created, CreatedTask):
        return None
    ids: tuple[object, ...] = (created.task_id, created.record_id)
    return next((value for value in ids if isinstance(value, str) and value.strip()), None)


def _read_status(document: JsonObject, reply: Reply, task_id: str) -> TaskStatus | None:
    return read_record(document, task_id=task_id, headers=reply.headers)


def _read_credits(document: JsonObject, _reply: Reply, _subject: str) -> float | None:
    return number(document.get("data"))


def _read_link(document: JsonObject, _reply: Reply, _subject: str) -> str | None:
    return _url(document.get("data"))


def _read_upload(document: JsonObject, _reply: Reply, _subject: str) -> str | None:
    data: object = document.get("data")
    return _url(data.get("downloadUrl")) if is_object(data) else None


def _url(value: object) -> str | None:
    return value if isinstance(value, str) and not http_url_problem(value) else None


CREATE = Operation("create task", _read_task_id, paid=True)
RECORD = Operation("get task", _read_status, lookup=True)
CREDITS = Operation("get credits", _read_credits)
LINK = Operation("get a fresh link", _read_link)
UPLOAD = Operation("upload", _read_upload)

"""Tasks and errors, for machines and for people."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from attrs import asdict

from kling_facade.cli.exits import exit_code
from kling_facade.errors import TaskFailedError

if TYPE_CHECKING:
    from kling_facade.errors import KlingError
    from kling_facade.records import TaskStatus

_DETAILS = ("field", "code", "http_status", "retryable", "charged", "retry_after", "submission_id")


def describe_task(status: TaskStatus) -> dict[str, Any]:
    """What is known of a task, the record as received apart."""
    return asdict(
        status,
        filter=lambda attribute, _value: attribute.name != "raw",
        value_serializer=lambda _status, _attribute, value: (
            value.isoformat() if isinstance(value, datetime) else value
        ),
    )


def spell_task(status: TaskStatus) -> str:
    """The same, a line for each thing known."""
    failure = status.failure
    facts = {
        "state": status.state,
        "elapsed": None if status.elapsed is None else spell_time(status.elapsed),
        "credits": None if status.credits is None else f"{status.credits:g}",
        "failure": f"{failure.code} {failure.message} ({failure.kind})".strip() if failure else None,
    }
    lines = [f"{name:<9}{printable(fact)}" for name, fact in facts.items() if fact is not None]
    return "\n".join([*lines, *(f"{'url':<9}{url}" for url in status.urls)])


def describe_error(error: KlingError) -> dict[str, Any]:
    """Kind, exit code and whatever else the error knows."""
    document: dict[str, Any] = {"type": type(error).__name__, "exit_code": exit_code(error)}
    document |= {name: getattr(error, name) for name in _DETAILS if hasattr(error, name)}
    if isinstance(error, TaskFailedError):
        document["failure"] = asdict(error.failure)
    return document


def spell_time(seconds: float) -> str:
    """Minutes and seconds, as on a clock."""
    minutes, rest = divmod(int(max(seconds, 0.0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def printable(text: str) -> str:
    """The text with all that could steer a terminal spelled out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)

"""What the journal knows, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kling_facade.cli.documents import printable

if TYPE_CHECKING:
    from kling_facade.journal import Submission


def describe_submission(entry: Submission) -> dict[str, Any]:
    """A submission as JSON."""
    return {
        "submission_id": entry.submission_id,
        "state": entry.state,
        "task_id": entry.task_id,
        "key": entry.key,
        "at": entry.at.isoformat(),
    }


def spell_submission(entry: Submission) -> str:
    """A submission as a line: when, how it ended, which task, whose key."""
    when = entry.at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    key = f"  key {printable(entry.key)}" if entry.key else ""
    return f"{when}  {entry.state:9}  {printable(entry.task_id or '-'):32}  {entry.submission_id}{key}"

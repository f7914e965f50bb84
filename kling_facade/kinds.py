"""What tells apart tasks that take differently long, read from what was asked or from the task's record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from kling_facade.inputs import MODEL
from kling_facade.jsons import decode, is_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kling_facade.inputs import Inputs
    from kling_facade.records import TaskStatus


@frozen
class Kind:
    """Tasks that take about equally long; "" and None stand for what the service left out.

    Attributes:
        duration: seconds of video, "5" or "10".
        sound: whether the video has a sound track.
    """

    model: str = ""
    duration: str = ""
    sound: bool | None = None


def kind_asked(inputs: Inputs) -> Kind:
    """The kind of a task that this process submits."""
    return Kind(MODEL, inputs.duration, inputs.sound)


def kind_seen(status: TaskStatus) -> Kind:
    """The kind of a task that another process submitted, as its record tells."""
    asked = _asked(status.raw)
    duration, sound = asked.get("duration"), asked.get("sound")
    return Kind(
        status.model,
        str(duration) if isinstance(duration, int | str) and not isinstance(duration, bool) else "",
        sound if isinstance(sound, bool) else None,
    )


def _asked(record: Mapping[str, object]) -> Mapping[str, object]:
    """The ``input`` of the request that ``param`` echoes: JSON, since 2026 with a string of JSON in it."""
    value = _opened(record.get("param"))
    return _opened(value.get("input"))


def _opened(value: object) -> Mapping[str, object]:
    value = decode(value) if isinstance(value, str) else value
    return value if is_object(value) else {}

"""Arguments become the documented request, or are refused before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from attrs import field, frozen

from kling_facade.errors import InvalidInputError
from kling_facade.jsons import encode
from kling_facade.settings import http_url_problem
from kling_facade.wire import Request

if TYPE_CHECKING:
    from kling_facade.settings import Settings

DurationText = Literal["5", "10"]

MODEL: Final = "kling-2.6/image-to-video"
PROMPT_MAX = 1000  # characters
KEY_MAX = 200  # characters of a caller's own name for a submission
DURATIONS: Final[tuple[DurationText, ...]] = ("5", "10")  # seconds; strings on the wire

Duration = Literal[5, 10, "5", "10"]


@frozen
class Inputs:
    """What was asked for, checked; the picture apart."""

    prompt: str = field(repr=False)
    duration: DurationText
    sound: bool
    callback_url: str | None = field(default=None, repr=False)


def check_inputs(prompt: object, *, duration: object, sound: object, callback_url: object) -> Inputs:
    """The inputs as the document wants them; InvalidInputError names the first that is not possible."""
    if not isinstance(sound, bool):
        raise InvalidInputError("sound", f"True or False, not {sound!r}")
    return Inputs(
        prompt=_check_prompt(prompt),
        duration=_check_duration(duration),
        sound=sound,
        callback_url=_check_callback_url(callback_url),
    )


def create_request(settings: Settings, inputs: Inputs, image_url: str) -> Request:
    """The paid call, spelled by the generated client."""
    from kling_api.api.jobs import create_task
    from kling_api.models import ImageToVideoInput, ImageToVideoRequest

    body = ImageToVideoRequest(
        model=MODEL,
        input_=ImageToVideoInput(
            prompt=inputs.prompt, image_urls=[image_url], sound=inputs.sound, duration=inputs.duration
        ),
    )
    if inputs.callback_url is not None:
        body.call_back_url = inputs.callback_url
    call = create_task._get_kwargs(body=body)
    return Request(
        method=call["method"].upper(),
        url=settings.base_url + call["url"],
        body=encode(call["json"]),
        fresh=True,
    )


def record_request(settings: Settings, task_id: str) -> Request:
    """The query for a task, spelled by the generated client."""
    from kling_api.api.jobs import get_task_details

    call = get_task_details._get_kwargs(task_id=task_id)
    return Request(method=call["method"].upper(), url=settings.base_url + call["url"], params=call["params"])


def credits_request(settings: Settings) -> Request:
    """The query for the account's credits."""
    return Request(method="GET", url=f"{settings.base_url}/api/v1/chat/credit")


def link_request(settings: Settings, url: str) -> Request:
    """The query for a fresh link to a file that the service made."""
    return Request(
        method="POST", url=f"{settings.base_url}/api/v1/common/download-url", body=encode({"url": url})
    )


def check_task_id(task_id: object) -> str:
    """The id, if it can be one; white space that was copied along is dropped."""
    if not isinstance(task_id, str) or not task_id.strip() or not task_id.strip().isprintable():
        raise InvalidInputError("task_id", f"the string that submit() gave as task.id, not {task_id!r}")
    return task_id.strip()


def check_key(key: object) -> str | None:
    """The key as given, if a journal can hold it."""
    if key is None or (isinstance(key, str) and 0 < len(key) <= KEY_MAX and key.isprintable()):
        return key
    raise InvalidInputError("key", f"a string of 1 to {KEY_MAX} printable characters, not {key!r:.100}")


def check_url(name: str, url: object) -> str:
    """The URL as given, if it is absolute and http(s)."""
    if not isinstance(url, str):
        raise InvalidInputError(name, f"a URL as a string, not {type(url).__name__}")
    if problem := http_url_problem(url):
        raise InvalidInputError(name, f"{url[:100]!r} {problem}")
    return url


def _check_prompt(prompt: object) -> str:
    if not isinstance(prompt, str):
        raise InvalidInputError("prompt", f"a string, not {type(prompt).__name__}")
    if not prompt.strip():
        raise InvalidInputError("prompt", "is empty; say what should happen in the video")
    if len(prompt) > PROMPT_MAX:
        raise InvalidInputError("prompt", f"{len(prompt):,} characters; the service takes {PROMPT_MAX:,}")
    if any("\ud800" <= character <= "\udfff" for character in prompt):
        raise InvalidInputError(
            "prompt",
            "holds half a character (a lone surrogate); was it read under a locale that is not UTF-8?",
        )
    return prompt


def _check_duration(duration: object) -> DurationText:
    """An int or a string; 5.0 and True are slips, and 7 would be charged as something else."""
    seconds = str(duration) if isinstance(duration, int | str) and not isinstance(duration, bool) else ""
    for known in DURATIONS:
        if seconds == known:
            return known
    raise InvalidInputError("duration", f"{' or '.join(DURATIONS)} seconds, not {duration!r}")


def _check_callback_url(url: object) -> str | None:
    return None if url is None else check_url("callback_url", url)

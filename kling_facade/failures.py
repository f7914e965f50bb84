"""Why a task failed: the service's words, sorted by what you can do about them."""

from __future__ import annotations

import re
from typing import Literal

from attrs import frozen

FailureKind = Literal["moderation", "input", "transient", "credits", "unknown"]


@frozen
class Failure:
    """Why a task failed.

    Attributes:
        code: the service's code, a number as a string or a word; "" when it gave none.
        message: the service's words.
        kind: "moderation" and "input": change what you send; "transient": submit again; "credits": top up.
    """

    code: str
    message: str
    kind: FailureKind


def _any(*phrases: str) -> re.Pattern[str]:
    return re.compile("|".join(phrases), re.IGNORECASE)


# First match wins. The text says more than the code, which is 500 for nearly everything.
_BY_TEXT: tuple[tuple[FailureKind, re.Pattern[str]], ...] = (
    (
        "moderation",
        _any(
            "flagged",
            "moderat",
            "sensitive",
            "your input was rejected",
            "could not be processed",
            "prohibited content",
            "copyright restriction",
        ),
    ),
    (
        "input",
        _any(
            "media file is unavailable",
            "image fetch failed",
            "invalid image url",
            "this field is required",
            "range of allowed options",
            "within the specified range",
            "cannot exceed the maximum limit",
        ),
    ),
    ("transient", _any("internal error", "server is busy", "timed out", "task id is blank")),
    ("credits", _any("credits insufficient", "insufficient credits")),
)
_BY_CODE: dict[str, FailureKind] = {"400": "input", "402": "credits", "422": "input"}


def classify(code: object, message: object) -> Failure:
    """The failure in a record's failCode and failMsg, whatever they hold."""
    code, message = _text(code), _text(message)
    words = f"{message} {code.replace('_', ' ')}"  # SENSITIVE_WORD_ERROR is a code
    for kind, pattern in _BY_TEXT:
        if pattern.search(words):
            return Failure(code=code, message=message, kind=kind)
    return Failure(code=code, message=message, kind=_BY_CODE.get(code, "unknown"))


def _text(value: object) -> str:
    """Strings as they are; numbers too, because failCode has come as both."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""

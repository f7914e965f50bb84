"""What an answer means: one table for every call, one pure function, first match wins."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Generic, TypeVar

from attrs import frozen

from kling_facade import errors
from kling_facade.jsons import decode, is_object
from kling_facade.moments import retry_after
from kling_facade.wire import Answer, AnswerLost, NotSent, Reply

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
JsonObject = Mapping[str, Any]


class Again(Enum):
    """When the same call may be made once more."""

    NEVER = "never"
    UNSENT = "at once: not a byte of it left"
    REFUSED = "when there is a turn: it was refused before any work"
    FREE = "soon: it costs nothing"


@frozen
class Operation(Generic[T_co]):
    """One of the calls of the API.

    Attributes:
        name: what the call does, for messages.
        read: finds what was asked for in the answer; None when it is not there.
        paid: whether an accepted call costs money.
        lookup: whether the call asks for a task, which may be unknown.
    """

    name: str
    read: Callable[[JsonObject, Reply, str], T_co | None]
    paid: bool = False
    lookup: bool = False


@frozen
class Accepted(Generic[T_co]):
    """The answer holds what was asked for."""

    value: T_co


@frozen
class Denied:
    """The answer does not.

    Attributes:
        error: to raise, unless the call is made again.
        after: seconds that must pass before.
    """

    error: errors.KlingError
    again: Again
    after: float = 0.0


@frozen
class _Said:
    """The parts of an answer that the table looks at."""

    code: int
    text: str
    reply: Reply
    enveloped: bool


_WRONG_INPUT = re.compile(
    r"this field is required|is not within the range of allowed options"
    r"|value must be within the specified range|the text length cannot exceed the maximum limit",
    re.IGNORECASE,
)
_NAME_REQUIRED = re.compile(r"[\w.\[\]]+(?: parameter)? is required", re.IGNORECASE)
_NO_CREDITS = re.compile(r"\s*credits insufficient", re.IGNORECASE)
_OUTAGE = re.compile(r"task id is blank\W*$", re.IGNORECASE)
_NO_RECORD = re.compile(r"recordinfo is null|the record does not exist", re.IGNORECASE)

_ACCOUNT: dict[int, tuple[type[errors.ApiError], str]] = {
    401: (errors.AuthenticationError, "The API key is missing or wrong; check APIKLEY_API_KEY."),
    403: (errors.AuthenticationError, "The API key may not do this; check APIKLEY_API_KEY."),
    402: (errors.InsufficientCreditsError, "The account's credits are used up; top it up."),
    433: (errors.QuotaExceededError, "The limit set for this API key is used up."),
    505: (errors.FeatureDisabledError, "The service has switched this off for now."),
}
_REJECTED = frozenset({400, 404, 405, 413, 415, 422, 451})
_TOO_FAST = frozenset({429, 430})
_CLOSED = 455
_LONGEST_CODE = 9  # digits
_TURN_AFTER_LIMIT, _TURN_AFTER_MAINTENANCE = 10.0, 15.0  # seconds; the rate limit's own period is 10


def judge(operation: Operation[T], answer: Answer, *, subject: str = "") -> Accepted[T] | Denied:
    """The outcome of a call, whatever came back.

    Args:
        operation: what was called.
        answer: what happened.
        subject: the task id that was asked for, or the submission id of a create.
    """
    if isinstance(answer, NotSent):
        error = errors.ConnectionFailedError(
            f"{operation.name}: the service could not be reached ({answer.reason}). "
            "Nothing was sent or charged."
        )
        return Denied(error, Again.NEVER if answer.hopeless else Again.UNSENT)
    if isinstance(answer, AnswerLost):
        return _lost(operation, answer, subject)
    document = decode(answer.body)
    document = document if is_object(document) else {}
    value = operation.read(document, answer, subject)
    if value is not None:  # whatever status and code: complete data has come with 505
        return Accepted(value)
    said = _hear(answer, document)
    return _refusal(operation, said, subject) or _unclear(operation, said, subject)


def _hear(reply: Reply, document: JsonObject) -> _Said:
    code: object = document.get("code")
    text: object = document.get("msg") or document.get("message")
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) <= _LONGEST_CODE:
        code = int(code)
    return _Said(
        code=code if isinstance(code, int) and not isinstance(code, bool) else reply.status,
        text=text if isinstance(text, str) else "",
        reply=reply,
        enveloped=bool(document.keys() & {"code", "msg", "message"}),
    )


def _refusal(operation: Operation[object], said: _Said, subject: str) -> Denied | None:
    """The rows that say no for certain; nothing was bought."""
    if _NO_CREDITS.match(said.text):
        return _no(errors.InsufficientCreditsError, operation, said, _ACCOUNT[402][1])
    if _is_about_input(said):
        return _no(errors.RequestRejectedError, operation, said, "Change the input that it names.")
    if operation.paid and _OUTAGE.search(said.text):
        advice = "An outage behind the service: no task was made. Submit again later."
        return _no(errors.ServerError, operation, said, advice, retryable=True)
    if operation.lookup and (_NO_RECORD.search(said.text) or (said.code == 404 and said.enveloped)):
        advice = f"The service knows no task {subject!r}; one just created can take seconds to show."
        return _no(errors.TaskNotFoundError, operation, said, advice)
    if said.code in _ACCOUNT:
        return _no(_ACCOUNT[said.code][0], operation, said, _ACCOUNT[said.code][1])
    if said.code in _TOO_FAST or said.code == _CLOSED:
        return _busy(operation, said)
    if said.code == 404 and not said.enveloped and not operation.paid:
        return Denied(_unreadable(operation, said, "Is base_url right?"), Again.NEVER)
    if said.code in _REJECTED:
        advice = "Is base_url right?" if said.code == 404 else "Sending it again cannot help."
        return _no(errors.RequestRejectedError, operation, said, advice)
    return None


def _is_about_input(said: _Said) -> bool:
    """Validation arrives under any code, 500 most of all; "login is required" under 401 is not that."""
    return bool(
        _WRONG_INPUT.search(said.text)
        or (said.code not in _ACCOUNT and _NAME_REQUIRED.match(said.text.strip()))
    )


def _busy(operation: Operation[object], said: _Said) -> Denied:
    """Refused before any work, so that even a paid call may be offered again."""
    asked = retry_after(said.reply.headers)
    if said.code == _CLOSED:
        denied = _no(
            errors.MaintenanceError, operation, said, "Closed for maintenance; try later.", retryable=True
        )
        after = max(asked or 0.0, _TURN_AFTER_MAINTENANCE)
    else:
        denied = _no(
            errors.RateLimitedError, operation, said, "Too many calls; this was not queued.", retryable=True
        )
        after = max(asked or 0.0, _TURN_AFTER_LIMIT)
    if isinstance(denied.error, errors.RateLimitedError | errors.MaintenanceError):
        denied.error.retry_after = asked
    if operation.paid:
        return Denied(denied.error, Again.REFUSED, after)
    return Denied(denied.error, Again.FREE, asked or 0.0)


def _unclear(operation: Operation[object], said: _Said, subject: str) -> Denied:
    """The rows that leave open what happened."""
    if operation.paid:
        return Denied(_uncertain(_words(said), subject, said), Again.NEVER)
    after = retry_after(said.reply.headers) or 0.0
    if (said.enveloped and said.code != 200) or said.code >= 500:
        error: errors.KlingError = errors.ServerError(
            f"{operation.name}: {_words(said)}. Asking costs nothing; try later.",
            code=said.code,
            message=said.text,
            http_status=said.reply.status,
            retryable=True,
        )
    else:
        error = _unreadable(operation, said, "Asking costs nothing; try later.")
    return Denied(error, Again.FREE, after)


def _lost(operation: Operation[object], lost: AnswerLost, subject: str) -> Denied:
    if operation.paid:
        return Denied(_uncertain(f"the answer was lost ({lost.reason})", subject), Again.NEVER)
    error = errors.ConnectionFailedError(
        f"{operation.name}: the answer was lost ({lost.reason}). Asking costs nothing; try later."
    )
    return Denied(error, Again.FREE)


def _no(
    kind: type[errors.ApiError],
    operation: Operation[object],
    said: _Said,
    advice: str,
    *,
    retryable: bool = False,
) -> Denied:
    error = kind(
        f"{operation.name}: {_words(said)}. {advice} Nothing was charged.",
        code=said.code,
        message=said.text,
        http_status=said.reply.status,
        retryable=retryable,
    )
    return Denied(error, Again.NEVER)


def _uncertain(what: str, subject: str, said: _Said | None = None) -> errors.SubmissionUncertainError:
    return errors.SubmissionUncertainError(
        f"create task: {what}. The task may have been accepted and paid for, so it is not sent again; "
        f"look at your account's task list before you do (submission {subject}).",
        submission_id=subject,
        code=said.code if said else None,
        http_status=said.reply.status if said else None,
    )


def _unreadable(operation: Operation[object], said: _Said, advice: str) -> errors.UnexpectedResponseError:
    return errors.UnexpectedResponseError(
        f"{operation.name}: HTTP {said.reply.status} with an answer that is not of this API. {advice}",
        http_status=said.reply.status,
        excerpt=said.reply.body[:500],
    )


def _words(said: _Said) -> str:
    """What the service said, short enough for one line."""
    if said.code == 200 and not said.text:
        return "the service answered, but without what was asked for"
    number = f"{said.code}" if said.code == said.reply.status else f"{said.code} in HTTP {said.reply.status}"
    return (
        f"the service answered {number} {said.text[:300]!r}"
        if said.text
        else f"the service answered {number}"
    )

"""What can go wrong, and what each of it means for your money.

KlingError
├── ConfigurationError          no key, a bad URL: nothing was sent
├── InvalidInputError           names the field: nothing was sent (also a ValueError)
├── ConnectionFailedError       no answer, and nothing can have been bought
├── ApiError                    the service said no: code, message, http_status, retryable, charged
│   ├── AuthenticationError     the key is missing, wrong or not allowed
│   ├── InsufficientCreditsError
│   ├── RequestRejectedError    the service refuses what was asked
│   ├── TaskNotFoundError
│   ├── RateLimitedError        retry_after
│   ├── QuotaExceededError      the limit of this key is used up
│   ├── MaintenanceError
│   ├── FeatureDisabledError
│   └── ServerError
├── UnexpectedResponseError     the answer cannot be read; keeps its first bytes
├── SubmissionUncertainError    the create may have been accepted: it is never sent again
├── TaskFailedError             status, failure
├── ResultMissingError          success without a link
├── WaitTimeoutError            the task is still running; resume with kling.task(id)
├── CallbackRejectedError       reason, http_status: what to answer its sender
└── DownloadError
    └── LinkExpiredError
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kling_facade.failures import Failure
    from kling_facade.records import TaskStatus


class KlingError(Exception):
    """The root of everything this library raises.

    Attributes:
        task_id: the accepted task that the error is about, or None.
    """

    task_id: str | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return _revive, (type(self), self.args, dict(self.__dict__))


def _revive(kind: type[KlingError], args: tuple[Any, ...], state: dict[str, Any]) -> KlingError:
    """Unpickles without calling ``__init__``, whose keywords ``args`` does not hold."""
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class ConfigurationError(KlingError):
    """The client cannot work as it was set up; nothing was sent."""


class InvalidInputError(KlingError, ValueError):
    """An argument was refused before anything was sent.

    Attributes:
        field: the name of the argument.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field


class ConnectionFailedError(KlingError):
    """The service could not be reached, and nothing can have been bought."""

    charged = False


class ApiError(KlingError):
    """The service answered, and the answer is no.

    Attributes:
        code: the code in the answer's body, else the HTTP status.
        message: the service's own words, "" when it had none.
        http_status: the HTTP status of the answer.
        retryable: whether the same call can succeed later.
        charged: False where nothing was bought.
    """

    def __init__(
        self,
        text: str,
        *,
        code: int,
        message: str = "",
        http_status: int = 200,
        retryable: bool = False,
    ) -> None:
        super().__init__(text)
        self.code = code
        self.message = message
        self.http_status = http_status
        self.retryable = retryable
        self.charged = False


class AuthenticationError(ApiError):
    """The API key is missing, wrong, or not allowed to do this."""


class InsufficientCreditsError(ApiError):
    """The account's credits do not pay for this."""


class RequestRejectedError(ApiError):
    """The service refuses the request as it is; sending it again cannot help."""


class TaskNotFoundError(ApiError):
    """The service knows no task of this id (or not yet, in the first seconds after a create)."""


class RateLimitedError(ApiError):
    """Too many calls; this one was not queued.

    Attributes:
        retry_after: seconds the service asked to wait, or None.
    """

    retry_after: float | None = None


class QuotaExceededError(ApiError):
    """The spending limit of this key is used up."""


class MaintenanceError(ApiError):
    """The service is closed for maintenance."""

    retry_after: float | None = None


class FeatureDisabledError(ApiError):
    """The service has switched this model or feature off."""


class ServerError(ApiError):
    """The service failed at something that costs nothing."""


class UnexpectedResponseError(KlingError):
    """The answer is not one of this API.

    Attributes:
        http_status: the HTTP status of the answer.
        excerpt: its first 500 bytes.
    """

    def __init__(self, text: str, *, http_status: int, excerpt: bytes) -> None:
        super().__init__(text)
        self.http_status = http_status
        self.excerpt = excerpt


class SubmissionUncertainError(KlingError):
    """A create went out, and no answer says whether it was accepted. It is never sent again.

    Attributes:
        submission_id: this attempt's id in the log.
        code: the code of the answer, None when there was none.
        http_status: the HTTP status of the answer, None when there was none.
    """

    def __init__(
        self, text: str, *, submission_id: str, code: int | None = None, http_status: int | None = None
    ) -> None:
        super().__init__(text)
        self.submission_id = submission_id
        self.code = code
        self.http_status = http_status


class TaskFailedError(KlingError):
    """The service tried and could not make the video; failed tasks are refunded.

    Attributes:
        status: the last TaskStatus.
        failure: code, message and kind of the failure.
    """

    def __init__(self, text: str, *, status: TaskStatus, failure: Failure) -> None:
        super().__init__(text)
        self.task_id = status.task_id
        self.status = status
        self.failure = failure


class ResultMissingError(KlingError):
    """The task succeeded, and its record holds no link.

    Attributes:
        status: the last TaskStatus; ``status.raw`` has all the service sent.
    """

    def __init__(self, text: str, *, status: TaskStatus) -> None:
        super().__init__(text)
        self.task_id = status.task_id
        self.status = status


class WaitTimeoutError(KlingError):
    """The waiting ended; the task did not. Resume with ``kling.task(error.task_id)``.

    Deliberately no TimeoutError: that is an OSError, and a retry decorator on OSError would buy again.

    Attributes:
        task_id: the task that is still running.
        status: the last TaskStatus seen, None when no look succeeded.
    """

    def __init__(self, text: str, *, task_id: str, status: TaskStatus | None) -> None:
        super().__init__(text)
        self.task_id = task_id
        self.status = status


class CallbackRejectedError(KlingError):
    """A delivery is not a callback of the service, or nobody can tell.

    Attributes:
        reason: what is wrong with it; holds nothing of what was received.
        http_status: what to answer, 400 to 499.
    """

    def __init__(self, reason: str, *, http_status: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.http_status = http_status


class DownloadError(KlingError):
    """The file could not be saved whole; nothing was left at its path."""


class LinkExpiredError(DownloadError):
    """The link is dead, and the service gives no fresh one."""

"""Kling-2.6 image-to-video through Apikley: pays once, waits well, saves whole files.

Importing this loads next to nothing; each name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kling_facade._version import __version__

if TYPE_CHECKING:
    from kling_facade.async_client import AsyncKling
    from kling_facade.client import Kling
    from kling_facade.errors import (
        ApiError,
        AuthenticationError,
        CallbackRejectedError,
        ConfigurationError,
        ConnectionFailedError,
        DownloadError,
        FeatureDisabledError,
        InsufficientCreditsError,
        InvalidInputError,
        KlingError,
        LinkExpiredError,
        MaintenanceError,
        QuotaExceededError,
        RateLimitedError,
        RequestRejectedError,
        ResultMissingError,
        ServerError,
        SubmissionUncertainError,
        TaskFailedError,
        TaskNotFoundError,
        UnexpectedResponseError,
        WaitTimeoutError,
    )
    from kling_facade.events import Event
    from kling_facade.failures import Failure
    from kling_facade.journal import Journal, Submission
    from kling_facade.limits import Limits
    from kling_facade.polling import PollPolicy
    from kling_facade.records import TaskState, TaskStatus
    from kling_facade.tasks import AsyncTask, Task
    from kling_facade.videos import AsyncVideo, Video

__all__ = [
    "ApiError",
    "AsyncKling",
    "AsyncTask",
    "AsyncVideo",
    "AuthenticationError",
    "CallbackRejectedError",
    "ConfigurationError",
    "ConnectionFailedError",
    "DownloadError",
    "Event",
    "Failure",
    "FeatureDisabledError",
    "InsufficientCreditsError",
    "InvalidInputError",
    "Journal",
    "Kling",
    "KlingError",
    "Limits",
    "LinkExpiredError",
    "MaintenanceError",
    "PollPolicy",
    "QuotaExceededError",
    "RateLimitedError",
    "RequestRejectedError",
    "ResultMissingError",
    "ServerError",
    "Submission",
    "SubmissionUncertainError",
    "Task",
    "TaskFailedError",
    "TaskNotFoundError",
    "TaskState",
    "TaskStatus",
    "UnexpectedResponseError",
    "Video",
    "WaitTimeoutError",
    "__version__",
]

_HOMES = {
    "async_client": ("AsyncKling",),
    "client": ("Kling",),
    "polling": ("PollPolicy",),
    "events": ("Event",),
    "failures": ("Failure",),
    "journal": ("Journal", "Submission"),
    "limits": ("Limits",),
    "records": ("TaskState", "TaskStatus"),
    "tasks": ("Task", "AsyncTask"),
    "videos": ("Video", "AsyncVideo"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME.get(name, 'errors')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__

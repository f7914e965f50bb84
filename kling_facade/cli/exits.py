"""The exit codes: one table, for the command and for its help."""

from __future__ import annotations

from enum import IntEnum

from kling_facade import errors


class Exit(IntEnum):
    """What a script can tell from the code alone."""

    OK = 0
    ERROR = 1
    USAGE = 2
    TASK_FAILED = 3
    STILL_RUNNING = 4
    UNCERTAIN = 5
    NO_CREDITS = 6
    INTERRUPTED = 130


_MEANINGS = {
    Exit.OK: "done",
    Exit.ERROR: "the service, the network or the disk failed",
    Exit.USAGE: "wrong usage, configuration or input; nothing was sent",
    Exit.TASK_FAILED: "the service could not make the video; failed tasks are refunded",
    Exit.STILL_RUNNING: "the task still runs; come back with `kling wait`",
    Exit.UNCERTAIN: "the task may have been bought: look at your account before you submit again",
    Exit.NO_CREDITS: "the credits, or the limit of the key, are used up",
    Exit.INTERRUPTED: "interrupted (Ctrl-C, SIGTERM); a submitted task goes on",
}

_BY_ERROR: dict[type[errors.KlingError], Exit] = {
    errors.ConfigurationError: Exit.USAGE,
    errors.InvalidInputError: Exit.USAGE,
    errors.TaskFailedError: Exit.TASK_FAILED,
    errors.WaitTimeoutError: Exit.STILL_RUNNING,
    errors.SubmissionUncertainError: Exit.UNCERTAIN,
    errors.InsufficientCreditsError: Exit.NO_CREDITS,
    errors.QuotaExceededError: Exit.NO_CREDITS,
}

# paragraphs, because older versions of typer join single lines
HELP = "\n\n".join(["Exit codes:", *(f"- **{code}** {meaning}" for code, meaning in _MEANINGS.items())])


def exit_code(error: errors.KlingError) -> Exit:
    """The code for an error; the nearest ancestor in the table decides."""
    for kind in type(error).__mro__:
        if kind in _BY_ERROR:
            return _BY_ERROR[kind]
    return Exit.ERROR

"""What the command says: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from kling_facade.cli.documents import describe_error, printable
from kling_facade.cli.exits import Exit, exit_code
from kling_facade.cli.streams import put, steady_stderr
from kling_facade.errors import (
    KlingError,
    ResultMissingError,
    TaskFailedError,
    TaskNotFoundError,
    WaitTimeoutError,
)

if TYPE_CHECKING:
    from collections.abc import Generator

_OVER = (TaskFailedError, TaskNotFoundError)  # there is nothing to come back to


class Talk:
    """One command's voice.

    Attributes:
        console: stderr, as a person sees it.
        task_id: the task at work, once it is known.
        resume: the command that comes back to it.
        parting: what it means for the task that the command ends now.
    """

    def __init__(self, *, as_json: bool = False, quiet: bool = False) -> None:
        self._as_json = as_json
        self._quiet = quiet
        self._warned = False
        self.console = Console(file=steady_stderr(), markup=False, highlight=False, emoji=False)
        self.task_id: str | None = None
        self.resume: str | None = None
        self.parting = ""

    @property
    def live(self) -> bool:
        """Somebody looks, at a screen that can redraw a line."""
        return self.console.is_terminal and not self.console.is_dumb_terminal and not self._quiet

    def say(self, text: str, *, style: str = "") -> None:
        """A line or paragraph for people; a quiet command keeps it to itself."""
        if not self._quiet:
            self._print(text, style)

    def warn(self, text: str) -> None:
        """What the library logs as a warning; it may hold a task's id, so it is always said."""
        self._warned = True
        self._print(f"warning: {text}", "yellow")

    def result(self, text: str, document: dict[str, Any]) -> None:
        """What the command was for: ``text``, or the document with ``--json``.

        Raises:
            Exit: it could not be written; it is said on stderr instead, for it may be the id of a paid task.
        """
        if not put(json.dumps(document) if self._as_json else text):
            self._print(f"error: the result could not be written to stdout. It is: {text}", "red")
            raise typer.Exit(Exit.ERROR)

    def fail(self, error: KlingError) -> None:
        """Says what went wrong, and how to come back to a task that goes on."""
        if isinstance(error, _OVER):
            self.resume = None
        self.task_id = error.task_id or self.task_id
        self._end(f"error: {self._word(error)}", "red", describe_error(error))

    def interrupted(self) -> None:
        """Says what Ctrl-C means for the task."""
        parting = self.parting
        if self._warned:
            parting = "What became of it is said above; `kling wait ID` comes back to a task that it names."
        document = {"type": "Interrupted", "exit_code": Exit.INTERRUPTED}
        self._end(f"interrupted. {parting}".strip(), "yellow", document)

    def _end(self, message: str, style: str, document: dict[str, Any]) -> None:
        self._print(message, style)
        if self.resume:
            self._print("To come back to the task:", "")
            self.console.print(f"  {printable(self.resume)}", style="bold", soft_wrap=True)
        if self._as_json:
            document |= {"message": message, "task_id": self.task_id, "resume": self.resume}
            put(json.dumps({"error": document}))

    def _word(self, error: KlingError) -> str:
        """The error's own words, but for those that tell how to go on in Python."""
        if isinstance(error, WaitTimeoutError):
            if error.status is None and isinstance(error.__cause__, TaskNotFoundError):
                return f"the service knows no task {error.task_id!r} (yet). Is the id right?"
            last = f"its last state was {error.status.state!r}" if error.status else "no look at it succeeded"
            trouble = f"; the last trouble: {error.__cause__}" if error.__cause__ else ""
            return f"task {error.task_id} has not ended ({last}{trouble}). {self.parting}".strip()
        if isinstance(error, ResultMissingError):
            return (
                f"task {error.task_id} succeeded, but its record holds no link. It is paid for: look again "
                "later, or ask the service."
            )
        return str(error)

    def _print(self, text: str, style: str) -> None:
        # wrapped between words for eyes; never for files, where one message is one line
        self.console.print(printable(text), style=style, soft_wrap=not self.console.is_terminal)


@contextmanager
def talking(*, as_json: bool = False, quiet: bool = False) -> Generator[Talk]:
    """A voice for one command, which turns errors into words and exit codes."""
    talk = Talk(as_json=as_json, quiet=quiet)
    logger, handler = logging.getLogger("kling_facade"), _Warnings(talk)
    logger.addHandler(handler)
    try:
        yield talk
    except KlingError as error:
        talk.fail(error)
        raise typer.Exit(exit_code(error)) from None
    except KeyboardInterrupt:
        talk.interrupted()
        raise typer.Exit(Exit.INTERRUPTED) from None
    finally:
        logger.removeHandler(handler)


class _Warnings(logging.Handler):
    """Hands the library's warnings to the command's voice."""

    def __init__(self, talk: Talk) -> None:
        super().__init__(logging.WARNING)
        self._talk = talk

    def emit(self, record: logging.LogRecord) -> None:
        self._talk.warn(record.getMessage())

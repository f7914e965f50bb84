"""The steps that commands are made of."""

from __future__ import annotations

import re
import shlex
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.filesize import decimal

from kling_facade.cli.documents import spell_time
from kling_facade.cli.progress import saving, watching
from kling_facade.errors import InvalidInputError, WaitTimeoutError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from kling_facade.cli.services import Service
    from kling_facade.cli.talk import Talk
    from kling_facade.tasks import Task
    from kling_facade.videos import Video

_GOES_ON = "The task goes on and stays paid for: do not submit it again."
_ENDS = "The sandbox ends with this command, and the task with it."


def check_output(output: Path | None, *, overwrite: bool) -> None:
    """Refuses a place where the video could not be saved, before anything is paid for.

    Raises:
        InvalidInputError: of field "--output".
    """
    if output is None:
        return
    try:
        folder = output if output.is_dir() else output.parent
        if output != folder and output.exists() and not overwrite:
            raise InvalidInputError("--output", f"'{output}' exists; choose another name, or add --overwrite")
        if not folder.is_dir():
            raise InvalidInputError("--output", f"there is no directory '{folder}'")
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise InvalidInputError("--output", f"'{output}' cannot be written: {error.strerror}") from error


def check_key(key: str | None, journal: Path | None) -> None:
    """Refuses a key that nobody would remember.

    Raises:
        InvalidInputError: of field "--key".
    """
    if key is not None and journal is None:
        raise InvalidInputError(
            "--key", "needs a file that remembers it: add --journal PATH, or set KLING_JOURNAL"
        )


def name_file(output: Path, task_id: str) -> Path:
    """Where the video will be; in a directory it is called ``<task_id>.mp4``."""
    # an id comes from the network: it must not lead elsewhere
    return output / (re.sub(r"[^\w-]", "_", task_id) + ".mp4") if output.is_dir() else output


@contextmanager
def submitting(talk: Talk, service: Service) -> Generator[None]:
    """Shows that a task is being created."""
    talk.parting = "Nothing was submitted."
    with watching(talk, "submitting", service.now):
        yield


def keep_track(
    talk: Talk, task_id: str, *, target: Path | None, overwrite: bool, lasting: bool = True
) -> None:
    """From here on, whatever ends the command says how to come back to the task."""
    talk.task_id = task_id
    talk.parting = _GOES_ON if lasting else _ENDS
    if lasting:
        words = ["kling", "wait", task_id]
        words += ["-o", str(target)] if target else []
        words += ["--overwrite"] if overwrite else []
        talk.resume = shlex.join(words)


def wait(talk: Talk, service: Service, task: Task, *, timeout: float) -> Video:
    """Waits for the video, and says what it took."""
    with watching(talk, "waiting", service.now) as see:
        video = task.wait(timeout=timeout, on_update=see)
    took = "" if video.status.elapsed is None else f" in {spell_time(video.status.elapsed)}"
    price = "" if video.status.credits is None else f" for {video.status.credits:g} credits"
    talk.say(f"made{took}{price}")
    return video


def take(task: Task) -> Video:
    """The video of a task that has ended.

    Raises:
        WaitTimeoutError: it has not.
        KlingError: see ``Task.status`` and ``Task.wait``.
    """
    status = task.status()
    if not status.done:
        raise WaitTimeoutError("still running", task_id=task.id, status=status)
    return task.wait()


def save(talk: Talk, video: Video, output: Path, *, overwrite: bool) -> Path:
    """Saves the video, and says how large it is."""
    with saving(talk) as show:
        path = video.save(name_file(output, video.task_id), overwrite=overwrite, on_progress=show)
    talk.say(f"saved {decimal(path.stat().st_size)}")
    return path

"""What a person sees while a command waits: a living line on a terminal, plain lines elsewhere."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.live import Live
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn
from rich.spinner import Spinner
from rich.text import Text

from kling_facade.cli.documents import printable, spell_time

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from rich.console import Console

    from kling_facade.cli.talk import Talk
    from kling_facade.records import TaskStatus


class Watching:
    """The line of a waiting command: the state that was seen last, and the time that runs on.

    Args:
        state: what to show before the first look.
        now: the client's clock.
        spinner: the name of one of rich's.
    """

    def __init__(self, state: str, now: Callable[[], float], *, spinner: str) -> None:
        self._state = state
        self._now = now
        self._zero = now()
        self._spinner = Spinner(spinner, style="cyan")

    def see(self, status: TaskStatus) -> None:
        """Takes over what a look saw."""
        self._state = status.state
        if status.elapsed is not None:
            self._zero = self._now() - status.elapsed

    def __rich__(self) -> Spinner:
        line = Text.assemble((printable(self._state), "bold"), f"  {spell_time(self._now() - self._zero)}")
        self._spinner.update(text=line)
        return self._spinner


@contextmanager
def watching(talk: Talk, state: str, now: Callable[[], float]) -> Generator[Callable[[TaskStatus], None]]:
    """Shows what goes on; gives the function that takes each status."""
    if not talk.live:
        yield _Changes(talk).see
        return
    line = Watching(state, now, spinner=_spinner(talk.console))
    with Live(line, console=talk.console, refresh_per_second=8, transient=True):
        yield line.see


@contextmanager
def saving(talk: Talk) -> Generator[Callable[[int, int | None], None]]:
    """Shows the bytes of a download; gives the function that takes their numbers."""
    columns = (
        SpinnerColumn(_spinner(talk.console), style="cyan"),
        TextColumn("saving", style="bold"),
        BarColumn(),
        DownloadColumn(),
    )
    with Progress(*columns, console=talk.console, transient=True, disable=not talk.live) as progress:
        bar = progress.add_task("saving", total=None)
        yield lambda done, total: progress.update(bar, completed=done, total=total)


class _Changes:
    """A line for each new state; for logs."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._state = ""

    def see(self, status: TaskStatus) -> None:
        if status.state != self._state and not status.done:
            time = "" if status.elapsed is None else f"  {spell_time(status.elapsed)}"
            self._talk.say(f"{status.state}{time}")
        self._state = status.state


def _spinner(console: Console) -> str:
    return "dots" if console.encoding.lower().startswith("utf") else "line"

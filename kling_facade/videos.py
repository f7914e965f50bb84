"""The finished result."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from kling_facade.flows.saving import save
from kling_facade.ports import run

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from pathlib import Path

    from kling_facade.flows.session import Session
    from kling_facade.records import TaskStatus


class _Result:
    """What both kinds of video know."""

    def __init__(self, session: Session, status: TaskStatus) -> None:
        self._session = session
        self.status = status

    @property
    def task_id(self) -> str:
        """The task that made it."""
        return self.status.task_id

    @property
    def urls(self) -> tuple[str, ...]:
        """All links to it. They expire after a day or two weeks (the documents disagree): save at once."""
        return self.status.urls

    @property
    def url(self) -> str:
        """The link to it."""
        return self.status.urls[0]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of task {self.task_id}>"

    def _repr_html_(self) -> str:
        """Plays in a notebook."""
        return f'<video src="{escape(self.url)}" controls loop style="max-width: 100%"></video>'


class Video(_Result):
    """A video that is made and paid for.

    Attributes:
        status: the task's last TaskStatus.
    """

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        on_progress: Callable[[int, int | None], object] | None = None,
    ) -> Path:
        """Saves the whole file, or nothing.

        Resumes what breaks off, and asks for a fresh link when this one has expired. The key is not sent.

        Args:
            path: the file, or a directory: then ``<task_id>.mp4`` in it.
            overwrite: whether an existing file may be replaced.
            on_progress: called with the bytes so far and in all (None if unknown).

        Returns:
            The path of the file.

        Raises:
            InvalidInputError: of field "path": no such directory, or the file exists.
            LinkExpiredError: the service no longer keeps the file.
            DownloadError: the network or the disk failed for good; nothing was left behind.
        """
        return run(
            save(self._session, self.task_id, self.url, path, overwrite=overwrite, on_progress=on_progress)
        )


class AsyncVideo(_Result):
    """A video that is made and paid for; see ``Video``."""

    async def save(
        self,
        path: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        on_progress: Callable[[int, int | None], object] | None = None,
    ) -> Path:
        """See ``Video.save``; ``on_progress`` is called on the event loop."""
        return await save(
            self._session, self.task_id, self.url, path, overwrite=overwrite, on_progress=on_progress
        )

"""Files that are whole or absent."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from kling_facade.errors import DownloadError, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kling_facade.wire import Reply

MAX_BYTES = 4 * 1024**3  # a ten-second video has a few dozen MB; more is no video
_RANGE = re.compile(r"bytes (\d{1,19})-\d{1,19}/(\d{1,19}|\*)")


def choose_target(path: str | os.PathLike[str], *, default_name: str, overwrite: bool) -> Path:
    """Where the file will be: the path, or ``default_name`` in it if it is a directory.

    Raises:
        InvalidInputError: of field "path": no such directory, or something is there already.
    """
    try:
        target = Path(path)
        target = target / default_name if target.is_dir() else target
        if not target.parent.is_dir():
            raise InvalidInputError("path", f"there is no directory {str(target.parent)!r}")
        if target.exists() and not overwrite:
            raise InvalidInputError("path", f"{str(target)!r} exists; pass overwrite=True to replace it")
    except (OSError, ValueError, TypeError) as error:
        if isinstance(error, InvalidInputError):
            raise
        raise InvalidInputError("path", f"{path!r} cannot be used: {error}") from error
    return target


class PartFile:
    """A download in the making, in a temporary file beside its target; a ``Sink``."""

    def __init__(
        self, target: Path, *, on_progress: Callable[[int, int | None], object] | None = None
    ) -> None:
        self._target = target
        self._on_progress = on_progress
        self._path = target.parent / f".{secrets.token_hex(8)}.part"
        self._validator = ""
        self._total: int | None = None
        self.size = 0
        try:
            self._file = self._path.open("xb")
        except OSError as error:
            raise DownloadError(f"{str(target.parent)!r} cannot be written to: {error}") from error

    @property
    def headers(self) -> Mapping[str, str]:
        """Asks for the rest, if what is here can be told to be the same file's beginning."""
        if self.size and self._validator:
            return {"Range": f"bytes={self.size}-", "If-Range": self._validator}
        return {}

    @property
    def complete(self) -> bool:
        """All announced bytes are here; without an announcement, some are."""
        return self.size == self._total if self._total is not None else self.size > 0

    def begin(self, reply: Reply) -> bool:
        """Takes a whole file or the rest of one; declines errors, and pages that pose as files."""
        if reply.status not in (200, 206):
            if reply.status == 416:  # what is here does not fit that file
                self._restart()
            return False
        kind = reply.headers.get("content-type", "")
        if kind.startswith(("text/", "application/json")) or "content-encoding" in reply.headers:
            raise DownloadError(f"the link leads to {kind or 'encoded content'}, not to a video.")
        if reply.status == 206 and self._continues(reply):
            return True
        self._restart()
        self._validator = _validator(reply.headers)
        length = reply.headers.get("content-length", "")
        self._total = int(length) if length.isascii() and length.isdigit() and len(length) < 20 else None
        return reply.status == 200

    def write(self, data: bytes) -> None:
        """Appends."""
        if self.size + len(data) > MAX_BYTES:
            raise DownloadError(f"the file is larger than {MAX_BYTES:,} bytes; that is no video.")
        try:
            self._file.write(data)
        except (OSError, ValueError) as error:
            raise DownloadError(f"{str(self._target)!r} cannot be written: {error}") from error
        self.size += len(data)

    def report(self) -> None:
        """Tells the caller how far it is."""
        if self._on_progress is not None:
            self._on_progress(self.size, self._total)

    def commit(self, *, overwrite: bool) -> None:
        """Puts the file in its place, in one step that cannot be seen half done."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            if overwrite:
                self._path.replace(self._target)
            else:
                self._link()
        except OSError as error:
            raise DownloadError(f"{str(self._target)!r} cannot be written: {error}") from error

    def discard(self) -> None:
        """Leaves nothing behind but what was committed."""
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            self._path.unlink()

    def _link(self) -> None:
        """Unlike a rename, a link refuses to replace what has come there meanwhile."""
        try:
            os.link(self._path, self._target)
        except FileExistsError:
            raise DownloadError(
                f"{str(self._target)!r} came into being during the download; it was kept."
            ) from None
        except OSError:  # a file system without hard links
            self._path.replace(self._target)

    def _continues(self, reply: Reply) -> bool:
        match = _RANGE.fullmatch(reply.headers.get("content-range", "").strip())
        return match is not None and int(match[1]) == self.size > 0

    def _restart(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self.size, self._total, self._validator = 0, None, ""


def _validator(headers: Mapping[str, str]) -> str:
    """A strong ETag or a date: what If-Range accepts."""
    etag = headers.get("etag", "")
    return headers.get("last-modified", "") if not etag or etag.startswith("W/") else etag

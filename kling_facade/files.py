"""Files that are whole or absent."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from kling_facade.errors import DownloadError, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from io import BufferedWriter

    from kling_facade.wire import Reply

MAX_BYTES = 4 * 1024**3  # a ten-second video has a few dozen MB; more is no video
_RANGE = re.compile(r"bytes (\d{1,19})-\d{1,19}/(\d{1,19}|\*)", re.ASCII)
_LENGTH = re.compile(r"\d{1,19}", re.ASCII)
_MOST_BOXES = 10_000  # of an MP4; a video has a handful, or a few for each second


def choose_target(path: str | os.PathLike[str], *, default_name: str, overwrite: bool) -> Path:
    """Where the file will be: the path, or ``default_name`` in it if it is a directory.

    Raises:
        InvalidInputError: of field "path": no such directory, or something is there already.
    """
    try:
        target = Path(path)
        if path == "":
            raise InvalidInputError("path", "is empty; name a file or a directory")
        if "\0" in str(target):
            raise InvalidInputError("path", "holds a null character")
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
    """A download in the making, in a temporary file beside its target; a ``Sink``.

    ``open`` comes first, ``discard`` last, whatever happens in between.
    """

    def __init__(
        self, target: Path, *, on_progress: Callable[[int, int | None], object] | None = None
    ) -> None:
        self._target = target
        self._on_progress = on_progress
        self._path = target.parent / f".{secrets.token_hex(8)}.part"
        self._opened: BufferedWriter | None = None
        self._validator = ""
        self._total: int | None = None
        self._delimited = False  # whether the end of the file can be told from the end of the connection
        self.size = 0

    def open(self) -> None:
        """Makes the temporary file."""
        with self._on_disk():
            self._opened = self._path.open("xb")

    @property
    def headers(self) -> Mapping[str, str]:
        """Asks for the rest, if what is here can be told to be the same file's beginning."""
        if self.size and self._validator:
            return {"Range": f"bytes={self.size}-", "If-Range": self._validator}
        return {}

    def begin(self, reply: Reply) -> bool:
        """Takes a whole file or the rest of one; declines errors, and pages that pose as files."""
        if reply.status not in (200, 206):
            if reply.status == 416:  # what is here does not fit that file
                self._restart()
            return False
        kind = reply.headers.get("content-type", "").lower()
        encoding = reply.headers.get("content-encoding", "identity").lower()
        if kind.startswith(("text/", "application/json")) or encoding != "identity":
            what = f"{encoding} data" if encoding != "identity" else kind
            raise DownloadError(f"the link leads to {what}, not to a video.")
        continues = reply.status == 206 and self._continues(reply)
        if not continues:
            self._restart()
            self._validator = _validator(reply.headers)
            self._total = _length(reply.headers)
        chunked = "chunked" in reply.headers.get("transfer-encoding", "").lower()
        self._delimited = chunked or _length(reply.headers) is not None
        return continues or reply.status == 200

    def write(self, data: bytes) -> None:
        """Appends."""
        if self.size + len(data) > MAX_BYTES:
            raise DownloadError(f"the file is larger than {MAX_BYTES:,} bytes; that is no video.")
        with self._on_disk():
            self._file.write(data)
        self.size += len(data)

    def report(self) -> None:
        """Tells the caller how far it is."""
        if self._on_progress is not None:
            self._on_progress(self.size, self._total)

    def whole(self) -> bool:
        """Whether all of it is here: as many bytes as were announced, and as many as an MP4 says it has."""
        if not self.size or self._total not in (None, self.size):
            return False
        with self._on_disk():
            self._file.flush()
            with self._path.open("rb") as written:
                whole = _is_whole_mp4(written, self.size)
        return self._delimited if whole is None else whole

    def commit(self, *, overwrite: bool) -> None:
        """Puts the file in its place, in one step that cannot be seen half done."""
        with self._on_disk():
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            if overwrite:
                self._path.replace(self._target)
            else:
                self._link()

    def discard(self) -> None:
        """Leaves nothing behind but what was committed."""
        if self._opened is not None:
            with contextlib.suppress(OSError):
                self._opened.close()
        with contextlib.suppress(OSError):
            self._path.unlink()

    @property
    def _file(self) -> BufferedWriter:
        assert self._opened is not None
        return self._opened

    @contextlib.contextmanager
    def _on_disk(self) -> Generator[None]:
        try:
            yield
        except (OSError, ValueError) as error:
            raise DownloadError(f"{str(self._target)!r} cannot be written: {error}") from error

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
        """Whether a partial answer goes on where this file ends, and belongs to the same file."""
        match = _RANGE.fullmatch(reply.headers.get("content-range", "").strip())
        if match is None or not int(match[1]) == self.size > 0:
            return False
        total = self._total if match[2] == "*" else int(match[2])
        if self._total not in (None, total):
            return False
        self._total = total
        return True

    def _restart(self) -> None:
        with self._on_disk():
            self._file.seek(0)
            self._file.truncate()
        self.size, self._total, self._validator = 0, None, ""


def _length(headers: Mapping[str, str]) -> int | None:
    length = headers.get("content-length", "")
    return int(length) if _LENGTH.fullmatch(length) else None


def _validator(headers: Mapping[str, str]) -> str:
    """A strong ETag or a date: what If-Range accepts."""
    etag = headers.get("etag", "")
    return headers.get("last-modified", "") if not etag or etag.startswith("W/") else etag


def _is_whole_mp4(file: BinaryIO, size: int) -> bool | None:
    """Whether its boxes end where it ends, an index and pictures among them; None if it is no MP4."""
    at, found = 0, set[bytes]()
    for _ in range(_MOST_BOXES):
        file.seek(at)
        head = file.read(16)
        length, kind = int.from_bytes(head[:4], "big"), head[4:8]
        if at == 0 and kind != b"ftyp":
            return None
        if length == 1:
            length = int.from_bytes(head[8:], "big")
        if len(head) < 8 or (length < 8 and length != 0):
            break
        found.add(kind)
        at += length or size - at  # 0: to the end of the file
    return at <= size and found >= {b"moov", b"mdat"}

"""Files of the sandbox: on disk under names of its own choice, whatever a client calls them."""

from __future__ import annotations

import hashlib
import mimetypes
import uuid
from typing import TYPE_CHECKING
from urllib.parse import quote

from attrs import frozen

from kling_facade.sandbox.answers import RefusedError
from kling_facade.sandbox.pictures import sniff

if TYPE_CHECKING:
    from pathlib import Path

    from kling_facade.sandbox.clock import Clock

MOST_STORED = 1024 * 1024 * 1024  # bytes of all uploads together; a test that leaks must not fill the disk
LONGEST_NAME = 255


@frozen
class Upload:
    """One uploaded file.

    Attributes:
        name: as the client or the sandbox chose it.
        location: upload path and name, the identity of the file.
        path: of its bytes on disk.
        size: in bytes.
        media_type: by content for pictures, by name for others.
        at: simulated seconds when it arrived.
    """

    name: str
    location: str
    path: Path
    size: int
    media_type: str
    at: float

    @property
    def url_path(self) -> str:
        """The location, fit for a URL."""
        return quote(self.location)


class Storage:
    """Uploads by location, for ``kept`` simulated seconds; the same location is overwritten.

    The bytes are kept under their digest, in a folder that goes away with the sandbox. So ``uploadPath`` and
    ``fileName`` never reach the file system, and a task keeps its picture when the upload is overwritten.
    """

    def __init__(self, folder: Path, clock: Clock, *, kept: float, most: int) -> None:
        self._folder = folder
        self._clock = clock
        self._kept = kept
        self._most = most
        self._stored = 0
        self._uploads: dict[str, Upload] = {}

    def upload(self, data: bytes, folder: object, name: object) -> Upload:
        """Stores what a client sends.

        Raises:
            RefusedError: a path or name that is none, a file that is empty or too large.
        """
        if not data:
            raise RefusedError(400, "The file cannot be empty")
        if len(data) > self._most:
            raise RefusedError(400, f"The file size cannot exceed {self._most // (1024 * 1024)}MB")
        media_type = sniff(data)
        extension = mimetypes.guess_extension(media_type) if media_type else None
        chosen = _checked("fileName", name or f"{uuid.uuid4().hex}{extension or ''}")
        if "/" in chosen:
            raise RefusedError(400, "fileName is not valid")
        location = f"{_checked('uploadPath', folder)}/{chosen}"
        guessed = media_type or mimetypes.guess_type(chosen)[0] or "application/octet-stream"
        stored = Upload(chosen, location, self.keep(data), len(data), guessed, self._clock.now())
        self._uploads[location] = stored
        return stored

    def keep(self, data: bytes) -> Path:
        """Writes bytes to disk once; the file is named after them."""
        path = self._folder / hashlib.sha256(data).hexdigest()
        if not path.exists():
            if self._stored + len(data) > MOST_STORED:
                raise RefusedError(500, "The sandbox keeps no more files")
            path.write_bytes(data)
            self._stored += len(data)
        return path

    def find(self, location: str) -> Upload | None:
        """The upload that is still kept there."""
        upload = self._uploads.get(location)
        return upload if upload and self._clock.now() < upload.at + self._kept else None


def _checked(field: str, value: object) -> str:
    """A relative path without tricks; no slash at either end, as documented."""
    if not isinstance(value, str) or not value:
        raise RefusedError(400, f"{field} is required")
    parts = value.split("/")
    plain = value.isprintable() and "\\" not in value and len(value) <= LONGEST_NAME
    if not plain or any(part.strip() in ("", ".", "..") for part in parts):
        raise RefusedError(400, f"{field} is not valid")
    return value

"""The bytes of a source: a file, or an https address, within a size and a time."""

import re
from http.client import HTTPException
from pathlib import Path
from typing import NoReturn
from urllib.error import HTTPError
from urllib.request import FTPHandler, HTTPHandler, Request, build_opener

from pipeline.errors import UnreadableError

SIZE_MAX = 5_000_000
"""Bytes; a thousand times the size of a documented page is a mistake or an attack."""

TIMEOUT = 30.0  # seconds, for each wait on the server
_AGENT = "kling-facade-vendor/1 (compares the documented API with the vendored one)"


def fetch(source: str) -> bytes:
    """What the file holds or the address serves.

    Args:
        source: A path, or a URL that begins with ``https://``.

    Raises:
        UnreadableError: There is no such thing, it is too large, or the way there is not https.
    """
    content = _download(source) if re.match("https?://", source, re.IGNORECASE) else _open(source)
    if len(content) > SIZE_MAX:
        raise UnreadableError(f"{source} is larger than {SIZE_MAX:,} bytes")
    return content


def _open(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return file.read(SIZE_MAX + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the path
        raise UnreadableError(f"{path} cannot be read: {getattr(error, 'strerror', error)}") from None


def _download(url: str) -> bytes:
    opener = build_opener(_OnlyHttps())
    opener.addheaders = [("User-Agent", _AGENT), ("Accept", "text/markdown, application/json, */*")]
    try:
        with opener.open(url, timeout=TIMEOUT) as answer:
            content: bytes = answer.read(SIZE_MAX + 1)
            return content
    except HTTPError as error:
        with error:  # it holds the connection
            raise UnreadableError(f"{url} answers {error.code} {error.reason}") from None
    except (OSError, HTTPException, ValueError) as error:
        raise UnreadableError(f"{url} cannot be reached: {getattr(error, 'reason', error)}") from None


class _OnlyHttps(HTTPHandler, FTPHandler):
    """Refuses every other way, redirects too: on it anybody could change the document."""

    def http_open(self, req: Request) -> NoReturn:
        """Is called for ``http:``."""
        raise UnreadableError(f"{req.full_url} is no https address, so its document could be anyone's")

    ftp_open = http_open

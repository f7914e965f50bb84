"""The still that a video starts from: read with care, or drawn here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from pathlib import Path

LEAST_SIDE = 300  # pixels
WIDEST = 2.5  # longer side to shorter

UNAVAILABLE = "Your media file is unavailable, please replace it."
NOT_FETCHED = "Image fetch failed"


@frozen
class Picture:
    """An image given to a task.

    Attributes:
        path: where its bytes are; None when there are none.
        fault: the text a task fails with because of it, some time after it was accepted.
    """

    path: Path | None
    fault: str | None = None


def sniff(data: bytes) -> str | None:
    """The media type of a JPEG, PNG or WebP by its first bytes, whatever its name says."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return None


def examine(path: Path) -> Picture:
    """Reads the whole picture once, so that its task can fail for it."""
    from kling_facade.sandbox.film import measure  # loads PyAV

    shorter, longer = sorted(measure(path))
    usable = shorter >= LEAST_SIDE and longer <= WIDEST * shorter
    return Picture(path, None if usable else UNAVAILABLE)

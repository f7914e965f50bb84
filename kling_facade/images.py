"""What is sent as image: a link, or a picture that is looked at here before it is uploaded."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from attrs import field, frozen

from kling_facade.errors import InvalidInputError
from kling_facade.inputs import check_url
from kling_facade.wire import Form, Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from kling_facade.settings import Settings

IMAGE_TYPES = ("image/jpeg", "image/png", "image/webp")
IMAGE_MAX_BYTES = 10_000_000  # "10.0MB"; if that means 10 MiB, the last 5 % are refused here in vain
UPLOAD_FOLDER = "kling-facade"

Image = str | os.PathLike[str] | bytes | bytearray | BinaryIO

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")  # two letters or more: C:\cat.jpg is a path
_ENDINGS = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}
_SIGNATURES = (
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
    (re.compile(rb"GIF8[79]a"), "a GIF"),
    (re.compile(rb"BM.{4}\0\0\0\0", re.DOTALL), "a BMP"),
    (re.compile(rb"II\*\0|MM\0\*"), "a TIFF"),
    (re.compile(rb"....ftyp(?:hei|mif|msf)", re.DOTALL), "a HEIC picture"),
    (re.compile(rb"....ftypavi[fs]", re.DOTALL), "an AVIF picture"),
    (re.compile(rb"....ftyp", re.DOTALL), "a video"),
    (re.compile(rb"%PDF-"), "a PDF"),
    (re.compile(rb"\s*(?:<\?xml|<svg|<!DOCTYPE svg)", re.IGNORECASE), "an SVG or XML file"),
    (re.compile(rb"\s*<(?:!DOCTYPE )?html", re.IGNORECASE), "a web page"),
)


@frozen
class Picture:
    """The bytes of a JPEG, PNG or WebP that the service will take."""

    content: bytes = field(repr=False)
    content_type: str

    @property
    def name(self) -> str:
        """Made from the content: the same name can only ever overwrite the same picture."""
        return hashlib.sha256(self.content).hexdigest()[:32] + _ENDINGS[self.content_type]


def read_image(image: Image) -> str | Picture:
    """The link as given, or the picture; reads files, sends nothing.

    Args:
        image: an http(s) URL, a path, bytes, or a binary file.

    Raises:
        InvalidInputError: of field "image".
    """
    if isinstance(image, list | tuple | set | frozenset):
        raise InvalidInputError("image", f"the model takes exactly one image, not a {type(image).__name__}")
    if isinstance(image, str) and image.lower().startswith(("http://", "https://")):
        return check_url("image", image)
    if isinstance(image, str) and not image.strip():
        raise InvalidInputError("image", "is empty; give a URL, a path, bytes or a binary file")
    if isinstance(image, str) and _SCHEME.match(image):
        scheme = image.split(":")[0]
        raise InvalidInputError(
            "image", f"a {scheme}: URL cannot be used; give an http(s) URL, a path or bytes"
        )
    return _check_picture(_load(image))


def upload_request(settings: Settings, picture: Picture) -> Request:
    """The upload, free of charge. Name and boundary come from the content: equal pictures, equal requests."""
    name = picture.name
    return Request(
        method="POST",
        url=f"{settings.upload_url}/api/file-stream-upload",
        form=Form(
            fields={"uploadPath": UPLOAD_FOLDER, "fileName": name},
            file_name=name,
            content_type=picture.content_type,
            content=picture.content,
            boundary=f"kling-facade-{name[:32]}",
        ),
    )


def _load(image: Image) -> bytes:
    try:
        if isinstance(image, str | os.PathLike):
            with Path(image).open("rb") as file:
                return _drain(file.read)
        if isinstance(image, bytes | bytearray):
            return bytes(image)
        return _drain(image.read)
    except InvalidInputError:
        raise
    except FileNotFoundError:
        raise InvalidInputError("image", f"there is no file {str(image)!r}") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the path, or a closed file
        raise InvalidInputError("image", f"cannot be read: {error}") from error
    except AttributeError:
        kind = type(image).__name__
        raise InvalidInputError("image", f"a URL, a path, bytes or a binary file, not {kind}") from None


def _drain(read: Callable[[int], object]) -> bytes:
    """Everything, or one byte past the limit: enough to know that a file is too large."""
    content = bytearray()
    while len(content) <= IMAGE_MAX_BYTES:
        part = read(IMAGE_MAX_BYTES + 1 - len(content))  # a pipe gives less than it is asked for
        if not isinstance(part, bytes):
            raise InvalidInputError("image", "a file opened in text mode; open it with mode 'rb'")
        if not part:
            break
        content += part
    return bytes(content)


def _check_picture(content: bytes) -> Picture:
    if not content:
        raise InvalidInputError("image", "is empty")
    if len(content) > IMAGE_MAX_BYTES:
        raise InvalidInputError("image", f"is larger than {IMAGE_MAX_BYTES:,} bytes (10 MB); make it smaller")
    kind = next(
        (kind for pattern, kind in _SIGNATURES if pattern.match(content[:256])), "no known picture format"
    )
    if kind not in IMAGE_TYPES:
        raise InvalidInputError(
            "image", f"by its content this is {kind}; the service takes JPEG, PNG and WebP"
        )
    return Picture(content=content, content_type=kind)

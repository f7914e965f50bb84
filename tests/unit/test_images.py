"""A picture is looked at before it is uploaded."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fakes import settings

from kling_facade.errors import InvalidInputError
from kling_facade.images import IMAGE_MAX_BYTES, Picture, read_image, upload_request

JPEG = b"\xff\xd8\xff\xe0" + b"x" * 100
PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 100
WEBP = b"RIFF\x00\x01\x00\x00WEBPVP8 " + b"x" * 100


@pytest.mark.parametrize(("content", "kind"), [(JPEG, "jpeg"), (PNG, "png"), (WEBP, "webp")])
def test_a_picture_is_known_by_its_content(content: bytes, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong-ending.gif"
    path.write_bytes(content)
    ways: list[Any] = [content, bytearray(content), path, str(path), io.BytesIO(content), path.open("rb")]
    for way in ways:
        picture = read_image(way)
        assert isinstance(picture, Picture)
        assert (picture.content, picture.content_type) == (content, f"image/{kind}")
    ways[-1].close()


@pytest.mark.parametrize("url", ["https://f.test/a.jpg", "HTTP://f.test/a?b=c#d"])
def test_a_link_is_sent_as_it_is(url: str) -> None:
    assert read_image(url) == url


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (b"", "empty"),
        (b"GIF89a" + b"x" * 100, "a GIF"),
        (b"<svg xmlns=", "an SVG"),
        (b"....ftypavif", "an AVIF"),
        (b"hello", "no known picture format"),
        (b"\xff\xd8\xff" + b"x" * IMAGE_MAX_BYTES, "10 MB"),
        ("data:image/png;base64,iVBORw0KGgo=", "data: URL"),
        ("ftp://f.test/a.jpg", "ftp: URL"),
        ("file:///etc/passwd", "file: URL"),
        ("https://", "absolute"),
        ("https://f.test/a b.jpg", "white space"),
        ("no-such-file.jpg", "no file"),
        ("", "is empty"),
        ("nul\0byte.jpg", "cannot be read"),
        (Path("/"), "cannot be read"),
        (io.StringIO("text"), "text mode"),
        (["a.jpg", "b.jpg"], "exactly one"),
        (("a.jpg",), "exactly one"),
        (None, "NoneType"),
        (7, "int"),
    ],
)
def test_what_is_no_usable_image_is_refused_by_name(image: Any, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words) as caught:
        read_image(image)
    assert caught.value.field == "image"


def test_a_gif_named_png_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(b"GIF89a" + b"x" * 100)
    with pytest.raises(InvalidInputError, match="this is a GIF"):
        read_image(path)


def test_a_windows_path_is_a_path() -> None:
    with pytest.raises(InvalidInputError, match="no file"):
        read_image(r"C:\cat.jpg")


def test_a_closed_file_is_refused() -> None:
    file = io.BytesIO(JPEG)
    file.close()
    with pytest.raises(InvalidInputError, match="closed"):
        read_image(file)


class Endless(io.RawIOBase):
    """A stream that would fill the memory, a thousand bytes at a time."""

    def __init__(self) -> None:
        self.given = 0

    def read(self, size: int = -1, /) -> bytes:
        self.given += min(size, 1000)
        return b"\xff\xd8\xff" + b"x" * (min(size, 1000) - 3) if size >= 3 else b"x" * size


def test_a_stream_is_not_read_past_the_limit() -> None:
    endless: Any = Endless()
    with pytest.raises(InvalidInputError, match="10 MB"):
        read_image(endless)
    assert endless.given == IMAGE_MAX_BYTES + 1


@given(st.binary(max_size=300))
def test_any_bytes_are_a_picture_or_refused(content: bytes) -> None:
    try:
        assert isinstance(read_image(content), Picture)
    except InvalidInputError as error:
        assert error.field == "image"


def test_equal_pictures_are_uploaded_under_equal_names_and_others_under_others() -> None:
    first, again, other = (
        upload_request(settings(), Picture(c, "image/png")) for c in (PNG, PNG, PNG + b"x")
    )
    assert first.form == again.form
    assert first.form is not None
    assert other.form is not None
    assert first.form.file_name != other.form.file_name
    assert first.form.fields["fileName"] == first.form.file_name
    assert not first.form.fields["uploadPath"].startswith("/")

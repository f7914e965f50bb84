"""Input that means harm: a clear answer, nothing written elsewhere, and the next request is served."""

from __future__ import annotations

import struct
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kling_facade.sandbox import Sandbox

Make = Callable[..., Any]
UNAVAILABLE = "Your media file is unavailable, please replace it."


def png(width: int, height: int, rows: bytes) -> bytes:
    """A PNG that announces a size and holds what it likes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


HOSTILE = {
    "a bomb": png(50_000, 50_000, bytes(10_000_000)),
    "a whole picture of too many pixels": png(10_000, 8_000, bytes(10_001 * 8_000)),
    "a bomb of one row": png(2_000_000_000, 1, bytes(10_000)),
    "a picture without size": png(0, 0, b""),
    "an SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
    "a playlist": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
    "a list of files": b"ffconcat version 1.0\nfile '/etc/passwd'\n",
    "a GIF": b"GIF89a\x40\x01\x40\x01\x80\x00\x00" + bytes(100),
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_a_hostile_picture_fails_its_task_and_nothing_else(api: Any, local: Sandbox, name: str) -> None:
    real = time.monotonic()
    task_id = api.create(api.upload(HOSTILE[name]))
    local.clock.advance(600)
    found = api.record(task_id)
    assert (found["state"], found["failMsg"]) == ("fail", UNAVAILABLE)
    assert time.monotonic() - real < 3


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/a.png", "http://[::1]:9/a", "http://localhost:9/"])
def test_a_task_cannot_make_it_look_inside(connect_to: Make, url: str) -> None:
    with Sandbox(allow_fetch=True) as sandbox, connect_to(sandbox) as api:
        task_id = api.create(url)
        sandbox.clock.advance(600)
        assert api.record(task_id)["failMsg"] == "Image fetch failed"


def test_nothing_is_written_outside_its_folder(
    connect_to: Make, make_picture: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, here = tmp_path / "own", tmp_path / "here"
    own.mkdir()
    here.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(own))
    monkeypatch.chdir(here)
    with Sandbox() as sandbox, connect_to(sandbox) as api:
        for folder, name in (
            ("..", "a"),
            ("../../here", "a.png"),
            (str(here), "b"),
            ("x", "../../../here/c"),
        ):
            api.post(
                "/file-upload/api/file-stream-upload",
                files={"file": ("../d.png", make_picture())},
                data={"uploadPath": folder, "fileName": name},
            )
        api.create(api.upload(make_picture()))
        assert len(list(own.iterdir())) == 1
    assert list(own.iterdir()) == list(here.iterdir()) == []

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A PNG of 320 by 320 grey pixels: small pictures make small videos, quickly."""
    header = struct.pack(">IIBBBBB", 320, 320, 8, 0, 0, 0, 0)
    pixels = zlib.compress((b"\0" + b"\x80" * 320) * 320)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    path = tmp_path / "grey.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    return path

"""The command in this process, against a sandbox whose clock its sleeping turns."""

import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from kling_facade.cli.app import app
from kling_facade.sandbox import Sandbox

KEY = "key-that-nobody-may-see"
Run = Callable[..., Result]


@pytest.fixture
def picture(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A small one: large ones take longer to become videos."""
    path = tmp_path_factory.mktemp("pictures") / "grey.png"
    path.write_bytes(_png(320, 320))
    return str(path)


def _png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = (b"\0" + bytes(x * y % 256 for x in range(width)) for y in range(height))
    pixels = zlib.compress(b"".join(rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty working directory, and an environment without a key."""
    monkeypatch.chdir(tmp_path)
    for name in ("APIKLEY_API_KEY", "APIKLEY_BASE_URL", "APIKLEY_UPLOAD_URL", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """What the environment names as the service; waiting for it takes no time."""
    with Sandbox(api_key=KEY) as sandbox:
        monkeypatch.setenv("APIKLEY_API_KEY", KEY)
        monkeypatch.setenv("APIKLEY_BASE_URL", sandbox.url)
        monkeypatch.setattr("kling_facade.client.RealClock", lambda: sandbox.clock)
        yield sandbox


@pytest.fixture
def run() -> Run:
    """Runs a command line; every one of these tests is also a test that the key stays hidden."""

    def run(*arguments: str) -> Result:
        result = CliRunner().invoke(app, arguments)
        assert KEY not in result.output
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    return run

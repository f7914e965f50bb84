"""Streams that may break while something paid for is under way."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from typing_extensions import Buffer


class _Steady(io.RawIOBase):
    """Drops what its stream cannot take, so that whoever talks on it goes on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def write(self, data: Buffer, /) -> int:
        with suppress(OSError, ValueError):
            self._stream.buffer.write(data)
            self._stream.flush()
        return len(memoryview(data))


def steady_stderr() -> TextIO:
    """Stderr to talk on: a full disk or a reader that has gone does not end a command that has paid."""
    stream: TextIO | None = sys.stderr  # None in a process that was started without one
    if stream is None:
        return io.StringIO()
    buffer = io.BufferedWriter(_Steady(stream))
    return io.TextIOWrapper(buffer, encoding=stream.encoding, errors="backslashreplace", line_buffering=True)


def put(text: str) -> bool:
    """Writes a line to stdout; whether it got there."""
    stream: TextIO | None = sys.stdout
    if stream is None:
        return False
    try:
        stream.write(f"{text}\n")
        stream.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError):  # or the interpreter tries again at its end, and complains
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return False
    return True

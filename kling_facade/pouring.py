"""From the network into a sink; which of the two failed is told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kling_facade.workers import on_thread

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from kling_facade.wire import Sink

_BATCH = 1024**2  # bytes; a thread for each network chunk would cost more than the writing


class BrokenError(Exception):
    """The network broke off; what the sink or the caller's own code raises passes as it is."""


def pour(chunks: Iterator[bytes], sink: Sink) -> None:
    """Writes every chunk as it comes.

    Raises:
        BrokenError: there were to be more.
    """
    for chunk in _guarded(chunks):
        sink.write(chunk)
        sink.report()


async def async_pour(chunks: AsyncIterator[bytes], sink: Sink) -> None:
    """Writes in batches, on a thread; what came before a break too, for it is not fetched again.

    Raises:
        BrokenError: there were to be more.
    """
    batch, broken = bytearray(), None
    try:
        async for chunk in _async_guarded(chunks):
            batch += chunk
            if len(batch) >= _BATCH:
                full, batch = bytes(batch), bytearray()
                await _write(sink, full)
    except BrokenError as error:
        broken = error
    if batch:
        await _write(sink, bytes(batch))
    if broken is not None:
        raise broken


async def _write(sink: Sink, data: bytes) -> None:
    await on_thread(lambda: sink.write(data))
    sink.report()


def _guarded(chunks: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from chunks
    except Exception as error:
        raise BrokenError(f"{type(error).__name__}: {error}") from error


async def _async_guarded(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    try:
        async for chunk in chunks:
            yield chunk
    except Exception as error:
        raise BrokenError(f"{type(error).__name__}: {error}") from error

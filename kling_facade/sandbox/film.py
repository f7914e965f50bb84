# PyAV's stubs leave parts of their types open.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
"""A real MP4 out of a still: the camera moves over it. Not what Kling would make. All of PyAV is here."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeVar

import av
from av.audio.frame import AudioFrame
from av.error import BlockingIOError as NothingYetError
from av.error import EOFError as EndError
from av.error import FFmpegError
from av.filter import Graph

from kling_facade.sandbox.pictures import sniff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from av.container import OutputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

F = TypeVar("F")

FRAMES_PER_SECOND = 24
SAMPLES_PER_SECOND = 48_000
MOST_WIDTH, MOST_HEIGHT = 960, 540
MOST_PIXELS = 50_000_000
DISCLAIMER = "kling-facade sandbox: not made by Kling"

# zoompan crops at whole pixels. On a still three times as large a step is a third of a pixel: no jitter.
OVERSIZE = 3

# Named to the decoder, never guessed by it: guessing also knows playlists, which open other files.
CONTAINERS = {"image/jpeg": "jpeg_pipe", "image/png": "png_pipe", "image/webp": "webp_pipe"}


def render(picture: Path, target: Path, *, seconds: int, sound: bool) -> None:
    """Writes an H.264 video that zooms and pans over the picture.

    Args:
        picture: a JPEG, PNG or WebP that can be decoded.
        target: the MP4; its index comes first, so that it plays while it loads.
        seconds: its exact length.
        sound: whether it has an audio track, a soft chord.
    """
    still = read_still(picture)
    with av.open(str(target), "w", format="mp4", options={"movflags": "faststart"}) as output:
        output.metadata.update({"title": DISCLAIMER, "comment": DISCLAIMER})
        video = _video_stream(output, still)
        audio = output.add_stream("aac", rate=SAMPLES_PER_SECOND, layout="stereo") if sound else None
        if audio is not None:
            _mux(output, audio.encode, _chord(seconds))
        _mux(output, video.encode, _camera(still, video.width, video.height, seconds * FRAMES_PER_SECOND))


def measure(picture: Path) -> tuple[int, int]:
    """Width and height in pixels; zeros when the picture cannot be decoded or is far too large."""
    try:
        still = read_still(picture)
    except (FFmpegError, ValueError):
        return 0, 0
    return still.width, still.height


def read_still(picture: Path) -> VideoFrame:
    """The decoded picture.

    Raises:
        FFmpegError, ValueError: there is none, or its header announces more than ``MOST_PIXELS``.
    """
    data = picture.read_bytes()
    kind = sniff(data)
    if kind is None:
        raise ValueError("neither JPEG nor PNG nor WebP")
    limit = {"max_pixels": str(MOST_PIXELS)}
    with av.open(io.BytesIO(data), "r", format=CONTAINERS[kind], options=limit) as container:
        stream = container.streams.video[0]
        if stream.width == 0:  # so the limit shows; decoding would set the bomb off
            raise ValueError("too many pixels")
        return next(container.decode(stream))


def test_card() -> bytes:
    """A PNG that stands for pictures the sandbox does not fetch: colour bars and a counter."""
    graph = Graph()
    sink = graph.add("buffersink")
    graph.link_nodes(graph.add("testsrc2", "size=960x540:rate=1"), graph.add("format", "rgb24"), sink)
    graph.configure()
    card = graph.vpull()
    encoder = av.VideoCodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt = card.width, card.height, "rgb24"
    encoder.time_base = Fraction(1, 1)
    return b"".join(bytes(packet) for packet in [*encoder.encode(card), *encoder.encode(None)])


def fitted(width: int, height: int) -> tuple[int, int]:
    """The size of the video: the picture's proportions, never enlarged, even as H.264 wants it."""
    scale = min(1.0, MOST_WIDTH / width, MOST_HEIGHT / height)
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


def _video_stream(output: OutputContainer, still: VideoFrame) -> VideoStream:
    options = {"preset": "superfast", "crf": "23"}
    stream = output.add_stream("libx264", rate=FRAMES_PER_SECOND, options=options)
    stream.width, stream.height = fitted(still.width, still.height)
    stream.pix_fmt = "yuv420p"
    return stream


def _mux(
    output: OutputContainer, encode: Callable[[F | None], list[Packet[Any]]], frames: Iterable[F]
) -> None:
    for frame in frames:
        output.mux(encode(frame))
    output.mux(encode(None))


def _camera(still: VideoFrame, width: int, height: int, count: int) -> Iterator[VideoFrame]:
    """Frames from the whole picture to a detail right of and above its middle."""
    part = f"on/{count - 1}"
    move = (
        f"z='1+0.25*{part}':x='(iw-iw/zoom)*(0.5+0.4*{part})':y='(ih-ih/zoom)*(0.5-0.3*{part})'"
        f":d={count}:s={width}x{height}:fps={FRAMES_PER_SECOND}"
    )
    graph = Graph()
    sink = graph.add("buffersink")
    graph.link_nodes(
        graph.add_buffer(
            width=still.width,
            height=still.height,
            format=still.format,
            time_base=Fraction(1, FRAMES_PER_SECOND),
        ),
        graph.add("scale", f"{width * OVERSIZE}:{height * OVERSIZE}:flags=bicubic"),
        graph.add("format", "yuv420p"),
        graph.add("zoompan", move),
        sink,
    )
    graph.configure()
    graph.vpush(still)
    graph.vpush(None)
    for _ in range(count):
        yield graph.vpull()


def _chord(seconds: int) -> Iterator[AudioFrame]:
    """Three soft notes that swell and fade."""
    notes = "+".join(f"0.05*sin(2*PI*{hertz}*t)" for hertz in (110, 164.8, 220))
    graph = Graph()
    sink = graph.add("abuffersink")
    graph.link_nodes(
        graph.add(
            "aevalsrc", f"exprs='({notes})*(0.7+0.3*sin(2*PI*0.2*t))':s={SAMPLES_PER_SECOND}:d={seconds}"
        ),
        graph.add("afade", "t=in:d=0.5"),
        graph.add("afade", f"t=out:st={seconds - 1}:d=1"),
        graph.add("aformat", "sample_fmts=fltp:channel_layouts=stereo"),
        graph.add("asetnsamples", "n=1024:p=0"),  # the frame size of AAC
        sink,
    )
    graph.configure()
    while True:
        try:
            frame = graph.pull()
        except (EndError, NothingYetError):
            return
        if isinstance(frame, AudioFrame):
            yield frame

"""The videos are real, and made from the picture."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import av
import httpx
import pytest
from av.video.frame import VideoFrame
from hypothesis import given
from hypothesis import strategies as st

from kling_facade.sandbox import Sandbox
from kling_facade.sandbox.film import fitted

Make = Callable[..., Any]
LINK = "/api/v1/common/download-url"


@pytest.fixture
def video(api: Any, make_picture: Make) -> Make:
    def make(duration: str = "5", *, sound: bool = False, picture: bytes | None = None) -> bytes:
        url = api.upload(picture or make_picture())
        link = api.finish(api.create(url, duration=duration, sound=sound))
        return httpx.get(link, timeout=30).content

    return make


def pixels(frame: VideoFrame) -> bytes:
    """The frame, shrunk to 8 by 6 colours."""
    small = frame.reformat(8, 6, "rgb24")
    stride = small.planes[0].line_size
    data = bytes(small.planes[0])
    return b"".join(data[row * stride : row * stride + 24] for row in range(6))


def distance(one: bytes, other: bytes) -> float:
    """Mean difference of a colour, 0 to 255."""
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) / len(one)


def frames_of(data: bytes) -> list[VideoFrame]:
    with av.open(io.BytesIO(data), "r") as container:
        return list(container.decode(video=0))


@pytest.mark.parametrize(("duration", "sound"), [("5", False), ("10", True)])
def test_a_video_is_h264_of_the_length_asked_for_with_audio_only_if_asked(
    video: Make, duration: str, sound: bool
) -> None:
    with av.open(io.BytesIO(video(duration, sound=sound)), "r") as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert stream.frames == 24 * int(duration)
        assert stream.average_rate == Fraction(24)
        assert stream.duration is not None
        assert stream.time_base is not None
        assert stream.duration * stream.time_base == int(duration)
        assert container.duration == int(duration) * 1_000_000
        assert [sounding.codec_context.name for sounding in container.streams.audio] == ["aac"] * sound
        assert container.metadata["title"] == "kling-facade sandbox: not made by Kling"
        if sound:
            samples = sum(frame.samples for frame in container.decode(audio=0))
            assert abs(Fraction(samples, 48_000) - int(duration)) < 0.1


def test_sound_can_be_heard(video: Make) -> None:
    with av.open(io.BytesIO(video(sound=True)), "r") as container:
        loud = max(max(memoryview(frame.planes[0]).cast("f")) for frame in container.decode(audio=0))
    assert 0.02 < loud < 0.9


def test_the_video_starts_with_the_picture_and_then_moves(video: Make, make_picture: Make) -> None:
    with av.open(io.BytesIO(make_picture()), "r", format="png_pipe") as container:
        still = next(container.decode(video=0))
    frames = frames_of(video())
    assert (frames[0].width, frames[0].height) == (400, 304)
    assert distance(pixels(frames[0]), pixels(still)) < 6
    assert distance(pixels(frames[-1]), pixels(still)) > 10
    seconds = [pixels(frame) for frame in frames[::24]]
    assert all(distance(one, other) > 0.5 for one, other in pairwise(seconds))


def test_the_camera_moves_sideways_too(video: Make) -> None:
    last = frames_of(video())[-1].reformat(20, 20, "rgb24")
    left_of_the_middle = 4 * last.planes[0].line_size + 9 * 3
    red, green, blue = bytes(last.planes[0])[left_of_the_middle : left_of_the_middle + 3]
    assert green > 100 > max(red, blue)  # the right quarter, which began right of the middle


def test_a_large_picture_is_made_smaller(video: Make, make_picture: Make) -> None:
    frame = frames_of(video(picture=make_picture(1080, 1920, "jpeg")))[0]
    assert (frame.width, frame.height) == (304, 540)


@given(width=st.integers(300, 8000), height=st.integers(300, 8000))
def test_the_video_keeps_the_proportions_within_960_by_540(width: int, height: int) -> None:
    fit = fitted(width, height)
    assert fit[0] <= 960
    assert fit[1] <= 540
    assert fit[0] % 2 == fit[1] % 2 == 0
    assert abs(fit[0] * height - fit[1] * width) <= width + height  # off by one pixel a side at most


def test_the_index_comes_first(video: Make) -> None:
    data = video()
    assert data.index(b"moov") < data.index(b"mdat")


def test_a_foreign_picture_becomes_the_test_card(local: Sandbox, api: Any) -> None:
    links = [api.finish(api.create(f"https://example.com/{name}.png")) for name in "ab"]
    first, second = (httpx.get(link, timeout=30).content for link in links)
    assert first == second
    assert frames_of(first)[0].width == 960


def test_a_video_is_rendered_once_however_many_ask(
    local: Sandbox, api: Any, make_picture: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kling_facade.sandbox import film

    rendered, render = [], film.render

    def counting(*args: Any, **options: Any) -> None:
        rendered.append(args)
        render(*args, **options)

    monkeypatch.setattr(film, "render", counting)
    url = api.upload(make_picture(400, 320))
    links = [api.finish(api.create(url)) for _ in range(2)]
    got: list[bytes] = []
    threads = [
        threading.Thread(target=lambda link=link: got.append(httpx.get(link, timeout=30).content))
        for link in links * 3
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(got), len(set(got)), len(rendered)) == (6, 1, 1)


def test_parts_can_be_had(local: Sandbox, api: Any, make_picture: Make) -> None:
    link = api.finish(api.create(api.upload(make_picture())))
    whole = httpx.get(link, timeout=30)
    size, etag = len(whole.content), whole.headers["etag"]
    assert (whole.headers["accept-ranges"], whole.headers["content-length"]) == ("bytes", str(size))

    def part(wanted: str, **headers: str) -> httpx.Response:
        return httpx.get(link, headers={"range": wanted, **headers}, timeout=10)

    rest = part("bytes=1000-", **{"if-range": etag})
    assert (rest.status_code, rest.content) == (206, whole.content[1000:])
    assert rest.headers["content-range"] == f"bytes 1000-{size - 1}/{size}"
    assert part("bytes=0-9").content == whole.content[:10]
    assert part("bytes=0-9", **{"if-range": '"other"'}).content == whole.content
    beyond = part(f"bytes={size}-")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")


def test_the_result_host_refuses_urllib(local: Sandbox, api: Any) -> None:
    with pytest.raises(HTTPError) as refused:
        urlopen(api.finish(api.create()), timeout=10)
    assert refused.value.code == 403
    refused.value.close()


def test_there_is_no_video_before_success_nor_after_failure(
    local: Sandbox, api: Any, make_picture: Make
) -> None:
    link = api.finish(api.create())
    running = api.create()
    failed = api.create(api.upload(make_picture(100, 100)))
    known = link.rsplit("/", 1)[1]
    assert httpx.get(link.replace(known, f"{running}.mp4"), timeout=10).status_code == 404
    local.clock.advance(600)
    assert httpx.get(link.replace(known, f"{failed}.mp4"), timeout=10).status_code == 404


def test_a_link_expires_and_a_fresh_one_is_good_for_twenty_minutes(local: Sandbox, api: Any) -> None:
    link = api.finish(api.create())
    local.clock.advance(86_400)
    assert httpx.get(link, timeout=10).status_code == 404
    fresh = api.post(LINK, json={"url": link}).json()["data"]
    assert fresh != link
    assert httpx.get(fresh, timeout=30).headers["content-type"] == "video/mp4"
    local.clock.advance(20 * 60)
    assert httpx.get(fresh, timeout=10).status_code == 404
    local.clock.advance(14 * 86_400)
    assert api.post(LINK, json={"url": link}).json()["code"] == 422


@pytest.mark.parametrize("url", [None, "", 7, "https://example.com/a.mp4", ["x"]])
def test_no_fresh_link_for_what_the_service_did_not_make(api: Any, url: object) -> None:
    answer = api.post(LINK, content=json.dumps({"url": url})).json()
    assert (answer["code"], answer["data"]) == (422, None)

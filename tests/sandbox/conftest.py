"""One sandbox for each file of tests, asked with plain httpx; and pictures to give it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import av
import httpx
import pytest
from av.video.frame import VideoFrame

from kling_facade.sandbox import Sandbox

FORMATS = {"jpeg": ("mjpeg", "yuvj420p"), "png": ("png", "rgb24"), "webp": ("libwebp", "yuv420p")}
QUARTERS = ((200, 40, 40), (40, 160, 60), (50, 60, 200), (230, 220, 90))

MakePicture = Callable[..., bytes]


def _picture(width: int = 400, height: int = 304, kind: str = "png") -> bytes:
    """Four quarters of different colours, so that anything cut off, turned or shifted shows."""
    codec, pixels = FORMATS[kind]
    frame = VideoFrame(width, height, "rgb24")
    top, bottom = (
        b"".join(bytes(colour) * (width // 2) for colour in row) for row in (QUARTERS[:2], QUARTERS[2:])
    )
    padding = bytes(frame.planes[0].line_size - len(top))
    frame.planes[0].update((top + padding) * (height // 2) + (bottom + padding) * (height // 2))
    encoder = av.VideoCodecContext.create(codec, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, pixels
    encoder.time_base = Fraction(1, 25)
    packets = [*encoder.encode(frame.reformat(format=pixels)), *encoder.encode(None)]
    return b"".join(bytes(packet) for packet in packets)


@pytest.fixture(scope="session")
def make_picture() -> MakePicture:
    """Makes a picture of even sides; kinds: jpeg, png, webp."""
    return _picture


@pytest.fixture(scope="module")
def local() -> Iterator[Sandbox]:
    """The sandbox of this file; its clock only moves on."""
    with Sandbox(credits=1_000_000, creates_per_10s=None, queries_per_second=None) as sandbox:
        yield sandbox


class Api(httpx.Client):
    """Plain HTTP with the right key, and shorthands for what most tests do."""

    def __init__(self, sandbox: Sandbox) -> None:
        headers = {"Authorization": f"Bearer {sandbox.api_key}"}
        super().__init__(base_url=sandbox.url, headers=headers, timeout=20)
        self._sandbox = sandbox

    def request_for(self, image: str = "https://example.com/cat.png", **changes: Any) -> dict[str, Any]:
        """A create request that is right but for the changes."""
        inputs = {"prompt": "the cat yawns", "image_urls": [image], "sound": False, "duration": "5"}
        return {"model": "kling-2.6/image-to-video", "input": inputs | changes}

    def upload(self, data: bytes) -> str:
        """Uploads a picture; its URL."""
        name = f"{hashlib.sha256(data).hexdigest()}.png"
        answer = self.post(
            "/file-upload/api/file-stream-upload",
            files={"file": ("cat.png", data)},
            data={"uploadPath": "images/tests", "fileName": name},
        ).json()
        assert answer["success"] is True
        return str(answer["data"]["downloadUrl"])

    def create(self, image: str = "https://example.com/cat.png", **changes: Any) -> str:
        """Creates a task; its id."""
        answer = self.post("/api/v1/jobs/createTask", json=self.request_for(image, **changes)).json()
        assert answer["code"] == 200, answer
        return str(answer["data"]["taskId"])

    def record(self, task_id: str) -> dict[str, Any]:
        """The record of a task."""
        answer = self.get("/api/v1/jobs/recordInfo", params={"taskId": task_id}).json()
        assert answer["code"] == 200, answer
        found: dict[str, Any] = answer["data"]
        return found

    def finish(self, task_id: str) -> str:
        """Turns the clock until a task has succeeded; the link to its video."""
        self._sandbox.clock.advance(600)
        found = self.record(task_id)
        assert found["state"] == "success", found
        return str(json.loads(found["resultJson"])["resultUrls"][0])


@pytest.fixture
def api(local: Sandbox) -> Iterator[Api]:
    """The sandbox of this file, asked over HTTP."""
    with Api(local) as client:
        yield client


@pytest.fixture
def connect_to() -> Callable[[Sandbox], Api]:
    """The same for a sandbox made by the test."""
    return Api

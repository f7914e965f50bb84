"""P13, P15 and P16: a callback checked, an answer read, a file downloaded."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import httpx

from benchmarks.loopback import serving
from benchmarks.measuring import Row, at_most, take_turns
from benchmarks.records import TASK_ID, kling
from kling_api.models import TaskRecordResponse
from kling_facade import Kling
from kling_facade.envelope import judge
from kling_facade.operations import RECORD
from kling_facade.wire import Reply

KEY = "test-webhook-hmac-key"
MB = 1024 * 1024


def rows() -> list[Row]:
    """P15 and P16."""
    return [_status(), _download()]


def _status() -> Row:
    body = kling("success")
    reply = Reply(200, {"date": "Sun, 22 Nov 2026 12:00:00 GMT", "content-type": "application/json"}, body)
    acts = {
        "ours": lambda: judge(RECORD, reply, subject=TASK_ID),
        "plain": lambda: TaskRecordResponse.from_dict(json.loads(body)),
    }
    rounds = take_turns(acts, rounds=31, times=1000)
    figure, text = rounds.ratio("ours", "plain"), rounds.spread("ours", "plain")
    remark = "the plain one reads neither the times, nor the links in resultJson, nor the table of errors"
    return at_most(
        "P15", "answer to TaskStatus / json.loads + from_dict", figure, 1.6, text=text, remark=remark
    )


def _download() -> Row:
    size = 40 * MB
    video = _box(b"ftyp", b"isom") + _box(b"moov", bytes(64)) + _box(b"mdat", os.urandom(size))
    answers = {"/video.mp4": video, "/api/v1/jobs/recordInfo": kling("success")}
    with serving(answers, "video/mp4") as server, tempfile.TemporaryDirectory() as folder:
        url, target = f"{server.url}/video.mp4", Path(folder) / "video.mp4"
        with Kling("key", base_url=server.url) as client, httpx.Client() as raw_client:
            result = client.task(TASK_ID).wait()
            object.__setattr__(result.status, "urls", (url,))

            def ours() -> None:
                result.save(target, overwrite=True)

            def raw() -> None:
                with raw_client.stream("GET", url) as response, target.open("wb") as file:
                    for chunk in response.iter_raw():
                        file.write(chunk)

            rounds = take_turns({"ours": ours, "raw": raw}, rounds=9, times=1)
    figure, text = rounds.ratio("ours", "raw"), rounds.spread("ours", "raw")
    return at_most(
        "P16",
        "download of 40 MB, CPU / raw httpx",
        figure,
        1.10,
        text=text,
        remark="it also checks length and boxes of the MP4 and syncs the file to disk",
    )


def _box(kind: bytes, content: bytes) -> bytes:
    """A box of an MP4, so that the file is whole in the eyes of whoever checks."""
    return (8 + len(content)).to_bytes(4, "big") + kind + content

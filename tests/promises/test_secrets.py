"""The key is nowhere but in the header of requests to the configured host."""

from __future__ import annotations

import contextlib
import logging
import pickle
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.rawserver import RawServer, http

from kling_facade import KlingError

CANARY = "canary-key-e7b1"
ANSWERS = [
    b"",
    http(b"<html> " + CANARY.encode(), headers=b""),
    http(b'{"code": 401, "msg": "wrong key %b"}' % CANARY.encode()),
    http(b'{"code": 500, "msg": "%b"}' % CANARY.encode()),
    http(b'{"code": 200, "data": {"taskId": "t1", "state": "fail", "failMsg": "%b"}}' % CANARY.encode()),
    http(b"", status=302, headers=b"Location: https://elsewhere.test/?%b\r\n" % CANARY.encode()),
    b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + CANARY.encode(),
    b"\xff" + CANARY.encode() + b"\r\n\r\n",
]


def show(error: BaseException) -> str:
    """All that a crash reporter would send: the text, the traceback, and the locals of our frames."""
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    ours = [frame for frame in report.stack if frame.filename != __file__]  # the test itself knows the answer
    assert ours
    parts = [
        error,
        vars(error),
        [(frame, frame.locals) for frame in ours],
        pickle.dumps(error),
        error.__cause__,
    ]
    return f"{error} {parts!r}"


@pytest.mark.parametrize("answer", ANSWERS, ids=range(len(ANSWERS)))
def test_the_key_is_in_nothing_that_can_be_shown_or_kept(
    connect: Any, answer: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shown: list[str] = []
    calls: list[Callable[[Any], object]] = [
        lambda kling: kling.submit("https://f.test/a.jpg", "p", key="k"),
        lambda kling: kling.task("t1").wait(timeout=20),
        lambda kling: kling.credits(),
        lambda kling: kling.upload(b"\xff\xd8\xff picture"),
        lambda kling: kling.fresh_link("https://f.test/a.mp4"),
    ]
    with RawServer(answer) as server:
        events: list[object] = []
        journal = tmp_path / "journal.db"
        kling = connect(server.url, api_key=CANARY, journal=journal, on_event=events.append)
        shown.append(repr(kling))
        for call in calls:
            with contextlib.suppress(KlingError):
                try:
                    shown.append(repr(call(kling)))
                except KlingError as error:
                    shown.append(show(error))
                    raise
        assert any(CANARY.encode() in request for request in server.requests)
    # httpcore's own DEBUG log shows what a server sent; ours, and what httpcore says of requests, must not
    own = [record.getMessage() for record in caplog.records if "receive_response" not in record.getMessage()]
    shown += [repr(events), *own]
    assert CANARY not in "".join(shown)
    assert CANARY.encode() not in b"".join(file.read_bytes() for file in tmp_path.iterdir())

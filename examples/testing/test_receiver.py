"""How a receiver of callbacks is tested: the sandbox calls it, over real HTTP, and lies to it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from receiver import Receiver

from kling_facade.callbacks import CallbackVerifier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kling_facade.sandbox import Forgery, Sandbox

pytestmark = pytest.mark.kling(webhook_key="the key")


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Says nothing."""


@pytest.fixture
def receiver(kling_sandbox: Sandbox) -> Iterator[Receiver]:
    receiver = Receiver(CallbackVerifier(["the key"]))
    with make_server("127.0.0.1", 0, receiver.app, handler_class=Quiet) as server:
        threading.Thread(target=server.serve_forever, args=[0.01]).start()
        receiver.inbox.url = f"http://127.0.0.1:{server.server_port}/"
        with kling_sandbox.client(inbox=receiver.inbox) as receiver.kling:
            yield receiver
        server.shutdown()


def test_the_link_is_the_services(receiver: Receiver, kling_sandbox: Sandbox) -> None:
    assert receiver.kling
    video = receiver.kling.generate("https://example.com/cat.png", "the cat yawns")
    assert kling_sandbox.send_callback(video.task_id, forged="other_body").status == 200
    assert receiver.videos == {video.task_id: video.urls}


@pytest.mark.parametrize("forged", ["wrong_key", "other_task", "stale"])
def test_a_forged_callback_is_refused(receiver: Receiver, kling_sandbox: Sandbox, forged: Forgery) -> None:
    assert receiver.kling
    task = receiver.kling.submit("https://example.com/cat.png", "the cat yawns")
    assert kling_sandbox.send_callback(task.id, forged=forged).status == 401
    assert receiver.videos == {}


@pytest.mark.kling(webhook_key="the key", scenario="lost_callbacks")
def test_a_wait_ends_without_its_callback(receiver: Receiver) -> None:
    assert receiver.kling
    assert receiver.kling.generate("https://example.com/cat.png", "the cat yawns").url

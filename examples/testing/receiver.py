"""An app that only listens: what it knows of a video comes with the callback."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kling_facade.callbacks import CallbackInbox, wsgi_app

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from kling_facade import Kling
    from kling_facade.callbacks import Callback, CallbackVerifier


class Receiver:
    """Keeps the links of the videos that it was told of."""

    def __init__(self, verifier: CallbackVerifier) -> None:
        self.videos: dict[str, tuple[str, ...]] = {}
        self.inbox = CallbackInbox(verifier, handler=self.take_note)
        self.app: WSGIApplication = wsgi_app(self.inbox)
        self.kling: Kling | None = None

    def take_note(self, callback: Callback) -> None:
        assert self.kling is not None
        status = self.kling.task(callback.task_id).status()
        if not status.done:
            raise RuntimeError("not yet")
        self.videos[callback.task_id] = status.urls

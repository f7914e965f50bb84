"""Tells callers that their tasks have ended; genuinely, or as badly as it is told to."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import math
import time
import uuid
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from kling_facade.sandbox.document import is_object
from kling_facade.sandbox.drafts import Draft, speak_generation
from kling_facade.sandbox.posting import NotPostedError, post

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Mapping

    from kling_facade.sandbox.quirks import Forgery, Sending
    from kling_facade.sandbox.service import Service
    from kling_facade.sandbox.tasks import SandboxTask

RETRIES = (10.0, 30.0, 60.0)  # simulated seconds after each attempt that was not answered with 2xx
PATIENCE = 15.0  # real seconds for an answer when time is real
TURNED_PATIENCE = 3.0  # the same when it is turned
FORGED_KEY = "a key that nobody has"
STALE = 3600  # seconds

DONE, FAILED = "Playground task completed successfully.", "Playground task failed."


@frozen
class Delivery:
    """One callback that was sent.

    Attributes:
        task_id: which task it is about.
        url: where it was sent.
        at: simulated seconds.
        attempt: 1 for the first.
        headers: as sent, names in lower case.
        body: as sent.
        status: of the answer; None if there was none.
        problem: why there was none.
        forged: how it is not genuine; None if it is.
        answer: what the answer said, as far as it came at once; its first 4 KB.
        id: its own.
    """

    task_id: str
    url: str
    at: float
    attempt: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    status: int | None = None
    problem: str = ""
    forged: Forgery | None = None
    answer: bytes = field(default=b"", repr=False)
    id: str = field(factory=lambda: uuid.uuid4().hex, eq=False, repr=False)


def sign(key: str, task_id: str, timestamp: int) -> str:
    """The signature: it covers the task's id and the time, not the body."""
    digest = hmac.new(key.encode(), f"{task_id}.{timestamp}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


class Courier:
    """Sends callbacks from the event loop in which tasks are accepted.

    Args:
        service: whose tasks they are about.
        webhook_key: signs them; None leaves them unsigned.
        deliveries: where each is noted.
    """

    def __init__(self, service: Service, webhook_key: str | None, deliveries: deque[Delivery]) -> None:
        self._service = service
        self._deliveries = deliveries
        self._key = webhook_key
        self._following: set[asyncio.Task[None]] = set()

    def follow(self, task: SandboxTask) -> None:
        """Sends what is to be sent when the task has ended."""
        if task.request.get("callBackUrl") and task.ends < math.inf:
            following = asyncio.get_running_loop().create_task(self._follow(task))
            self._following.add(following)
            following.add_done_callback(self._following.discard)

    async def _follow(self, task: SandboxTask) -> None:
        await self._service.clock.until(task.ends)
        sendings = self._service.rules.plan()
        await asyncio.gather(*(self._deliver(task, sending) for sending in sendings))

    async def _deliver(self, task: SandboxTask, sending: Sending) -> None:
        """Sends until it is answered with 2xx."""
        clock = self._service.clock
        await clock.until(task.ends + sending.wait)
        for attempt, pause in enumerate((*RETRIES, None), start=1):
            delivery = await self.send(task, forged=sending.forged, attempt=attempt)
            if pause is None or sending.forged or 200 <= (delivery.status or 0) < 300:
                return
            await clock.until(clock.now() + pause)

    async def send(
        self, task: SandboxTask, *, forged: Forgery | None = None, attempt: int = 1, url: str | None = None
    ) -> Delivery:
        """Sends one callback about a task, once."""
        service, target = self._service, url or str(task.request.get("callBackUrl"))
        patience = PATIENCE / service.clock.speed if service.clock.realtime else TURNED_PATIENCE
        with service.clock.acting():
            body = json.dumps(self._body(task, forged)).encode()
            headers = {"content-type": "application/json", **self._signature(task.id, forged)}
            at, status, answer, problem = service.clock.now(), None, b"", ""
            try:
                async with asyncio.timeout(patience):
                    status, answer = await post(target, headers, body, allow=service.settings.allow_fetch)
            except TimeoutError:
                problem = f"no answer within {patience:g} s"
            except NotPostedError as refused:
                problem = str(refused)
            delivery = Delivery(task.id, target, at, attempt, headers, body, status, problem, forged, answer)
            self._deliveries.append(delivery)
            return delivery

    def _body(self, task: SandboxTask, forged: Forgery | None) -> dict[str, Any]:
        link = self._service.result_url(task.id)
        record = task.record(self._service.clock.now(), link)
        failed = record["state"] == "fail"
        money = {"consumeCredits": record["creditsConsumed"], "remainedCredits": self._service.credits()}
        data = speak_generation(3, record)
        document = {"code": 501 if failed else 200, "msg": FAILED if failed else DONE, "data": data}
        draft = Draft(document, link=link, full=record | money)
        self._service.rules.edit("callback", draft)
        if forged == "other_body":
            _replace_links(draft.document["data"])
        return draft.document

    def _signature(self, task_id: str, forged: Forgery | None) -> dict[str, str]:
        if self._key is None or forged == "unsigned":
            return {}
        # Real time, also where the sandbox's is turned: the receiver compares it with its own clock.
        timestamp = int(time.time()) - (STALE if forged == "stale" else 0)
        key = FORGED_KEY if forged == "wrong_key" else self._key
        signed = uuid.uuid4().hex if forged == "other_task" else task_id
        return {
            "x-webhook-timestamp": str(timestamp),
            "x-webhook-signature": sign(key, signed, timestamp),
        }


def _replace_links(data: object) -> None:
    """What somebody who has seen one callback could send with its signature."""
    if is_object(data):
        links = {"resultUrls": ["https://forged.example/video.mp4"]}
        data.update(state="success", resultJson=json.dumps(links))

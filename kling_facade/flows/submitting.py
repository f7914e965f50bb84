"""The paid call: sent once, and never again when it may have been accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from attrs import frozen

from kling_facade.envelope import Accepted, Denied, judge
from kling_facade.errors import ConnectionFailedError
from kling_facade.flows.asking import Patience, upload
from kling_facade.flows.session import log
from kling_facade.images import Picture, read_image
from kling_facade.inputs import create_request
from kling_facade.operations import CREATE

if TYPE_CHECKING:
    from kling_facade.flows.session import Session
    from kling_facade.images import Image
    from kling_facade.inputs import Inputs
    from kling_facade.wire import Request


@frozen
class Submission:
    """A create that the service accepted.

    Attributes:
        submitted_at: on the client's clock.
    """

    task_id: str
    submission_id: str
    submitted_at: float


async def submit(session: Session, image: Image, inputs: Inputs, *, timeout: float) -> Submission:
    """Checks and uploads the picture, then creates the task.

    Args:
        session: the client's.
        image: see ``read_image``.
        inputs: checked.
        timeout: seconds for everything before the create is sent.
    """
    io = session.io
    deadline = io.now() + timeout
    image_url = await place(session, image, timeout=timeout)
    request = create_request(session.settings, inputs, image_url)
    submission_id, patience = uuid4().hex, Patience()
    while True:
        if io.now() >= deadline:
            raise ConnectionFailedError(
                f"{timeout:g} s passed before the task was created. Nothing was charged."
            )
        outcome = await io.finish(lambda: _offer(session, request, submission_id), orphaned=_report_orphan)
        if isinstance(outcome, Accepted):
            log.info("task %s created", outcome.value)
            return Submission(outcome.value, submission_id, io.now())
        pause = patience.pause(outcome)
        if pause is None or io.now() + pause >= deadline:
            raise outcome.error
        await io.sleep(pause)


async def place(session: Session, image: Image, *, timeout: float | None = None) -> str:
    """The link under which the service finds the image; uploads what is not a link yet."""
    source = await session.io.blocking(lambda: read_image(image))
    return await upload(session, source, timeout=timeout) if isinstance(source, Picture) else source


async def _offer(session: Session, request: Request, submission_id: str) -> Accepted[str] | Denied:
    # the full timeout even when the caller's deadline is near: a cut answer would only be uncertain
    answer = await session.io.send(request, timeout=session.settings.timeout)
    return judge(CREATE, answer, subject=submission_id)


def _report_orphan(outcome: Accepted[str] | Denied) -> None:
    """The caller was cancelled while the create was on its way: its id must not be lost."""
    if isinstance(outcome, Accepted):
        log.warning(
            "task %s was created after its caller had gone; kling.task(%r) resumes it", *[outcome.value] * 2
        )
    else:
        log.warning("a create whose caller had gone ended so: %s", outcome.error)

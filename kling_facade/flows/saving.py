"""A download that is whole or absent."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

from kling_facade.errors import DownloadError, KlingError, LinkExpiredError
from kling_facade.events import Event
from kling_facade.files import PartFile, choose_target
from kling_facade.flows.asking import ask_link, look
from kling_facade.wire import Answer, NotSent, Reply

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from pathlib import Path

    from kling_facade.flows.session import Session

_DEAD = frozenset({401, 403, 404, 410})
_ATTEMPTS = 4  # in a row that bring nothing new


async def save(
    session: Session,
    task_id: str,
    url: str,
    path: str | os.PathLike[str],
    *,
    overwrite: bool,
    on_progress: Callable[[int, int | None], object] | None,
) -> Path:
    """The file at ``path``, whole; or an error, and nothing there.

    Raises:
        InvalidInputError: of field "path"; nothing was asked for.
        LinkExpiredError: neither the link nor a fresh one works.
        DownloadError: the network or the disk failed for good.
    """
    io = session.io
    target = await io.blocking(
        lambda: choose_target(path, default_name=_file_name(task_id), overwrite=overwrite)
    )
    part = PartFile(target, on_progress=on_progress)
    try:
        await io.blocking(part.open)
        await _fill(session, task_id, url, part)
        await io.blocking(lambda: part.commit(overwrite=overwrite))
    except KlingError as error:
        error.task_id = task_id
        raise
    finally:
        part.discard()
    session.events.tell(Event(name="saved", at=io.now(), task_id=task_id))
    return target


def _file_name(task_id: str) -> str:
    """The id comes from the network: nothing in it may lead elsewhere."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", task_id)[:100] + ".mp4"


async def _fill(session: Session, task_id: str, url: str, part: PartFile) -> None:
    """Fetches until the part is complete: resumes where it broke off, changes a dead link once."""
    io, refreshed, vain, most = session.io, False, 0, 0
    while True:
        answer = await io.fetch(url, part, timeout=session.settings.timeout)
        if isinstance(answer, Reply) and answer.status in (200, 206) and await io.blocking(part.whole):
            return
        if isinstance(answer, Reply) and answer.status in _DEAD:
            if refreshed:
                raise LinkExpiredError(
                    f"HTTP {answer.status} for the fresh link too; the file is no longer kept."
                )
            url, refreshed = await _fresh_link(session, task_id, url), True
            continue
        _raise_if_final(answer)
        vain = 0 if part.size > most else vain + 1
        most = max(most, part.size)
        if vain >= _ATTEMPTS:
            raise DownloadError(f"the download broke off {vain} times in a row: {_reason(answer)}.")
        await io.sleep(random.uniform(0.25, 1.0) * 2**vain)


async def _fresh_link(session: Session, task_id: str, dead: str) -> str:
    """From the record if it has another one by now, else from the service that makes fresh ones."""
    try:
        urls = (await look(session, task_id)).urls
        return urls[0] if urls and urls[0] != dead else await ask_link(session, dead)
    except KlingError as error:
        raise LinkExpiredError(f"the link is dead, and there is no fresh one: {error}") from error


def _raise_if_final(answer: Answer) -> None:
    """What another attempt cannot mend."""
    if isinstance(answer, NotSent) and answer.hopeless:
        raise DownloadError(f"the file's host cannot be asked: {answer.reason}.")
    if isinstance(answer, Reply) and 300 <= answer.status < 500 and answer.status not in (408, 416, 425, 429):
        raise DownloadError(f"the file's host answered HTTP {answer.status}.")


def _reason(answer: Answer) -> str:
    if not isinstance(answer, Reply):
        return answer.reason
    whole = "with what is not a whole video" if answer.status in (200, 206) else ""
    return f"HTTP {answer.status} {whole}".strip()

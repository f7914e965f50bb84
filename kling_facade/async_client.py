"""The door for asyncio: the names of ``Kling``, with ``await``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from kling_facade.async_ports import AsyncIO
from kling_facade.clock import RealClock
from kling_facade.events import Events
from kling_facade.flows import asking, submitting, waiting
from kling_facade.flows.session import open_session
from kling_facade.inputs import check_inputs, check_key, check_task_id
from kling_facade.polling import PollPolicy
from kling_facade.settings import check_connecting, check_seconds, read_settings
from kling_facade.tasks import WAIT, AsyncTask
from kling_facade.videos import AsyncVideo

if TYPE_CHECKING:
    import os
    import ssl
    from collections.abc import Callable
    from types import TracebackType

    from kling_facade.callbacks import CallbackInbox
    from kling_facade.events import Listener
    from kling_facade.images import Image
    from kling_facade.inputs import Duration
    from kling_facade.journal import Journal, Submission
    from kling_facade.limits import Limits
    from kling_facade.records import TaskStatus
    from kling_facade.wire import Clock


class AsyncKling:
    """A client for asyncio; see ``Kling``. It belongs to the event loop in which it was used first."""

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        upload_url: str | None = None,
        timeout: float = 30.0,
        limits: Limits | None = None,
        polling: PollPolicy | None = None,
        journal: str | os.PathLike[str] | Journal | None = None,
        inbox: CallbackInbox | None = None,
        on_event: Listener | None = None,
        proxy: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        clock: Clock | None = None,
    ) -> None:
        settings = read_settings(api_key, base_url=base_url, upload_url=upload_url, timeout=timeout)
        connecting = check_connecting(proxy, ssl_context)
        self._io = AsyncIO(settings, clock=clock or RealClock(), connecting=connecting)
        self._session = open_session(
            self._io,
            settings,
            PollPolicy() if polling is None else polling,
            limits=limits,
            journal=journal,
            inbox=inbox,
            events=Events(on_event),
        )

    async def submit(
        self,
        image: Image,
        prompt: str,
        *,
        duration: Duration = 5,
        sound: bool = False,
        callback_url: str | None = None,
        key: str | None = None,
        timeout: float = WAIT,
    ) -> AsyncTask:
        """See ``Kling.submit``; once the create is on its way, cancelling does not stop it."""
        inputs = check_inputs(prompt, duration=duration, sound=sound, callback_url=callback_url)
        limit = check_seconds("timeout", timeout)
        bought = await submitting.submit(self._session, image, inputs, key=check_key(key), timeout=limit)
        return AsyncTask(self._session, bought.task_id, bought)

    async def generate(
        self,
        image: Image,
        prompt: str,
        *,
        duration: Duration = 5,
        sound: bool = False,
        callback_url: str | None = None,
        key: str | None = None,
        timeout: float = WAIT,
        on_update: Callable[[TaskStatus], object] | None = None,
    ) -> AsyncVideo:
        """See ``Kling.generate``."""
        inputs = check_inputs(prompt, duration=duration, sound=sound, callback_url=callback_url)
        limit = check_seconds("timeout", timeout)
        status = await waiting.generate(
            self._session, image, inputs, key=check_key(key), timeout=limit, on_update=on_update
        )
        return AsyncVideo(self._session, status)

    def task(self, task_id: str) -> AsyncTask:
        """See ``Kling.task``; sends nothing, and is not awaited."""
        return AsyncTask(self._session, check_task_id(task_id))

    async def upload(self, image: Image) -> str:
        """See ``Kling.upload``."""
        return await submitting.place_image(self._session, image)

    async def credits(self) -> float:
        """See ``Kling.credits``."""
        return await asking.ask_credits(self._session)

    async def fresh_link(self, url: str) -> str:
        """See ``Kling.fresh_link``."""
        return await asking.ask_link(self._session, url)

    async def recover(self) -> list[Submission]:
        """See ``Kling.recover``."""
        return await submitting.recover(self._session)

    async def close(self) -> None:
        """See ``Kling.close``."""
        await self._io.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {self._session.settings.base_url}>"

"""The door for synchronous code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from kling_facade.clock import RealClock
from kling_facade.events import Events
from kling_facade.flows import asking, submitting, waiting
from kling_facade.flows.session import open_session
from kling_facade.inputs import check_inputs, check_key, check_task_id
from kling_facade.polling import PollPolicy
from kling_facade.ports import SyncIO, run
from kling_facade.settings import check_connecting, check_seconds, read_settings
from kling_facade.tasks import WAIT, Task
from kling_facade.videos import Video

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


class Kling:
    """A client of Kling-2.6 image-to-video, as served by Apikley. Threads may share one.

    Args:
        api_key: your key; else ``APIKLEY_API_KEY``.
        base_url: scheme and host; else ``APIKLEY_BASE_URL``, else Apikley's. The key goes nowhere else.
        upload_url: the same for uploads; else ``APIKLEY_UPLOAD_URL``, else ``<base_url>/file-upload``.
        timeout: seconds that one call of the API may take.
        limits: how much the service lets one account do; what is more waits its turn here.
        polling: when to look at a waiting task.
        journal: a file (made if missing) or Journal in which every submission is written down, durably,
            before and after the paid call; needed for ``key`` and ``recover``.
        inbox: where the service's callbacks arrive in this process. Its URL goes out with every submission
            that names no other; a wait then ends with the callback, and looks rarely once one was received.
        on_event: called with each Event, on the thread or loop that acts; what it raises is logged once.
        proxy: URL of an HTTP proxy; else the environment's.
        ssl_context: for a certificate authority of your own.
        clock: time as the client sees it; for tests.

    Raises:
        ConfigurationError: no key, or a URL that is none.
        InvalidInputError: another argument, which it names.
    """

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
        self._io = SyncIO(settings, clock=clock or RealClock(), connecting=connecting)
        self._session = open_session(
            self._io,
            settings,
            PollPolicy() if polling is None else polling,
            limits=limits,
            journal=journal,
            inbox=inbox,
            events=Events(on_event),
        )

    def submit(
        self,
        image: Image,
        prompt: str,
        *,
        duration: Duration = 5,
        sound: bool = False,
        callback_url: str | None = None,
        key: str | None = None,
        timeout: float = WAIT,
    ) -> Task:
        """Starts a video and returns at once; never buys it twice.

        Args:
            image: a URL; or a JPEG, PNG or WebP of at most 10 MB as path, bytes or binary file, which
                is uploaded first.
            prompt: what should happen; at most 1,000 characters.
            duration: seconds, 5 or 10.
            sound: whether the video gets a sound track; doubles the price.
            callback_url: where the service shall POST when the task has ended; else where the inbox is.
            key: your own name for this video, remembered in the journal: the same key and inputs give the
                same task, in any process, any day, and nothing is bought twice.
            timeout: seconds for what comes before the task is created: the upload, and waiting for a turn.

        Returns:
            The task; keep ``task.id``.

        Raises:
            InvalidInputError: names the argument; nothing was sent.
            SubmissionUncertainError: it may have been bought, and nobody can tell; it is never sent again.
            KlingError: everything else means that nothing was bought.
        """
        inputs = check_inputs(prompt, duration=duration, sound=sound, callback_url=callback_url)
        limit = check_seconds("timeout", timeout)
        bought = run(submitting.submit(self._session, image, inputs, key=check_key(key), timeout=limit))
        return Task(self._session, bought.task_id, bought)

    def generate(
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
    ) -> Video:
        """Makes a video: ``submit`` and ``Task.wait`` in one, with one deadline for both.

        Whatever interrupts it, the task's id is in the error or in a WARNING of the log.

        Args:
            image: see ``submit``.
            prompt: see ``submit``.
            duration: see ``submit``.
            sound: see ``submit``.
            callback_url: see ``submit``.
            key: see ``submit``.
            timeout: seconds for all of it.
            on_update: called with what each look at the task saw.

        Raises:
            KlingError: see ``submit`` and ``Task.wait``.
        """
        inputs = check_inputs(prompt, duration=duration, sound=sound, callback_url=callback_url)
        limit = check_seconds("timeout", timeout)
        flow = waiting.generate(
            self._session, image, inputs, key=check_key(key), timeout=limit, on_update=on_update
        )
        status = run(flow)
        return Video(self._session, status)

    def task(self, task_id: str) -> Task:
        """The handle of a task submitted anywhere, any day; sends nothing."""
        return Task(self._session, check_task_id(task_id))

    def upload(self, image: Image) -> str:
        """Uploads a picture, free of charge; returns its link, which the service keeps for a day or three."""
        return run(submitting.place_image(self._session, image))

    def credits(self) -> float:
        """The credits that the account has left."""
        return run(asking.ask_credits(self._session))

    def fresh_link(self, url: str) -> str:
        """A link, good for 20 minutes, to a file that the service made."""
        return run(asking.ask_link(self._session, url))

    def recover(self) -> list[Submission]:
        """What the journal knows to be submitted or uncertain, oldest first; sends nothing.

        For an uncertain one look at your account: ``journal.adopt(submission_id, task_id)`` if the task is
        there, ``journal.forget(submission_id)`` if it is not.

        Raises:
            ConfigurationError: this client has no journal.
        """
        return run(submitting.recover(self._session))

    def close(self) -> None:
        """Waits for creates on their way, at most ``timeout`` seconds, then closes all connections."""
        self._io.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {self._session.settings.base_url}>"

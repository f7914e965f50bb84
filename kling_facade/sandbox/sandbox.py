"""A local Apikley: real HTTP on loopback, real videos, no money."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
from collections import deque
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from attrs import frozen

from kling_facade.sandbox.app import Routes
from kling_facade.sandbox.callbacks import Courier, Delivery
from kling_facade.sandbox.clock import Clock
from kling_facade.sandbox.faults import Fault, Operation, find_fault
from kling_facade.sandbox.page_routes import PageRoutes
from kling_facade.sandbox.requests import RecordedRequest, Recorder
from kling_facade.sandbox.rules import Rules
from kling_facade.sandbox.server import Server
from kling_facade.sandbox.service import DAY, MB, Service, Settings
from kling_facade.sandbox.studio import Studio
from kling_facade.sandbox.views import Views

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from kling_facade.async_client import AsyncKling
    from kling_facade.client import Kling
    from kling_facade.sandbox.answers import Answer
    from kling_facade.sandbox.quirks import Forgery
    from kling_facade.sandbox.scenarios import Scenario
    from kling_facade.sandbox.tasks import SandboxTask


@frozen
class _Running:
    """What exists between start and stop."""

    url: str
    service: Service
    courier: Courier
    server: Server
    resources: ExitStack


class Sandbox:
    """A service for one account, as long as the ``with`` block lasts; nothing is left behind.

    An image that was uploaded to the sandbox is animated. Any other image URL is not fetched unless that is
    allowed: a test card, easily told from a picture, takes its place. Callbacks go to loopback, and elsewhere
    only where fetching is allowed.

    Args:
        scenario: what happens to tasks and calls: a name from ``SCENARIOS`` or one of your own.
        quirks: names from ``QUIRKS``, besides those of the scenario.
        webhook_key: signs callbacks; None leaves them unsigned.
        host: address to listen on.
        port: 0 for any free one.
        api_key: the only key it takes.
        credits: balance of the account at the start.
        seed: of everything that happens by chance.
        realtime: the clients it makes really wait; otherwise their sleeping turns the clock.
        speed: simulated seconds in one real second.
        allow_fetch: whether pictures are fetched from public hosts; names of hosts allow these whatever their
            address.
        creates_per_10s: calls of createTask in any 10 s; None for no limit.
        queries_per_second: calls of recordInfo in any second; None for no limit.
        upload_limit: bytes of one file; the API documents 10 MB for images and nothing for others.
        uploads_kept: simulated seconds for which an uploaded file is served.
        links_kept: simulated seconds for which the link in a record works.
        results_kept: simulated seconds for which a fresh link to a video can be had.
    """

    def __init__(
        self,
        *,
        scenario: Scenario | str = "ordinary",
        quirks: Iterable[str] = (),
        webhook_key: str | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        api_key: str = "sandbox-key",
        credits: float = 10_000.0,  # noqa: A002 - the service's word
        seed: int = 0,
        realtime: bool = False,
        speed: float = 1.0,
        allow_fetch: bool | Collection[str] = False,
        creates_per_10s: int | None = 20,
        queries_per_second: int | None = 10,
        upload_limit: int = 10 * MB,
        uploads_kept: float = 3 * DAY,
        links_kept: float = DAY,
        results_kept: float = 14 * DAY,
    ) -> None:
        self.clock = Clock(realtime=realtime, speed=speed)
        self.api_key = api_key
        self._settings = Settings(
            api_key=api_key,
            credits=credits,
            seed=seed,
            allow_fetch=allow_fetch,
            creates_per_10s=creates_per_10s,
            queries_per_second=queries_per_second,
            upload_limit=upload_limit,
            uploads_kept=uploads_kept,
            links_kept=links_kept,
            results_kept=results_kept,
        )
        self._address = (host, port)
        self._webhook_key = webhook_key
        self._rules = Rules(scenario, quirks, seed)
        self._recorder = Recorder()
        self._deliveries: deque[Delivery] = deque(maxlen=10_000)
        self._running: _Running | None = None

    def start(self) -> None:
        """Listens and answers; returns when it does.

        Raises:
            OSError: the port is taken.
            RuntimeError: it is running already.
        """
        if self._running is not None:
            raise RuntimeError("this sandbox is running already")
        with ExitStack() as resources:
            folder = Path(resources.enter_context(tempfile.TemporaryDirectory(prefix="kling-sandbox-")))
            listener = resources.enter_context(_listen(self._address))
            host, port = listener.getsockname()[:2]
            url = f"http://{host}:{port}"
            service = Service(self._settings, self.clock, self._rules, folder=folder, url=url)
            studio, courier = Studio(folder), Courier(service, self._webhook_key, self._deliveries)
            resources.callback(studio.close)
            routes = Routes(service, studio, courier, self._recorder)
            views = Views(service, self._recorder, self._deliveries)
            page = PageRoutes(views, service, studio, courier, host=self._address[0])
            server = Server(routes.app(page.routes()), listener)
            server.start()
            resources.callback(server.stop)
            self._running = _Running(url, service, courier, server, resources.pop_all())

    def stop(self) -> None:
        """Ends it; what it kept is gone, what it recorded can still be read. Stopping twice is no mistake."""
        running, self._running = self._running, None
        if running is not None:
            running.resources.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_problem: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The base URL; uploads go to ``url + "/file-upload"``."""
        return self._state.url

    @property
    def requests(self) -> list[RecordedRequest]:
        """What was asked, oldest first: the last 10,000 requests, or fewer with more than 64 MB of bodies."""
        return self._recorder.all()

    @property
    def tasks(self) -> Mapping[str, SandboxTask]:
        """The accepted tasks by id, oldest first."""
        return dict(self._state.service.tasks)

    @property
    def credits(self) -> float:
        """The balance at this moment of the clock."""
        return self._state.service.credits()

    def set_credits(self, balance: float) -> None:
        """Tops the account up, or empties it."""
        self._state.service.set_credits(balance)

    @property
    def deliveries(self) -> list[Delivery]:
        """The last 10,000 callbacks that were sent, oldest first, also those that nobody answered."""
        return list(self._deliveries)

    def use(self, scenario: Scenario | str | None = None, *, quirks: Iterable[str] | None = None) -> None:
        """Changes what happens from now on; tasks that were accepted keep their course.

        Args:
            scenario: takes the place of the one before; None leaves it.
            quirks: take the place of those before; None leaves them.

        Raises:
            ValueError: there is no such name; the message lists those that there are.
        """
        (self._rules if self._running is None else self._running.service).use(scenario, quirks)

    def inject(
        self,
        operation: Operation,
        answer: Answer | str,
        *,
        times: int | None = 1,
        accept: bool = False,
        after: int = 0,
        task_id: str | None = None,
    ) -> None:
        """Answers the next requests of one kind with something else.

        Args:
            operation: "create", "record", "credits", "link", "upload" or "result" (the bytes of a video).
            answer: what goes out, or a name from ``FAULTS``.
            times: how many requests meet it; None for all.
            accept: work on the request first, so that a create is accepted and charged although the answer
                does not say so.
            after: how many requests pass before.
            task_id: only requests about this task.

        Raises:
            ValueError: there is no such operation or fault.
        """
        self._rules.add(
            Fault(operation, find_fault(answer), accept=accept, times=times, after=after, task_id=task_id)
        )

    def send_callback(
        self, task_id: str, *, forged: Forgery | None = None, url: str | None = None
    ) -> Delivery:
        """Sends one more callback about a task and returns when it was answered.

        Not for the event loop that shall answer: there ``await asyncio.to_thread(sandbox.send_callback, …)``.

        Args:
            task_id: of an accepted task; the callback says what its record says now.
            forged: "unsigned", "wrong_key", "other_body" (under a valid signature), "other_task" (signed for
                another one) or "stale" (signed an hour ago).
            url: where to; else the task's own callback URL.

        Raises:
            KeyError: there is no such task.
        """
        state = self._state
        return state.server.run(state.courier.send(state.service.tasks[task_id], forged=forged, url=url))

    def client(self, **options: Any) -> Kling:
        """A client of this sandbox, on its clock; ``options`` as for ``Kling``."""
        from kling_facade.client import Kling  # the sandbox stands without the facade

        return Kling(**self._access(), **options)

    def async_client(self, *, kind: type[AsyncKling] | None = None, **options: Any) -> AsyncKling:
        """The same for ``AsyncKling``, or a ``kind`` of it."""
        from kling_facade.async_client import AsyncKling  # the sandbox stands without the facade

        return (kind or AsyncKling)(**self._access(), **options)

    def _access(self) -> dict[str, Any]:
        return {"api_key": self.api_key, "base_url": self.url, "clock": self.clock}

    @property
    def _state(self) -> _Running:
        if self._running is None:
            raise RuntimeError("this sandbox is not running")
        return self._running


def serve(sandbox: Sandbox) -> None:
    """Runs a sandbox, started or not, until Ctrl-C; prints nothing."""
    with suppress(RuntimeError):
        sandbox.start()
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        pass
    finally:
        sandbox.stop()


def _listen(address: tuple[str, int]) -> socket.socket:
    """A bound socket."""
    # asyncio turns Nagle's delay off only where the protocol is named; each answer would take 40 ms more.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it would let two programs share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener

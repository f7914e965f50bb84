"""An ASGI application on a socket, in a thread of its own, started and stopped in milliseconds."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

if TYPE_CHECKING:
    import socket
    from collections.abc import Coroutine

    from starlette.types import ASGIApp, Receive, Scope, Send

T = TypeVar("T")


_LAST_ANSWERS = 0.1  # seconds for answers under way when the server stops


class Server:
    """Serves until it is stopped.

    uvicorn speaks HTTP; its own ``Server`` looks ten times a second whether it shall stop, and handles the
    process's signals, which is not for a guest in somebody else's process.

    Args:
        app: what is served.
        listener: bound; closed with the server.
    """

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        self._app = app
        self._listener = listener
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="kling-sandbox", daemon=True)

    def start(self) -> None:
        """Returns when requests are answered."""
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """Closes every connection and returns when the thread has ended."""
        if self._loop is not None and self._stopping is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine among the answers; blocks until it is done."""
        if self._loop is None:
            raise RuntimeError("the server is not running")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        finally:
            self._ready.set()  # whoever waits for a server that could not start

    async def _serve(self) -> None:
        # answers without an end look at it in their request's state
        self._loop, self._stopping = asyncio.get_running_loop(), (stopping := asyncio.Event())
        config = Config(
            self._app,
            interface="asgi3",
            loop="asyncio",
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
        )
        config.load()
        state = ServerState()
        server = await self._loop.create_server(
            lambda: _Protocol(config, state, {"stopping": stopping}),
            sock=self._listener,
            backlog=config.backlog,
        )
        self._ready.set()
        await self._stopping.wait()
        self._loop.remove_reader(self._listener)  # asyncio loses a socket that it accepts while it closes
        await _take_turns()
        server.close()
        if state.tasks:  # an answer that has been read may not be over here
            await asyncio.wait(set(state.tasks), timeout=_LAST_ANSWERS)
        for connection in list(state.connections):
            connection.transport.abort()
        for task in list(state.tasks):
            task.cancel()
        await asyncio.gather(*state.tasks, return_exceptions=True)
        await _take_turns()


async def _take_turns() -> None:
    """The loop needs some to make a connection of what it has accepted, and to close one that was aborted."""
    for _ in range(5):
        await asyncio.sleep(0)


class _Protocol(H11Protocol):
    """Shows the application its transport, so that an answer can be a closed connection."""

    def __init__(self, config: Config, server_state: ServerState, app_state: dict[str, object]) -> None:
        super().__init__(config, server_state, app_state)
        app = self.app

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})["kling.transport"] = self.transport
            with contextlib.suppress(asyncio.CancelledError):  # the server stops; uvicorn would log it
                await app(scope, receive, send)

        self.app = with_transport

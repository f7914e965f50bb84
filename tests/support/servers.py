"""Real servers of other people, in a thread."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, demo_app, make_server
from wsgiref.types import WSGIApplication

import uvicorn

from support.rawserver import wait_for

Make = Callable[[str], Any]


@contextmanager
def wsgi_server(app: WSGIApplication | None = None, *, make: Make | None = None) -> Iterator[str]:
    """The URL of an application, or of one that is made once the URL is known."""

    class Quiet(WSGIRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Says nothing."""

    class Threads(ThreadingMixIn, WSGIServer):
        """A browser that keeps its connection does not hold up the others."""

    with make_server("127.0.0.1", 0, demo_app, server_class=Threads, handler_class=Quiet) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        server.set_app(make(url) if make else app)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield url
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def asgi_server(app: Any = None, *, make: Make | None = None) -> Iterator[str]:
    """The same for ASGI."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(make(url) if make else app, log_level="error", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            wait_for(lambda: server.started)
            yield url
        finally:
            server.should_exit = True
            thread.join()

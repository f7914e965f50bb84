"""A web worker for the tests: receives callbacks, in a process of its own, with a handler that often fails.

python web_worker.py <journal> <log>; prints its URL and serves until its standard input ends.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from kling_facade import Journal
from kling_facade.callbacks import Callback, CallbackInbox, wsgi_app


class Threads(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Says nothing."""


def main(journal: str, log: str) -> None:
    def note(word: str, task_id: str) -> None:
        line = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(line, f"{word} {task_id}\n".encode())
        os.close(line)

    def handle(callback: Callback) -> None:
        note("began", callback.task_id)
        text = Path(log).read_text()
        if text.count(f"began {callback.task_id}\n") < 2:  # the first run of each task fails
            raise RuntimeError("not yet")
        note("done", callback.task_id)

    app = wsgi_app(CallbackInbox(handler=handle, journal=Journal(journal)))
    with make_server("127.0.0.1", 0, app, server_class=Threads, handler_class=Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])

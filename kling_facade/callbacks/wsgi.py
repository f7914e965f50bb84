"""An inbox as a WSGI application; mounts in Flask, Django, or any server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kling_facade.callbacks.handling import Answer
from kling_facade.callbacks.verifier import MAX_BODY
from kling_facade.errors import CallbackRejectedError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication

    from kling_facade.callbacks.inbox import CallbackInbox

_LONGEST_LENGTH = 12  # digits


def wsgi_app(inbox: CallbackInbox) -> WSGIApplication:
    """An application that takes callbacks in at whatever path it is mounted.

    Args:
        inbox: what receives them; its handler is an ordinary function.
    """

    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        from http import HTTPStatus

        answer, headers = _answer(inbox, environ), [("Content-Type", "text/plain; charset=utf-8")]
        headers.append(("Content-Length", str(len(answer.body))))
        if answer.status == 405:
            headers.append(("Allow", "POST"))
        start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", headers)
        return [answer.body] if environ["REQUEST_METHOD"] != "HEAD" else []

    return app


def _answer(inbox: CallbackInbox, environ: dict[str, Any]) -> Answer:
    if environ["REQUEST_METHOD"] != "POST":
        return Answer(405, b"POST only")
    try:
        body = _read(environ)
    except CallbackRejectedError as error:
        return Answer(error.http_status, str(error).encode())
    headers = (
        (name[5:].replace("_", "-"), value) for name, value in environ.items() if name.startswith("HTTP_")
    )
    return inbox.receive(headers, body, environ.get("QUERY_STRING", ""))


def _read(environ: dict[str, Any]) -> bytes:
    """The body; or as much of it as shows that it is too long."""
    announced: str = environ.get("CONTENT_LENGTH") or ""
    if announced:
        if not (announced.isascii() and announced.isdigit() and len(announced) <= _LONGEST_LENGTH):
            raise CallbackRejectedError("its Content-Length is no number", http_status=400)
        length = min(int(announced), MAX_BODY + 1)
    elif environ.get("wsgi.input_terminated"):
        length = MAX_BODY + 1
    else:  # reading further than the request goes would wait for ever
        raise CallbackRejectedError("it has no Content-Length", http_status=411)
    try:
        body: bytes = environ["wsgi.input"].read(length)
    except OSError:
        raise CallbackRejectedError("the body broke off", http_status=400) from None
    return body

"""An inbox as an ASGI application; mounts in Starlette, FastAPI, Litestar, Django, or stands alone."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from kling_facade.callbacks.handling import Answer
from kling_facade.callbacks.verifier import MAX_BODY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, MutableMapping

    from kling_facade.callbacks.inbox import CallbackInbox

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    App = Callable[[MutableMapping[str, Any], Receive, Send], Coroutine[Any, Any, None]]


def asgi_app(inbox: CallbackInbox) -> App:
    """An application that takes callbacks in at whatever path it is mounted; the handler may be asynchronous.

    Args:
        inbox: what receives them. Where Starlette or FastAPI mount this at "/kling", its URL ends in
            "/kling/": the other spelling is answered with a redirect, which a sender need not follow.
    """

    async def app(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close"})
        elif scope["method"] != "POST":
            await _reply(send, Answer(405, b"POST only"), (b"allow", b"POST"))
        elif (body := await _read(receive)) is None:
            with suppress(OSError):  # nobody will read it, but middleware wants an answer
                await _reply(send, Answer(400, b"the body broke off"))
        else:
            await _reply(send, await inbox.receive_async(scope["headers"], body, scope["query_string"]))

    return app


async def _read(receive: Receive) -> bytes | None:
    """The body; or as much of it as shows that it is too long; None if the sender has gone."""
    body, more = bytearray(), True
    while more and len(body) <= MAX_BODY:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)


async def _reply(send: Send, answer: Answer, *headers: tuple[bytes, bytes]) -> None:
    about = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(answer.body)),
        *headers,
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": about})
    await send({"type": "http.response.body", "body": answer.body})


async def _live(receive: Receive, send: Send) -> None:
    """Nothing has to be started or stopped."""
    kind = ""
    while kind != "lifespan.shutdown":
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})

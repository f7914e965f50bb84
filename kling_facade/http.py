"""One HTTP attempt at a time; the only module that knows httpx."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

import httpx

from kling_facade._version import __version__
from kling_facade.errors import ConfigurationError
from kling_facade.pouring import BrokenError, async_pour, pour
from kling_facade.wire import Answer, AnswerLost, NotSent, Reply, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kling_facade.settings import Connecting, Settings
    from kling_facade.ticket import Ticket
    from kling_facade.wire import Sink

C = TypeVar("C", httpx.Client, httpx.AsyncClient)

CONNECTIONS = 8  # httpx's pool costs requests x connections: a thousand polls at once want a small one
_KEEPALIVE = 90.0  # seconds; longer than any gap between two looks
_MAX_ANSWER = 4 * 1024**2  # bytes; an answer of this API has a few thousand
_USER_AGENT = f"kling-facade/{__version__}"
_DIED = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)
_HIDDEN = "[key]"
_LOOPBACK = ("all://127.0.0.1", "all://localhost", "all://[::1]")


@functools.cache
def _default_ssl_context() -> ssl.SSLContext:
    """One for the process: each costs 18 ms and 600 KB."""
    return httpx.create_ssl_context()


def _make(kind: type[C], connecting: Connecting, *, kept: bool) -> C:
    """An httpx client that keeps its connections, or one that makes a new one for each request."""
    proxy = connecting.proxy
    try:
        return kind(
            verify=connecting.ssl_context or _default_ssl_context(),
            proxy=proxy,
            mounts=None if proxy else dict.fromkeys(_LOOPBACK),  # no proxy leads to this machine
            limits=httpx.Limits(
                max_connections=None,  # the ports see to that; here it would only bind what was given up on
                max_keepalive_connections=CONNECTIONS if kept else 0,
                keepalive_expiry=_KEEPALIVE,
            ),
            headers={"User-Agent": _USER_AGENT, "Accept-Encoding": "identity"},
        )
    except (
        Exception
    ) as error:  # a proxy in the environment that httpx cannot use, an unreadable SSL_CERT_FILE
        raise ConfigurationError(f"no connection can be made: {error}") from error


def _build(
    client: httpx.Client | httpx.AsyncClient,
    request: Request,
    settings: Settings,
    built: WeakKeyDictionary[Request, httpx.Request],
) -> httpx.Request:
    """A task's query is built once: building costs httpx more than half of what sending costs."""
    message = built.get(request)
    if message is None:
        message = client.build_request(**_request_options(request, settings))
        if request.method == "GET":
            built[request] = message
    return message


def _request_options(request: Request, settings: Settings) -> dict[str, Any]:
    """The arguments of ``build_request``; the same for both kinds of client."""
    headers = {"Authorization": f"Bearer {settings.api_key}"}
    options: dict[str, Any] = {"method": request.method, "url": request.url}
    if request.params:
        options["params"] = dict(request.params)
    if request.body is not None:
        headers["Content-Type"] = "application/json"
        options["content"] = request.body
    if (form := request.form) is not None:
        headers["Content-Type"] = f"multipart/form-data; boundary={form.boundary}"
        options["data"] = dict(form.fields)
        options["files"] = {"file": (form.file_name, form.content, form.content_type)}
    return {**options, "headers": headers}


def _extensions(timeout: float, trace: Callable[..., object] | None) -> dict[str, Any]:
    extensions: dict[str, Any] = {"timeout": httpx.Timeout(timeout).as_dict()}
    return {**extensions, "trace": trace} if trace else extensions


def _failure(error: BaseException, settings: Settings, *, sent: bool) -> NotSent | AnswerLost:
    reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    reason = reason.replace(settings.api_key, _HIDDEN)  # h11 quotes what it could not parse
    causes = _causes(error)
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return NotSent(f"the certificate is not trusted: {reason}", hopeless=True)
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return NotSent(reason, hopeless=True)
    return AnswerLost(reason) if sent else NotSent(reason)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _was_sent(error: Exception) -> bool:
    """For calls without a ticket: whether a byte may have left."""
    return not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)


def _reply(response: httpx.Response, settings: Settings, body: bytes = b"") -> Reply:
    """Without the key, should a server echo it."""
    key = settings.api_key
    return Reply(
        response.status_code,
        {name.lower(): value.replace(key, _HIDDEN) for name, value in response.headers.items()},
        body.replace(key.encode(), _HIDDEN.encode()),
    )


class SyncHTTP:
    """Blocks until the attempt is over; safe to use from several threads."""

    def __init__(self, settings: Settings, connecting: Connecting) -> None:
        self._settings = settings
        self._built = WeakKeyDictionary[Request, httpx.Request]()
        self._connecting = connecting
        self._lock = threading.Lock()
        self._clients: dict[bool, httpx.Client] = {}

    def exchange(self, request: Request, timeout: float, ticket: Ticket | None) -> Answer:
        """Sends once, with the key; what happened, as a value."""
        client, until = self._client(kept=not request.fresh), time.monotonic() + timeout
        try:
            message = _build(client, request, self._settings, self._built)
            message.extensions = _extensions(timeout, ticket.trace if ticket else None)
            if ticket is not None:
                return self._receive(client, message, until)
            try:
                return self._receive(client, message, until)
            except _DIED:  # most likely a kept connection that was dead already; this costs nothing
                return self._receive(client, message, until)
        except Exception as error:
            return _failure(error, self._settings, sent=ticket.sent if ticket else _was_sent(error))

    def _receive(self, client: httpx.Client, message: httpx.Request, until: float) -> Reply:
        with contextlib.closing(client.send(message, stream=True)) as response:
            body = bytearray()
            for chunk in response.iter_bytes():
                _add(body, chunk, until)
        return _reply(response, self._settings, bytes(body))

    def fetch(self, url: str, sink: Sink, *, timeout: float) -> Answer:
        """Downloads once, without the key."""
        client = self._client(kept=False)
        try:
            message = client.build_request("GET", url, headers=dict(sink.headers), timeout=timeout)
            response = client.send(message, stream=True, follow_redirects=True)
        except Exception as error:
            return _failure(error, self._settings, sent=_was_sent(error))
        with contextlib.closing(response):
            reply = _reply(response, self._settings)
            try:
                if sink.begin(reply):
                    pour(response.iter_raw(), sink)
            except BrokenError as broken:
                return AnswerLost(str(broken))
        return reply

    def close(self) -> None:
        """Lets go of all connections."""
        for client in self._clients.values():
            client.close()

    def _client(self, *, kept: bool) -> httpx.Client:
        with self._lock:
            if kept not in self._clients:
                self._clients[kept] = _make(httpx.Client, self._connecting, kept=kept)
            return self._clients[kept]


class AsyncHTTP:
    """The same for one event loop. A cancelled call loses httpx a connection for good: shield it."""

    def __init__(self, settings: Settings, connecting: Connecting) -> None:
        self._settings = settings
        self._built = WeakKeyDictionary[Request, httpx.Request]()
        self._connecting = connecting
        self._clients: dict[bool, httpx.AsyncClient] = {}
        self._left: set[asyncio.Future[None]] = set()

    async def exchange(self, request: Request, timeout: float, ticket: Ticket | None) -> Answer:
        """Sends once, with the key; what happened, as a value."""
        client, until = self._client(kept=not request.fresh), time.monotonic() + timeout
        try:
            async with asyncio.timeout(2 * timeout):  # ends what drips
                message = _build(client, request, self._settings, self._built)
                message.extensions = _extensions(timeout, ticket.async_trace if ticket else None)
                if ticket is not None:
                    return await self._receive(client, message, until)
                try:
                    return await self._receive(client, message, until)
                except _DIED:
                    return await self._receive(client, message, until)
        except Exception as error:
            return _failure(error, self._settings, sent=ticket.sent if ticket else _was_sent(error))

    async def _receive(self, client: httpx.AsyncClient, message: httpx.Request, until: float) -> Reply:
        async with contextlib.aclosing(await client.send(message, stream=True)) as response:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                _add(body, chunk, until)
        return _reply(response, self._settings, bytes(body))

    async def fetch(self, url: str, sink: Sink, *, timeout: float) -> Answer:
        """Downloads once, without the key; the file is written on a thread."""
        client = _make(httpx.AsyncClient, self._connecting, kept=False)  # closing it closes all it has lost
        opening = asyncio.ensure_future(_open(client, self._settings, url, sink, timeout))
        try:
            response = await asyncio.shield(opening)
        except asyncio.CancelledError:
            self._leave(opening, client)
            raise
        async with contextlib.aclosing(client):
            if not isinstance(response, httpx.Response):
                return response
            async with contextlib.aclosing(response):
                reply = _reply(response, self._settings)
                try:
                    if sink.begin(reply):
                        await async_pour(response.aiter_raw(), sink)
                except BrokenError as broken:
                    return AnswerLost(str(broken))
        return reply

    def _leave(self, opening: asyncio.Future[Any], client: httpx.AsyncClient) -> None:
        """A download given up before its answer began: a handshake that is cancelled loses its socket."""
        task = asyncio.ensure_future(_close_after(opening, client))
        self._left.add(task)
        task.add_done_callback(self._left.discard)

    async def close(self) -> None:
        """Lets go of all connections."""
        for task in list(self._left):
            task.cancel()
        await asyncio.gather(*self._left, return_exceptions=True)
        for client in self._clients.values():
            await client.aclose()

    def _client(self, *, kept: bool) -> httpx.AsyncClient:
        if kept not in self._clients:
            self._clients[kept] = _make(httpx.AsyncClient, self._connecting, kept=kept)
        return self._clients[kept]


async def _open(
    client: httpx.AsyncClient, settings: Settings, url: str, sink: Sink, timeout: float
) -> httpx.Response | NotSent | AnswerLost:
    try:
        message = client.build_request("GET", url, headers=dict(sink.headers), timeout=timeout)
        return await client.send(message, stream=True, follow_redirects=True)
    except Exception as error:
        return _failure(error, settings, sent=_was_sent(error))


async def _close_after(opening: asyncio.Future[Any], client: httpx.AsyncClient) -> None:
    try:
        await asyncio.wait({opening})
    finally:
        await client.aclose()


def _add(body: bytearray, chunk: bytes, until: float) -> None:
    body += chunk
    if len(body) > _MAX_ANSWER:
        raise ValueError(f"an answer of more than {_MAX_ANSWER:,} bytes")
    if time.monotonic() > until:
        raise TimeoutError("the answer dripped")

"""The page for people who would rather look: its files, its live view, and what its buttons do."""

from __future__ import annotations

import asyncio
import ipaddress
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from kling_facade.sandbox.document import is_object
from kling_facade.sandbox.faults import Fault, find_fault
from kling_facade.sandbox.pictures import sniff
from kling_facade.sandbox.views import Glance

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from kling_facade.sandbox.callbacks import Courier
    from kling_facade.sandbox.service import Service
    from kling_facade.sandbox.studio import Studio
    from kling_facade.sandbox.views import Views

FILES = Path(__file__).parent / "page"
# named here, since what a machine believes of .js may keep browsers from running it
MEDIA_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
TICK = 0.25  # real seconds between two looks at what has changed
MOST_BYTES = 64 * 1024  # of what a button sends
LONGEST_JUMP = 30 * 24 * 60 * 60.0  # simulated seconds

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
    " media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types 'none'",
    "cross-origin-resource-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}

Handler = Callable[[Request], Awaitable[Response]]
Act = Callable[[dict[str, Any]], Awaitable[object]]


class PageRoutes:
    """All that a browser can ask. None of it is recorded, limited, or keeps the clock from turning.

    Args:
        views: what is shown.
        service: what the switches change.
        studio: makes the videos.
        courier: delivers again.
        host: the name that the sandbox listens under.
    """

    def __init__(
        self, views: Views, service: Service, studio: Studio, courier: Courier, *, host: str
    ) -> None:
        self._views = views
        self._service = service
        self._studio = studio
        self._courier = courier
        self._host = host
        self._acts: dict[str, Act] = {
            "advance": self._advance,
            "credits": self._set_credits,
            "scenario": self._use_scenario,
            "quirks": self._use_quirks,
            "fault": self._add_fault,
            "clear-faults": self._clear_faults,
            "deliver": self._deliver,
        }

    def routes(self) -> list[Route]:
        """As Starlette wants them."""
        gets: dict[str, Handler] = {
            "/": self._file,
            "/page/files/{name}": self._file,
            "/page/events": self._events,
            "/page/options": self._options,
            "/page/requests/{number:int}": self._exchange,
            "/page/callbacks/{id}": self._delivery,
            "/page/pictures/{name}": self._picture,
            "/page/videos/{task_id}.mp4": self._video,
        }
        routes = [self._route("GET", path, handler) for path, handler in gets.items()]
        return [*routes, self._route("POST", "/page/acts/{name}", self._act)]

    def _route(self, method: str, path: str, handler: Handler) -> Route:
        async def endpoint(request: Request) -> Response:
            reason = _stranger(request, self._host)
            response = _problem(reason, 403) if reason else await handler(request)
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
            return response

        return Route(path, endpoint, methods=[method])

    # Looking

    async def _file(self, request: Request) -> Response:
        # looked up and not joined: a name from outside never becomes a path
        path = {path.name: path for path in FILES.iterdir()}.get(
            request.path_params.get("name", "index.html")
        )
        if path is None:
            return _problem("there is no such file", 404)
        return Response(path.read_bytes(), media_type=MEDIA_TYPES[path.suffix])

    async def _events(self, request: Request) -> Response:
        """The view now and whenever it has changed, the time with every tick."""
        asked = request.query_params
        page = asked.get("page", "")[:6]
        number = max(1, int(page)) if page.isdecimal() else 1
        glance = Glance(asked.get("tab", "tasks"), number, asked.get("chosen", ""))
        return StreamingResponse(
            self._changes(glance, request.state.stopping), media_type="text/event-stream"
        )

    async def _changes(self, glance: Glance, stopping: asyncio.Event) -> AsyncGenerator[str]:
        last = ""
        while not stopping.is_set():
            view = json.dumps(self._views.view(glance))
            clock = json.dumps(self._views.clock())
            yield f'data: {{"clock": {clock}, "view": {"null" if view == last else view}}}\n\n'
            last = view
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), TICK)

    async def _options(self, _request: Request) -> Response:
        return JSONResponse(self._views.options())

    async def _exchange(self, request: Request) -> Response:
        return _found(self._views.exchange(request.path_params["number"]))

    async def _delivery(self, request: Request) -> Response:
        return _found(self._views.delivery(request.path_params["id"]))

    async def _picture(self, request: Request) -> Response:
        path = self._views.picture(request.path_params["name"])
        if path is None:
            return _problem("no task has this picture", 404)
        with path.open("rb") as file:
            media_type = sniff(file.read(16)) or "application/octet-stream"
        # its name is the digest of its bytes, and many tasks may have it
        return FileResponse(path, media_type=media_type, headers={"cache-control": "private, max-age=86400"})

    async def _video(self, request: Request) -> Response:
        task = self._service.tasks.get(request.path_params["task_id"])
        now = self._service.clock.now()
        if task is None or task.picture.path is None or task.state(now) != "success":
            return _problem("there is no video", 404)
        path = await self._studio.video(task.picture.path, seconds=task.seconds, sound=task.sound)
        return FileResponse(path, media_type="video/mp4")

    # Acting

    async def _act(self, request: Request) -> Response:
        act = self._acts.get(request.path_params["name"])
        if act is None:
            return _problem("there is no such button", 404)
        try:
            await act(await _read_object(request))
        except KeyError as problem:
            return _problem(f"{problem.args[0]} is missing, or there is none any more", 400)
        except (TypeError, ValueError, RecursionError) as problem:
            return _problem(str(problem), 400)
        return JSONResponse({})

    async def _advance(self, given: dict[str, Any]) -> None:
        self._service.clock.advance(_number(given["seconds"], LONGEST_JUMP))

    async def _set_credits(self, given: dict[str, Any]) -> None:
        self._service.set_credits(_number(given["credits"], 1e9))

    async def _use_scenario(self, given: dict[str, Any]) -> None:
        self._service.use(str(given["name"]), None)

    async def _use_quirks(self, given: dict[str, Any]) -> None:
        self._service.use(None, [str(name) for name in given["names"]])

    async def _add_fault(self, given: dict[str, Any]) -> None:
        times = given["times"]
        if times is not None and not (isinstance(times, int) and times > 0):
            raise ValueError("times is a whole number above 0, or null for always")
        answer, accept = find_fault(str(given["fault"])), given["accept"] is True
        self._service.rules.add(Fault(given["operation"], answer, times=times, accept=accept))

    async def _clear_faults(self, _given: dict[str, Any]) -> None:
        self._service.rules.clear()

    async def _deliver(self, given: dict[str, Any]) -> None:
        """The same callback once more, or the first one about a task."""
        before = self._views.find_delivery(given["delivery"]) if "delivery" in given else None
        if before is not None:
            task = self._service.tasks[before.task_id]
            await self._courier.send(task, forged=before.forged, url=before.url)
            return
        task = self._service.tasks[given["task"]]
        if not task.request.get("callBackUrl"):
            raise ValueError("this task was created without a callBackUrl")
        await self._courier.send(task)


def _stranger(request: Request, host: str) -> str | None:
    """Why this request does not come from the sandbox's own page.

    A foreign page can send requests here, and can give this machine a name of its own to read the answers.
    """
    given = request.headers.get("host", "")
    name = urlsplit(f"//{given}").hostname or ""
    local, _port = request.scope["server"]
    if not (_is_loopback(name) or name in (host, local)):
        return f"This page is not served under the name {name!r}: open http://{local}:{_port}/"
    if request.method == "GET":
        return None
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "same-origin")
    if site != "same-origin" or origin not in (None, f"http://{given}"):
        return f"Only the sandbox's own page may change it, not {origin or 'another site'}"
    return None


def _is_loopback(name: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(name).is_loopback
    return name == "localhost"


async def _read_object(request: Request) -> dict[str, Any]:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise ValueError("that is too long")
    given: object = json.loads(body)
    if not is_object(given):
        raise TypeError("a JSON object is wanted")
    return given


def _number(value: object, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise ValueError(f"a number from 0 to {most:g} is wanted")
    return float(value)


def _found(document: dict[str, Any] | None) -> Response:
    return _problem("it has been forgotten", 404) if document is None else JSONResponse(document)


def _problem(text: str, status: int) -> Response:
    return JSONResponse({"error": text}, status)

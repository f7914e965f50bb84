"""The routes: HTTP in, the service's envelope out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from email.utils import formatdate
from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import evolve
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from kling_facade.sandbox.answers import Answer, RefusedError, success
from kling_facade.sandbox.document import check_create, is_object
from kling_facade.sandbox.drafts import Draft
from kling_facade.sandbox.requests import RecordedRequest, Recorder, Watched
from kling_facade.sandbox.service import MB, Service

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from kling_facade.sandbox.callbacks import Courier
    from kling_facade.sandbox.clock import Clock
    from kling_facade.sandbox.faults import Operation
    from kling_facade.sandbox.storage import Upload
    from kling_facade.sandbox.studio import Studio
    from kling_facade.sandbox.tasks import SandboxTask

Handler = Callable[[Request, bytes], Awaitable[Answer | Response]]


class Routes:
    """All that a client can ask the sandbox.

    Args:
        service: answers.
        studio: makes the videos.
        courier: brings the callbacks.
        recorder: keeps the requests.
    """

    def __init__(self, service: Service, studio: Studio, courier: Courier, recorder: Recorder) -> None:
        self._service = service
        self._studio = studio
        self._courier = courier
        self._recorder = recorder
        # base64 is a third longer than the file; the rest is for the other fields
        self._most_bytes = service.settings.upload_limit * 4 // 3 + MB

    def app(self, others: Sequence[Route] = ()) -> ASGIApp:
        """The whole as an ASGI application, with ``others`` that nobody records."""
        uploads = "/file-upload/api"
        routes = [
            self._route("POST", "/api/v1/jobs/createTask", "create", self._create),
            self._route("GET", "/api/v1/jobs/recordInfo", "record", self._record),
            self._route("GET", "/api/v1/chat/credit", "credits", self._credits),
            self._route("POST", "/api/v1/common/download-url", "link", self._fresh_link),
            self._route("POST", f"{uploads}/file-stream-upload", "upload", self._upload_stream),
            self._route("POST", f"{uploads}/file-base64-upload", "upload", self._upload_base64),
            self._route("POST", f"{uploads}/file-url-upload", "upload", self._upload_url),
            self._route("GET", "/files/{user_id}/{location:path}", None, self._uploaded),
            self._route("GET", "/results/{user_id}/{task_id}.mp4", "result", self._result),
            self._route("GET", "/fresh/{token}/{task_id}.mp4", "result", self._fresh_result),
            *others,
        ]
        app = Starlette(routes=routes, exception_handlers={HTTPException: _no_such_route})
        return partial(_dated, app, self._service.clock)

    def _route(self, method: str, path: str, operation: Operation | None, handler: Handler) -> Route:
        """A route that records its requests and meets its faults."""

        async def endpoint(request: Request) -> Response:
            body = await _body(request, self._most_bytes)
            exchange = self._recorder.add(_recorded(request, body or b"", self._service.clock.now()))
            asked = request.path_params.get("task_id") or request.query_params.get("taskId", "")
            exchange.task_id = request.state.task_id = asked
            fault = self._service.rules.take(operation, asked) if operation else None
            exchange.faulty = fault is not None
            works = fault is None or fault.accept
            own = await self._work(operation, handler, request, body) if works else Response()
            exchange.task_id = request.state.task_id  # a create knows it only now
            if fault:
                await asyncio.sleep(fault.answer.delay)
            return Watched(_response(fault.answer if fault else own), exchange, self._recorder)

        return Route(path, endpoint, methods=[method])

    async def _work(
        self, operation: Operation | None, handler: Handler, request: Request, body: bytes | None
    ) -> Answer | Response:
        """The answer that the service gives, quirks and all."""
        if operation in (None, "result"):  # files take real time, for which nobody's clock shall stand still
            return await _answered(handler, request, body)
        with self._service.clock.acting():
            answer = await _answered(handler, request, body)
            return self._quirky(operation, answer) if isinstance(answer, Answer) else answer

    def _quirky(self, operation: Operation, answer: Answer) -> Answer:
        document = json.loads(answer.body)
        draft = Draft(document, answer.status, dict(answer.headers))
        data = document["data"]
        task = self._service.tasks.get(data.get("taskId", "")) if is_object(data) else None
        if task is not None:
            draft.age = self._service.clock.now() - task.at
            draft.link = self._service.result_url(task.id)
            draft.full = dict(data)
        self._service.rules.edit(operation, draft)
        return Answer(draft.status, draft.headers, json.dumps(draft.document).encode())

    # The API

    async def _create(self, request: Request, body: bytes) -> Answer:
        self._authenticate(request)
        self._service.creates.enter()
        checked = check_create(_json(body))
        picture = await asyncio.to_thread(self._service.picture, checked["input"]["image_urls"][0])
        task = self._service.accept(checked, picture)
        self._courier.follow(task)
        request.state.task_id = task.id
        return success({"taskId": task.id, "recordId": task.id})

    async def _record(self, request: Request, _body: bytes) -> Answer:
        self._authenticate(request)
        self._service.queries.enter()
        return success(self._service.record(request.query_params.get("taskId", "")))

    async def _credits(self, request: Request, _body: bytes) -> Answer:
        self._authenticate(request)
        return success(self._service.credits())

    async def _fresh_link(self, request: Request, body: bytes) -> Answer:
        self._authenticate(request)
        return success(self._service.fresh_link(_json_object(body).get("url")))

    async def _upload_stream(self, request: Request, body: bytes) -> Answer:
        self._authenticate(request)
        try:
            async with Request(request.scope, _replay(body)).form() as form:
                file = form.get("file")
                if not isinstance(file, UploadFile):
                    raise RefusedError(400, "file is required")
                name = form.get("fileName") or file.filename
                upload = self._service.upload(await file.read(), form.get("uploadPath"), name)
        except HTTPException as problem:  # how Starlette reports a form it cannot read
            raise RefusedError(400, str(problem.detail)) from problem
        return self._uploaded_answer(upload)

    async def _upload_base64(self, request: Request, body: bytes) -> Answer:
        self._authenticate(request)
        given = _json_object(body)
        upload = self._service.upload_base64(
            given.get("base64Data"), given.get("uploadPath"), given.get("fileName")
        )
        return self._uploaded_answer(upload)

    async def _upload_url(self, request: Request, body: bytes) -> Answer:
        self._authenticate(request)
        given = _json_object(body)
        upload = await asyncio.to_thread(
            self._service.upload_url, given.get("fileUrl"), given.get("uploadPath"), given.get("fileName")
        )
        return self._uploaded_answer(upload)

    def _authenticate(self, request: Request) -> None:
        if request.headers.get("authorization") != f"Bearer {self._service.settings.api_key}":
            raise RefusedError(401, "You do not have access permissions")

    def _uploaded_answer(self, upload: Upload) -> Answer:
        moment = self._service.clock.wall_time(upload.at)
        data = {
            "fileName": upload.name,
            "filePath": upload.location,
            "downloadUrl": self._service.public_url(upload),
            "fileSize": upload.size,
            "mimeType": upload.media_type,
            "uploadedAt": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        return Answer.json({"success": True, "code": 200, "msg": "File uploaded successfully", "data": data})

    # Files

    async def _uploaded(self, request: Request, _body: bytes) -> Response:
        upload = self._service.uploaded(request.path_params["user_id"], request.path_params["location"])
        if upload is None:
            return Response("Not Found", 404)
        return FileResponse(upload.path, media_type=upload.media_type)

    async def _result(self, request: Request, _body: bytes) -> Response:
        return await self._video(request, self._service.linked_task(**request.path_params))

    async def _fresh_result(self, request: Request, _body: bytes) -> Response:
        return await self._video(request, self._service.freshly_linked_task(**request.path_params))

    async def _video(self, request: Request, task: SandboxTask | None) -> Response:
        if request.headers.get("user-agent", "").startswith("Python-urllib"):
            return Response("Forbidden", 403)  # the real host answers urllib's own name so
        if task is None or task.picture.path is None:
            return Response("Not Found", 404)
        path = await self._studio.video(task.picture.path, seconds=task.seconds, sound=task.sound)
        return FileResponse(path, media_type="video/mp4")


class Dropped(Response):
    """No answer: the connection is closed."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Closes, then waits until the server has noticed, or it would send an error of its own."""
        del send
        scope["extensions"]["kling.transport"].abort()
        while (await receive())["type"] != "http.disconnect":
            pass


async def _answered(handler: Handler, request: Request, body: bytes | None) -> Answer | Response:
    if body is None:
        answer = Answer.envelope(413, "The request is too large", status=413)
        # closed, or the rest would be read to its end
        return evolve(answer, headers={**answer.headers, "connection": "close"})
    try:
        return await handler(request, body)
    except RefusedError as refusal:
        return refusal.answer()


def _response(answer: Answer | Response) -> Response:
    if isinstance(answer, Response):
        return answer
    return Dropped() if answer.drop else Response(answer.body, answer.status, answer.headers)


async def _no_such_route(_request: Request, problem: Exception) -> Response:
    status = problem.status_code if isinstance(problem, HTTPException) else 500
    return _response(Answer.envelope(status, str(getattr(problem, "detail", "")), status=status))


async def _dated(app: ASGIApp, clock: Clock, scope: Scope, receive: Receive, send: Send) -> None:
    """Stamps each answer with the simulated time."""

    async def send_dated(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).setdefault("date", formatdate(clock.wall(), usegmt=True))
        await send(message)

    await app(scope, receive, send_dated)


async def _body(request: Request, most: int) -> bytes | None:
    """The whole body; None when it is, or says it is, longer than ``most``."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > most:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            return None
    return bytes(body)


def _replay(body: bytes) -> Receive:
    """Gives a body that was read once more to whoever parses it."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _recorded(request: Request, body: bytes, at: float) -> RecordedRequest:
    query, headers = dict(request.query_params), dict(request.headers)
    return RecordedRequest(request.method, request.url.path, query, headers, body, at)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise RefusedError(400, "The request body is not valid JSON") from None


def _json_object(body: bytes) -> dict[str, Any]:
    given = _json(body)
    if not is_object(given):
        raise RefusedError(400, "The request body is not a JSON object")
    return given

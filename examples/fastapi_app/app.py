"""A page that starts a video, and shows it when the callback has arrived.

From the root of the clone, without an account and without the internet:

    pip install '.[cli,sandbox]' -r examples/fastapi_app/requirements.txt
    kling sandbox --speed 40 --webhook-key test-key     # in its own terminal; copy its lines into this one
    export PUBLIC_URL=http://127.0.0.1:8000
    uvicorn --app-dir examples/fastapi_app --factory app:create_app

For the real service the four variables have your own key, webhook key and address, and no APIKLEY_BASE_URL.
"""

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import escape
from typing import Annotated, Any

from fastapi import FastAPI, File, Form, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse

from kling_facade import AsyncKling, InvalidInputError, KlingError, TaskNotFoundError, TaskStatus
from kling_facade.callbacks import Callback, CallbackInbox, asgi_app

PATIENCE = 30.0  # seconds without a callback until the service is asked: callbacks can be lost

FORM = """
<!doctype html><title>A video</title>
<form method="post" enctype="multipart/form-data">
  <input type="file" name="image" required>
  <input name="prompt" placeholder="What should happen?" maxlength="1000" required>
  <button>Make it</button>
</form>
"""
WAITING = '<!doctype html><meta http-equiv="refresh" content="3"><p>It is being made …</p>'
VIDEO = '<!doctype html><video src="{}" autoplay loop controls></video>'
FAILED = "<!doctype html><p>It could not be made: {}</p>"


def create_app(**options: Any) -> FastAPI:
    """The application; ``options`` as for ``AsyncKling``."""
    ended: dict[str, TaskStatus] = {}  # a real application keeps these two in its database
    asked: dict[str, float] = {}

    async def ask(task_id: str) -> None:
        asked[task_id] = time.monotonic()
        status = await kling.task(task_id).status()
        if status.done:
            ended[task_id] = status

    async def take_note(callback: Callback) -> None:
        # the callback only says that the task has ended: its body could be anybody's
        await ask(callback.task_id)
        if callback.task_id not in ended:
            raise RuntimeError("not yet")  # the sender will try again

    # with the slash at the end: "/kling" would be answered with a redirect
    inbox = CallbackInbox(url=f"{os.environ['PUBLIC_URL']}/kling/", handler=take_note)
    kling = AsyncKling(inbox=inbox, **options)

    @asynccontextmanager
    async def running(_app: FastAPI) -> AsyncIterator[None]:
        async with kling:
            yield

    app = FastAPI(lifespan=running)
    app.mount("/kling", asgi_app(inbox))

    @app.get("/", response_class=HTMLResponse)
    def form() -> str:
        return FORM

    @app.post("/")
    async def start(image: Annotated[bytes, File()], prompt: Annotated[str, Form()]) -> RedirectResponse:
        task = await kling.submit(image, prompt)
        asked[task.id] = time.monotonic()
        return RedirectResponse(f"/videos/{task.id}", 303)

    @app.get("/videos/{task_id}", response_class=HTMLResponse)
    async def show(task_id: str) -> str:
        if task_id not in ended and time.monotonic() - asked.get(task_id, -PATIENCE) >= PATIENCE:
            await ask(task_id)
        return page(ended.get(task_id))

    app.exception_handler(KlingError)(explain)
    return app


def page(status: TaskStatus | None) -> str:
    if status is None:
        return WAITING
    if status.urls:
        return VIDEO.format(escape(status.urls[0]))
    return FAILED.format(escape(status.failure.message if status.failure else "no link"))


def explain(_request: Request, error: KlingError) -> PlainTextResponse:
    codes = {InvalidInputError: 400, TaskNotFoundError: 404}
    return PlainTextResponse(str(error), codes.get(type(error), 502))

"""A page that starts a video, and shows it when the callback has arrived.

export APIKLEY_API_KEY=… APIKLEY_WEBHOOK_KEYS=… PUBLIC_URL=https://my.app
uvicorn --factory app:create_app
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import escape
from typing import Annotated, Any

from fastapi import FastAPI, File, Form
from fastapi.responses import HTMLResponse, RedirectResponse

from kling_facade import AsyncKling, TaskStatus
from kling_facade.callbacks import Callback, CallbackInbox, asgi_app

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
    ended: dict[str, TaskStatus] = {}  # a real application keeps this in its database

    async def take_note(callback: Callback) -> None:
        # the callback only says that the task has ended: its body could be anybody's
        status = await kling.task(callback.task_id).status()
        if not status.done:
            raise RuntimeError("not yet")  # the sender will try again
        ended[callback.task_id] = status

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
        return RedirectResponse(f"/videos/{task.id}", 303)

    @app.get("/videos/{task_id}", response_class=HTMLResponse)
    def show(task_id: str) -> str:
        status = ended.get(task_id)
        if status is None:
            return WAITING
        if status.urls:
            return VIDEO.format(escape(status.urls[0]))
        return FAILED.format(escape(status.failure.message if status.failure else "no link"))

    return app

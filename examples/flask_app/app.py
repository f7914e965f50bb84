"""A page that starts a video, and shows it when the callback has arrived.

export APIKLEY_API_KEY=… APIKLEY_WEBHOOK_KEYS=… PUBLIC_URL=https://my.app
flask --app app run
"""

import os
from typing import Any

from flask import Flask, redirect, render_template_string, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.wrappers import Response

from kling_facade import Kling, TaskStatus
from kling_facade.callbacks import Callback, CallbackInbox, wsgi_app

FORM = """
<!doctype html><title>A video</title>
<form method="post" enctype="multipart/form-data">
  <input type="file" name="image" required>
  <input name="prompt" placeholder="What should happen?" maxlength="1000" required>
  <button>Make it</button>
</form>
"""
PAGE = """
<!doctype html><title>A video</title>
{% if not status %}<meta http-equiv="refresh" content="3"><p>It is being made …</p>
{% elif status.urls %}<video src="{{ status.urls[0] }}" autoplay loop controls></video>
{% else %}<p>It could not be made: {{ status.failure.message }}</p>
{% endif %}
"""


def create_app(**options: Any) -> Flask:
    """The application; ``options`` as for ``Kling``."""
    ended: dict[str, TaskStatus] = {}  # a real application keeps this in its database

    def take_note(callback: Callback) -> None:
        # the callback only says that the task has ended: its body could be anybody's
        status = kling.task(callback.task_id).status()
        if not status.done:
            raise RuntimeError("not yet")  # the sender will try again
        ended[callback.task_id] = status

    inbox = CallbackInbox(url=f"{os.environ['PUBLIC_URL']}/kling", handler=take_note)
    kling = Kling(inbox=inbox, **options)
    app = Flask(__name__)
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/kling": wsgi_app(inbox)})

    @app.get("/")
    def form() -> str:
        return FORM

    @app.post("/")
    def start() -> Response:
        task = kling.submit(request.files["image"].read(), request.form["prompt"])
        return redirect(f"/videos/{task.id}", 303)

    @app.get("/videos/<task_id>")
    def show(task_id: str) -> str:
        return render_template_string(PAGE, status=ended.get(task_id))

    return app

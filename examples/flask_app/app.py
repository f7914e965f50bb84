"""A page that starts a video, and shows it when the callback has arrived.

From the root of the clone, without an account and without the internet:

    pip install '.[cli,sandbox]' -r examples/flask_app/requirements.txt
    kling sandbox --speed 40 --webhook-key test-key     # in its own terminal; copy its lines into this one
    export PUBLIC_URL=http://127.0.0.1:5000
    flask --app examples/flask_app/app.py run

For the real service the four variables have your own key, webhook key and address, and no APIKLEY_BASE_URL.
"""

import os
import time
from typing import Any

from flask import Flask, redirect, render_template_string, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.wrappers import Response

from kling_facade import InvalidInputError, Kling, KlingError, TaskNotFoundError, TaskStatus
from kling_facade.callbacks import Callback, CallbackInbox, wsgi_app

PATIENCE = 30.0  # seconds without a callback until the service is asked: callbacks can be lost

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
{% else %}<p>It could not be made: {{ status.failure.message if status.failure else "no link" }}</p>
{% endif %}
"""


def create_app(**options: Any) -> Flask:
    """The application; ``options`` as for ``Kling``."""
    ended: dict[str, TaskStatus] = {}  # a real application keeps these two in its database
    asked: dict[str, float] = {}

    def ask(task_id: str) -> None:
        asked[task_id] = time.monotonic()
        status = kling.task(task_id).status()
        if status.done:
            ended[task_id] = status

    def take_note(callback: Callback) -> None:
        # the callback only says that the task has ended: its body could be anybody's
        ask(callback.task_id)
        if callback.task_id not in ended:
            raise RuntimeError("not yet")  # the sender will try again

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
        asked[task.id] = time.monotonic()
        return redirect(f"/videos/{task.id}", 303)

    @app.get("/videos/<task_id>")
    def show(task_id: str) -> str:
        if task_id not in ended and time.monotonic() - asked.get(task_id, -PATIENCE) >= PATIENCE:
            ask(task_id)
        return render_template_string(PAGE, status=ended.get(task_id))

    @app.errorhandler(KlingError)
    def explain(error: KlingError) -> Response:
        codes = {InvalidInputError: 400, TaskNotFoundError: 404}
        return Response(str(error), codes.get(type(error), 502), mimetype="text/plain")

    return app

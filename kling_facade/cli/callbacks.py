"""What helps to build a receiver of callbacks."""

import json
import shlex
import time
from typing import Annotated

import typer

from kling_facade.callbacks.signatures import Keys
from kling_facade.cli.talk import talking
from kling_facade.inputs import MODEL, check_task_id, check_url

callbacks = typer.Typer(no_args_is_help=True, help="Try out your own receiver of callbacks.")

_SAMPLE = "ee9c2715375b7837f8bb51d641ff5863"


@callbacks.callback()
def group() -> None:
    """Try out your own receiver of callbacks."""


@callbacks.command("sign")
def sign_sample(
    url: Annotated[str, typer.Argument(help="Where your receiver listens.", metavar="URL")],
    *,
    task_id: Annotated[str, typer.Option("--task-id", metavar="ID", help="The task it is about.")] = _SAMPLE,
    failed: Annotated[bool, typer.Option("--failed", help="The task has failed.")] = False,
) -> None:
    """Print a curl command that sends a callback as the service would, signed now.

    It is signed with the first key in APIKLEY_WEBHOOK_KEYS, and good for five minutes.
    """
    with talking() as talk:
        timestamp = int(time.time())
        headers = {
            "Content-Type": "application/json",
            "X-Webhook-Timestamp": str(timestamp),
            "X-Webhook-Signature": Keys().sign(check_task_id(task_id), timestamp),
        }
        body = json.dumps(_sample_body(task_id, timestamp * 1000, failed=failed))
        words = ["curl", "-i", check_url("url", url)]
        for name, value in headers.items():
            words += ["-H", f"{name}: {value}"]
        talk.result(shlex.join([*words, "--data", body]), {})
        if task_id == _SAMPLE:
            talk.say(
                "No service knows this task: a handler that asks for it fails (500) although the callback "
                "was accepted. --task-id names one of yours."
            )


def _sample_body(task_id: str, ended: int, *, failed: bool) -> dict[str, object]:
    """As the service writes it; ``ended`` in Unix milliseconds."""
    record: dict[str, object] = {
        "taskId": task_id,
        "model": MODEL,
        "state": "fail" if failed else "success",
        "resultJson": None if failed else json.dumps({"resultUrls": ["https://example.com/video.mp4"]}),
        "failCode": "500" if failed else None,
        "failMsg": "Internal Error, Please try again later." if failed else None,
        "createTime": ended - 90_000,
        "completeTime": ended,
    }
    message = "Playground task failed." if failed else "Playground task completed successfully."
    return {"code": 501 if failed else 200, "msg": message, "data": record}

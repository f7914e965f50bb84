"""The service's side of a callback, as the tests need it; signs with its own few lines."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

KEY = "test-webhook-hmac-key"
TASK = "ee9c2715375b7837f8bb51d641ff5863"
AT = 1769670760
SIGNATURE = "xG6/yOyrMyJtUdc1yjmHpKLHSHF3MpzOPa6uxSj3qb4="  # of the three above


class Delivery(NamedTuple):
    """What ``verify`` and ``receive`` take."""

    headers: Mapping[str, str]
    body: bytes
    query: str = ""


def signature(key: str, task_id: str, at: int | str) -> str:
    mac = hmac.new(key.encode(), f"{task_id}.{at}".encode(), hashlib.sha256)
    return base64.b64encode(mac.digest()).decode()


def signed(task_id: str = TASK, *, key: str = KEY, at: int | str = AT, query: str = "") -> Delivery:
    """A genuine callback."""
    headers = {"X-Webhook-Timestamp": str(at), "X-Webhook-Signature": signature(key, task_id, at)}
    return Delivery(headers, body(task_id), query)


def marked(url: str, task_id: str = TASK) -> Delivery:
    """What a service that does not sign sends to a URL that the library made."""
    return Delivery({"Content-Type": "application/json"}, body(task_id), url.partition("?")[2])


def body(task_id: str = TASK, **changes: Any) -> bytes:
    """The body of the latest generation."""
    asked = {"prompt": "p", "image_urls": ["https://f.test/a.jpg"], "sound": False, "duration": "5"}
    param = {"model": "kling-2.6/image-to-video", "input": json.dumps(asked)}
    record = {
        "taskId": task_id,
        "model": "kling-2.6/image-to-video",
        "state": "success",
        "param": json.dumps(param),
        "resultJson": json.dumps({"resultUrls": ["https://files.test/a.mp4"]}),
        "failCode": None,
        "failMsg": None,
        "costTime": 93,
        "createTime": 1769670660000,
        "completeTime": 1769670753000,
        "creditsConsumed": 55.0,
        **changes,
    }
    document = {"code": 200, "msg": "Playground task completed successfully.", "data": record}
    return json.dumps(document).encode()

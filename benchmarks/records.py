"""Answers of each service's status call, in the shapes that its documents show."""

from __future__ import annotations

import json

TASK_ID = "ee9c2715375b7837f8bb51d641ff5863"
PARAM = {
    "model": "kling-2.6/image-to-video",
    "input": json.dumps(
        {
            "prompt": "The lighthouse keeper opens the door and looks up at the gulls. " * 3,
            "image_urls": ["https://files.example.test/12345/images/lighthouse.jpg"],
            "sound": False,
            "duration": "5",
        }
    ),
}


def kling(state: str = "generating") -> bytes:
    """recordInfo, as seen on the wire."""
    done = state == "success"
    links = {"resultUrls": [f"https://files.example.test/results/12345/{TASK_ID}.mp4"]}
    record = {
        "taskId": TASK_ID,
        "model": "kling-2.6/image-to-video",
        "state": state,
        "param": json.dumps(PARAM),
        "resultJson": json.dumps(links) if done else "",
        "failCode": None,
        "failMsg": None,
        "costTime": 93 if done else None,
        "completeTime": 1795348894769 if done else None,
        "createTime": 1795348800000,
        "updateTime": 1795348894769,
        "creditsConsumed": 55,
    }
    return json.dumps({"code": 200, "msg": "success", "data": record}).encode()


RUNWAY = json.dumps(
    {
        "id": "17f20503-6c24-4c16-946b-35dbbce2af2f",
        "status": "RUNNING",
        "progress": 0.4,
        "createdAt": "2026-11-22T12:00:00.000Z",
    }
).encode()
OPENAI = json.dumps(
    {
        "id": "video_123",
        "object": "video",
        "model": "sora-2",
        "status": "in_progress",
        "progress": 40,
        "created_at": 1795348800,
        "seconds": "4",
        "size": "720x1280",
        "prompt": "a lighthouse",
    }
).encode()
FAL = json.dumps({"status": "IN_PROGRESS", "logs": None, "metrics": {}}).encode()
REPLICATE = json.dumps(
    {
        "id": "ufawqhfynnddngldkgtslldrkq",
        "model": "kwaivgi/kling",
        "version": "5c7d5dc6",
        "status": "processing",
        "input": {"prompt": "a lighthouse"},
        "output": None,
        "logs": "",
        "error": None,
        "created_at": "2026-11-22T12:00:00.000Z",
        "started_at": "2026-11-22T12:00:01.000Z",
        "completed_at": None,
        "urls": {
            "get": "https://api.replicate.com/v1/predictions/u",
            "cancel": "https://api.replicate.com/c",
        },
    }
).encode()
LUMA = json.dumps(
    {
        "id": "123e4567-e89b-12d3-a456-426614174000",
        "generation_type": "video",
        "state": "dreaming",
        "failure_reason": None,
        "created_at": "2026-11-22T12:00:00.000Z",
        "assets": None,
        "model": "ray-2",
        "request": {"generation_type": "video", "prompt": "a lighthouse", "model": "ray-2"},
    }
).encode()

ANSWERS = {
    "/api/v1/jobs/recordInfo": kling(),
    "/runway/": RUNWAY,
    "/openai/": OPENAI,
    "/fal/": FAL,
    "/replicate/": REPLICATE,
    "/luma/": LUMA,
}

"""What a poll does not do again."""

from __future__ import annotations

from typing import Any

import httpx
import pytest


def test_a_tasks_query_is_built_once_and_sent_again(
    kling: Any, flavour: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind: type[Any] = httpx.AsyncClient if flavour == "async" else httpx.Client
    built: list[str] = []
    build = kind.build_request

    def counted(client: Any, method: str, *args: Any, **options: Any) -> httpx.Request:
        built.append(method)
        message: httpx.Request = build(client, method, *args, **options)
        return message

    monkeypatch.setattr(kind, "build_request", counted)
    task = kling.submit("https://files.example.test/lighthouse.jpg", "The lamp turns.")
    looks = list(task.updates())
    assert len(looks) > 3
    assert built.count("GET") == 1

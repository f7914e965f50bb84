"""JSON as this API uses it."""

from __future__ import annotations

import json
from typing import Any, TypeGuard


def encode(document: Any) -> bytes:
    """The bytes that both clients send."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def decode(text: str | bytes) -> object:
    """The value; None for what is no JSON, which no answer of this API means to be."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether it is a JSON object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[object]]:
    """Whether it is a JSON array."""
    return isinstance(value, list)

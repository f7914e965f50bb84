"""Holds create requests to the API document, in the words of the service."""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from kling_facade.sandbox.answers import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

REQUEST = "ImageToVideoRequest"
INPUT = "ImageToVideoInput"

# The service answers validation with 500; these are its texts. What it says of a wrong type was never seen.
FAULTS = {
    "required": "This field is required",
    "enum": "{field} is not within the range of allowed options",
    "type": "{field} is not within the range of allowed options",
    "maxLength": "The text length cannot exceed the maximum limit",
}
OTHER_FAULT = "Value must be within the specified range"


def check_create(body: object) -> dict[str, Any]:
    """The request as the service understands it: unknown input fields dropped, defaults filled in.

    Raises:
        RefusedError: with the service's code and text for the first thing that is wrong.
    """
    if not is_object(body):
        raise RefusedError(400, "The request body is not a JSON object")
    given = _present(body.items())
    inputs = given.get("input")
    if not is_object(inputs):
        raise RefusedError(422, "The input cannot be null")
    known = document()["components"]["schemas"][INPUT]["properties"]
    defaults = {name: schema["default"] for name, schema in known.items() if "default" in schema}
    present = _present((name, value) for name, value in inputs.items() if name in known)
    given["input"] = defaults | present
    faults = sorted(validator().iter_errors(given), key=lambda fault: list(map(str, fault.absolute_path)))
    if faults:
        raise RefusedError(500, _text(faults[0]))
    for url in given["input"]["image_urls"]:
        if not url.lower().startswith(("http://", "https://")):
            raise RefusedError(422, "Invalid image URL")
    return given


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether a JSON value is an object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether a JSON value is a list."""
    return isinstance(value, list)


def _present(items: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Without nulls and empty values, which the service takes for missing ones."""
    return {name: value for name, value in items if value not in (None, "", [])}


def _text(fault: ValidationError) -> str:
    field = next((str(part) for part in reversed(fault.absolute_path) if isinstance(part, str)), "value")
    return FAULTS.get(str(fault.validator), OTHER_FAULT).format(field=field)


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document that the low-level client was generated from."""
    spec = find_spec("kling_api")  # found, not imported: a mistake in the generated code must not hide here
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the package kling_api is not installed")
    path = Path(spec.submodule_search_locations[0]) / "openapi.json"
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


@cache
def validator() -> Validator:
    """For whole create requests."""
    from jsonschema import Draft202012Validator  # takes longer than the sandbox's start

    schemas = json_schema(document()["components"]["schemas"])
    return Draft202012Validator(
        {"$ref": f"#/components/schemas/{REQUEST}", "components": {"schemas": schemas}}
    )


def json_schema(node: Any) -> Any:
    """OpenAPI 3.0 spells "or null" in a way of its own; JSON Schema would not see it."""
    if is_list(node):
        return [json_schema(item) for item in node]
    if not is_object(node):
        return node
    plain = {name: json_schema(value) for name, value in node.items() if name != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if node.get("nullable") is True else plain

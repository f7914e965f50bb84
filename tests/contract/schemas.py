"""The bundled document as a JSON Schema, and instances of it, for hypothesis."""

import json
import string
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from jsonschema import Draft4Validator

ROOT = Path(__file__).parents[2]
BUNDLE: Any = json.loads((ROOT / "generated/kling_api/openapi.json").read_bytes())
MODELS: dict[str, Any] = BUNDLE["components"]["schemas"]

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
KNOWN = {
    *("type", "properties", "required", "items", "enum", "nullable", "format", "allOf", "oneOf", "$ref"),
    *("maxLength", "minLength", "maxItems", "minItems", "additionalProperties"),
    *("title", "description", "example", "default"),
}


def complaints(model: str, message: Any) -> list[str]:
    """What is wrong with the message, by the schema of the model."""
    return [error.message for error in _validator(model).iter_errors(message)]


def instances(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Everything that the schema allows; an unknown keyword is refused, never ignored."""
    if unknown := schema.keys() - KNOWN:
        raise NotImplementedError(f"schema keywords {sorted(unknown)}")
    strategy = _not_null(schema)
    return st.none() | strategy if schema.get("nullable") else strategy


@cache
def _validator(model: str) -> Draft4Validator:
    return Draft4Validator(_null_spelled_out(BUNDLE) | {"$ref": f"#/components/schemas/{model}"})


def _null_spelled_out(schema: Any) -> Any:
    """OpenAPI 3.0 says ``nullable``, also beside a reference; JSON Schema says anyOf with null."""
    if isinstance(schema, list):
        return [_null_spelled_out(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _null_spelled_out(value) for key, value in schema.items() if key != "nullable"}
    return {"anyOf": [{"type": "null"}, plain]} if schema.get("nullable") is True else plain


def _not_null(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "$ref" in schema:
        return instances(MODELS[schema["$ref"].rsplit("/", 1)[1]])
    if parts := schema.get("oneOf", schema.get("allOf")):
        return st.one_of(*(instances(part) for part in parts))
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    make = _BY_TYPE.get(schema.get("type", ""))
    return make(schema) if make else JSON


def _array(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    items = instances(schema["items"])
    return st.lists(items, min_size=schema.get("minItems", 0), max_size=schema.get("maxItems"))


def _string(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    if schema.get("format") == "uri":
        path = st.text(string.ascii_lowercase + string.digits + "/-._~%", max_size=30)
        return path.map("https://h.example/".__add__)
    return st.text(min_size=schema.get("minLength", 0), max_size=schema.get("maxLength"))


def _integer(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    return st.integers(-(2**63), 2**63 - 1) if schema.get("format") == "int64" else st.integers()


def _object(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    properties = {name: instances(part) for name, part in schema.get("properties", {}).items()}
    required = {name: properties.pop(name) for name in schema.get("required", [])}
    known = st.fixed_dictionaries(required, optional=properties)
    if schema.get("additionalProperties") is False:
        return known
    new_names = st.text(max_size=8).filter(lambda name: name not in schema.get("properties", {}))
    return st.builds(lambda extra, own: {**extra, **own}, st.dictionaries(new_names, JSON, max_size=2), known)


_BY_TYPE: dict[str, Callable[[dict[str, Any]], st.SearchStrategy[Any]]] = {
    "object": _object,
    "array": _array,
    "string": _string,
    "integer": _integer,
    "boolean": lambda _: st.booleans(),
    "number": lambda _: st.integers() | st.floats(allow_nan=False, allow_infinity=False),
}

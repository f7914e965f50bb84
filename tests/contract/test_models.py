"""The generated models have every documented property, and with what the documents say of it."""

from collections.abc import Iterator
from importlib import import_module
from inspect import signature
from pathlib import Path
from pkgutil import walk_packages
from types import GenericAlias, ModuleType
from typing import Any, get_args, get_type_hints
from unittest.mock import MagicMock

import attrs
import httpx
import pytest

import kling_api.api
import kling_api.models
import kling_api.types
from kling_api.client import Client
from pipeline.sources import Source, read_sources
from pipeline.tree import NAMES

SOURCES = read_sources(Path(__file__).parents[2] / "openapi")
NAMESPACE = {**vars(kling_api.models), **vars(kling_api.types)}
PLAIN = {"string": str, "integer": int, "number": float, "boolean": bool}
every_document = pytest.mark.parametrize("source", SOURCES.documents, ids=lambda source: source.name)


@attrs.frozen
class Documented:
    """One property as a document has it, and the generated model it belongs to."""

    model: type[Any]
    name: str
    schema: dict[str, Any]
    required: bool

    @property
    def field(self) -> "attrs.Attribute[Any]":
        """The model's field, whatever the generator made of camelCase and of keywords."""
        fields: tuple[attrs.Attribute[Any], ...] = attrs.fields(self.model)
        same = [one for one in fields if plain(one.name) == plain(self.name)]
        assert len(same) == 1, f"{self.model.__name__} has no field for {self.name}"
        return same[0]

    @property
    def types(self) -> set[Any]:
        """What the field's annotation allows; a Literal by its values."""
        hint = get_type_hints(self.model, localns=NAMESPACE)[self.field.name]
        return set(flattened(hint))


def plain(name: str) -> str:
    return name.replace("_", "").lower()


def flattened(hint: Any) -> Iterator[Any]:
    arguments = get_args(hint)
    if not arguments or getattr(hint, "__origin__", None) is list:
        yield hint
    for argument in arguments if getattr(hint, "__origin__", None) is not list else ():
        yield from flattened(argument)


def module_for(path: str, method: str) -> ModuleType:
    """The generated operation, found by what it would send."""
    found: list[ModuleType] = []
    for entry in walk_packages(kling_api.api.__path__, "kling_api.api."):
        module = import_module(entry.name)
        if kwargs := getattr(module, "_get_kwargs", None):
            call = kwargs(**{name: MagicMock() for name in signature(kwargs).parameters})
            found += [module] if (call["url"], call["method"]) == (path, method) else []
    assert len(found) == 1, f"{method} {path} is generated {len(found)} times"
    return found[0]


def spelled_out(schema: Any, document: Any) -> dict[str, Any]:
    """One schema with its reference followed and its allOf merged."""
    if "$ref" in schema:
        return spelled_out(document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], document)
    whole: dict[str, Any] = {"properties": {}, "required": []} | schema
    for part in schema.get("allOf", []):
        half = spelled_out(part, document)
        whole["properties"] = half["properties"] | whole["properties"]
        whole["required"] = half["required"] + whole["required"]
    return whole


def properties(schema: Any, model: type[Any], document: Any) -> Iterator[Documented]:
    whole = spelled_out(schema, document)
    for name, part in whole["properties"].items():
        found = Documented(model, name, part, required=name in whole["required"])
        yield found
        if "properties" in part or "allOf" in part:
            inner = [kind for kind in found.types if attrs.has(kind)]
            assert len(inner) == 1, f"{model.__name__}.{name} has no model of its own"
            yield from properties(part, inner[0], document)


def documented(document: Any) -> list[Documented]:
    """All properties of all requests and answers."""
    found: list[Documented] = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            module = module_for(path, method)
            if body := operation.get("requestBody"):
                model = get_type_hints(module._get_kwargs)["body"]
                found += properties(body["content"]["application/json"]["schema"], model, document)
            for status, answer in operation["responses"].items():
                if content := answer.get("content"):
                    model = type(parsed(module, int(status), {}))
                    found += properties(content["application/json"]["schema"], model, document)
    return found


def parsed(module: ModuleType, status: int, content: Any) -> Any:
    client = Client(base_url="http://h.example", raise_on_unexpected_status=True)
    return module._parse_response(client=client, response=httpx.Response(status, json=content))


@every_document
def test_every_documented_property_has_a_field(source: Source) -> None:
    found = documented(SOURCES.document(source))
    assert len(found) > 3
    for one in found:
        assert one.field


@every_document
def test_every_field_is_documented_or_in_an_overlay(source: Source) -> None:
    found = documented(SOURCES.mended(source))
    models = {one.model for one in found}
    assert models
    for model in models:
        names = {plain(one.name) for one in found if one.model is model} | {"additionalproperties"}
        assert {plain(field.name) for field in attrs.fields(model)} == names, model


@every_document
def test_required_and_default_are_as_documented(source: Source) -> None:
    found = documented(SOURCES.mended(source))
    for one in found:
        expected = one.schema.get("default", attrs.NOTHING if one.required else kling_api.types.UNSET)
        assert one.field.default == expected, f"{one.model.__name__}.{one.name}"
    assert found


def test_some_properties_are_required_and_some_have_defaults() -> None:
    found = [one for source in SOURCES.documents for one in documented(SOURCES.mended(source))]
    assert any(one.required for one in found)
    assert any("default" in one.schema for one in found)
    assert any("enum" in one.schema for one in found)


@every_document
def test_types_and_enums_are_as_documented(source: Source) -> None:
    found = documented(SOURCES.mended(source))
    for one in found:
        kind = one.schema.get("type")
        if "enum" in one.schema:
            assert set(one.schema["enum"]) <= one.types
            assert {value for value in one.types if isinstance(value, str)} == set(one.schema["enum"])
        elif kind == "array":
            assert GenericAlias(list, PLAIN[one.schema["items"]["type"]]) in one.types
        elif kind in PLAIN:
            assert PLAIN[kind] in one.types, f"{one.model.__name__}.{one.name}: {one.types}"
        assert (type(None) in one.types) == one.schema.get("nullable", False), one.name
    assert found


CLOSING = {"enum", "required", "additionalProperties"}


def keywords(node: Any, *, names: bool = False) -> set[str]:
    """All keys that are neither names nor in an example."""
    if isinstance(node, list):
        return {key for item in node for key in keywords(item)}
    if not isinstance(node, dict):
        return set()
    own = set[str]() if names else set(node)
    parts = {key: value for key, value in node.items() if names or key != "example"}
    return own.union(*(keywords(part, names=not names and key in NAMES) for key, part in parts.items()))


@every_document
def test_requests_are_closed_and_answers_open(source: Source) -> None:
    """An enum or a required field in an answer would make from_dict raise where an old client can read on."""
    document: Any = SOURCES.mended(source)
    for operations in document["paths"].values():
        for operation in operations.values():
            assert operation["responses"]
            assert not CLOSING & keywords(operation["responses"])
    assert not CLOSING & keywords(document["components"])

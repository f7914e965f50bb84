"""The facade's own constants, which the generator drops, are those of the vendored document."""

import re
from inspect import signature
from pathlib import Path
from typing import Any

from kling_facade import AsyncKling, Kling, errors, images, inputs
from pipeline.sources import read_sources

SOURCES = read_sources(Path(__file__).parents[2] / "openapi")
MEANT_FOR_PEOPLE = {"description", "example"}
SHAPES = {"type", "format", "enum", "default", "items", "properties", "required"}


def create_body() -> dict[str, Any]:
    documents: list[Any] = [SOURCES.document(source) for source in SOURCES.documents]
    [operation] = [
        operation
        for document in documents
        for operations in document["paths"].values()
        for operation in operations.values()
        if "requestBody" in operation
    ]
    schema: dict[str, Any] = operation["requestBody"]["content"]["application/json"]["schema"]
    inner: dict[str, Any] = schema["properties"]["input"]["properties"]
    return {**schema["properties"], **inner}


BODY = create_body()


def said_of_images(pattern: str) -> str:
    """What the prose says, the only place where these limits stand."""
    found = re.findall(pattern, BODY["image_urls"]["description"])
    assert len(found) == 1, f"{pattern} is said {len(found)} times"
    said: str = found[0]
    return said


def is_accepted(**changes: Any) -> bool:
    """Whether the facade would send this."""
    arguments = {"prompt": "a cat", "duration": "5", "sound": False, "callback_url": None} | changes
    try:
        inputs.check_inputs(arguments.pop("prompt"), **arguments)
    except errors.InvalidInputError:
        return False
    return True


def test_the_model_is_the_documented_one() -> None:
    assert BODY["model"]["enum"] == [inputs.MODEL], "inputs.MODEL is not what the document says"


def test_prompt_max_is_the_documented_one() -> None:
    documented = BODY["prompt"]["maxLength"]
    assert documented == inputs.PROMPT_MAX, "inputs.PROMPT_MAX is not what the document says"
    assert is_accepted(prompt="x" * documented)
    assert not is_accepted(prompt="x" * (documented + 1))


def test_durations_are_the_documented_ones() -> None:
    documented = tuple(BODY["duration"]["enum"])
    assert documented == inputs.DURATIONS, "inputs.DURATIONS is not what the document says"
    assert all(is_accepted(duration=seconds) for seconds in documented)
    assert not is_accepted(duration="7")


def test_the_default_duration_is_the_documented_one() -> None:
    for client in (Kling, AsyncKling):
        for call in (client.submit, client.generate):
            assert str(signature(call).parameters["duration"].default) == BODY["duration"]["default"], call


def test_exactly_one_image_is_documented() -> None:
    assert BODY["image_urls"]["maxItems"] == 1


def test_image_types_are_the_documented_ones() -> None:
    said = said_of_images(r"supported types: ([\w/, ]+)")
    assert tuple(said.split(", ")) == images.IMAGE_TYPES, "images.IMAGE_TYPES is not what the document says"


def test_image_max_bytes_is_the_documented_size() -> None:
    documented = float(said_of_images(r"maximum file size: ([\d.]+)MB")) * 1_000_000
    assert documented == images.IMAGE_MAX_BYTES, "images.IMAGE_MAX_BYTES is not what the document says"


def test_no_limit_is_documented_that_the_facade_does_not_keep() -> None:
    """The generator drops limits, so that one more of them would go unnoticed."""
    documented = {
        (name, keyword)
        for name, schema in BODY.items()
        for keyword in schema.keys() - SHAPES - MEANT_FOR_PEOPLE
    }
    assert documented == {("prompt", "maxLength"), ("image_urls", "maxItems")}

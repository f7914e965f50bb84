"""The facade's own constants, which the generator drops, are those of the vendored document."""

import re
from pathlib import Path
from typing import Any

from kling_facade import images, inputs
from pipeline.sources import read_sources

SOURCES = read_sources(Path(__file__).parents[2] / "openapi")


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


def test_the_model_is_the_documented_one() -> None:
    assert BODY["model"]["enum"] == [inputs.MODEL]


def test_prompt_max_is_the_documented_one() -> None:
    assert BODY["prompt"]["maxLength"] == inputs.PROMPT_MAX


def test_durations_are_the_documented_ones() -> None:
    assert tuple(BODY["duration"]["enum"]) == inputs.DURATIONS


def test_exactly_one_image_is_documented() -> None:
    assert BODY["image_urls"]["maxItems"] == 1


def test_image_types_are_the_documented_ones() -> None:
    said = said_of_images(r"supported types: ([\w/, ]+)")
    assert tuple(said.split(", ")) == images.IMAGE_TYPES


def test_image_max_bytes_is_the_documented_size() -> None:
    assert float(said_of_images(r"maximum file size: ([\d.]+)MB")) * 1_000_000 == images.IMAGE_MAX_BYTES

"""Changes to a document: where, and what."""

from collections.abc import Callable
from typing import Any

from contract.regeneration.copies import CREATE_PATH, Document, data, inputs

Change = Callable[[Document], object]


def setting(place: Callable[[Document], Any], **values: Any) -> Change:
    return lambda document: place(document).update(values)


def dropping(place: Callable[[Document], Any], key: str) -> Change:
    return lambda document: place(document).pop(key)


def renaming(place: Callable[[Document], Any], old: str, new: str) -> Change:
    """In place, and in ``required`` beside the properties."""

    def change(document: Document) -> None:
        schema = place(document)
        items = list(schema["properties"].items())
        schema["properties"] = {new if key == old else key: value for key, value in items}
        if "required" in schema:
            schema["required"] = [new if key == old else key for key in schema["required"]]

    return change


def property_of(place: Callable[[Document], Any], name: str) -> Callable[[Document], Any]:
    return lambda document: place(document)["properties"][name]


def properties(place: Callable[[Document], Any]) -> Callable[[Document], Any]:
    return lambda document: place(document)["properties"]


def operation(document: Document) -> Any:
    [operations] = document["paths"].values()
    [found] = operations.values()
    return found


def components(document: Document) -> Any:
    return document["components"]["schemas"]


def envelope(document: Document) -> Any:
    return components(document)["ApiResponse"]


def prompt(document: Document) -> Any:
    return inputs(document)["properties"]["prompt"]


def duration(document: Document) -> Any:
    return inputs(document)["properties"]["duration"]


def images(document: Document) -> Any:
    return inputs(document)["properties"]["image_urls"]


def state(document: Document) -> Any:
    return data(document)["properties"]["state"]


def rewording(old: str, new: str) -> Change:
    def change(document: Document) -> None:
        assert old in images(document)["description"]
        images(document)["description"] = images(document)["description"].replace(old, new)

    return change


def require_camera(document: Document) -> None:
    inputs(document)["properties"]["camera"] = {"type": "string"}
    inputs(document)["required"].append("camera")


def move(old: str, new: str) -> Change:
    return lambda document: document["paths"].update({new: document["paths"].pop(old)})


def change_method(document: Document) -> None:
    operations = document["paths"][CREATE_PATH]
    operations["put"] = operations.pop("post")


def change_media_type(document: Document) -> None:
    content = operation(document)["requestBody"]["content"]
    content["multipart/form-data"] = content.pop("application/json")


def require_data(document: Document) -> None:
    schema = operation(document)["responses"]["200"]["content"]["application/json"]["schema"]
    schema["allOf"][1]["required"] = ["data"]


def drop_success(document: Document) -> None:
    operation(document)["responses"]["202"] = operation(document)["responses"].pop("200")


def number_task_ids(document: Document) -> None:
    """The documented example changes with it, as upstream would do."""
    data(document)["properties"]["taskId"] = {"type": "integer", "example": 7}
    operation(document)["responses"]["200"]["content"]["application/json"]["example"]["data"]["taskId"] = 7


def append(place: Callable[[Document], Any], value: Any) -> Change:
    return lambda document: place(document).append(value)


def halve(document: Document) -> None:
    inputs(document)["properties"]["prompt"]["maxLength"] = 500


def offer_more(document: Document) -> None:
    inputs(document)["properties"]["duration"]["enum"] = ["5", "10", "15"]
    inputs(document)["properties"]["negative_prompt"] = {"type": "string"}

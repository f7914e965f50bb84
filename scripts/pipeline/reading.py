"""One OpenAPI document out of JSON, YAML, or a documentation page in markdown that fences one."""

import json
import re
from collections.abc import Iterator
from typing import Any

from attrs import frozen
from markdown_it import MarkdownIt
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.tokens import AnchorToken

from pipeline.errors import FlattenedError, UnreadableError
from pipeline.flat import lost_indentation
from pipeline.tree import Json, Tree, branch

_DEEPEST = 60  # maps and lists in each other; the vendored documents have 17
_HTML = re.compile(r"\s*<(?:!doctype html|html)", re.IGNORECASE)


@frozen
class Page:
    """A document as it came.

    Attributes:
        form: ``JSON``, ``YAML`` or ``markdown``.
    """

    document: Tree
    form: str


def read_page(content: bytes) -> Page:
    """The one OpenAPI document that the content holds.

    Raises:
        FlattenedError: It is a page copied as plain text.
        UnreadableError: It holds none, several, or one that is broken; the message names the line.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError(f"byte {error.start} is not UTF-8") from None
    if _HTML.match(text):
        raise UnreadableError("this is an HTML page, whose document cannot be told from its decoration")
    if text.lstrip().startswith("{"):
        return Page(_checked(_json(text)), "JSON")
    if line := lost_indentation(text):
        message = f"line {line} should be indented under the line above; what belongs to what is lost"
        raise FlattenedError(message, text=text)
    fenced = list(_fenced(text))
    if len(fenced) > 1:
        raise UnreadableError(f"the page fences {len(fenced)} OpenAPI documents; give the one you mean")
    if fenced:
        first_line, block = fenced[0]
        return Page(_checked(_yaml(block, first_line=first_line)), "markdown")
    return Page(_checked(_yaml(text)), "YAML")


def _fenced(text: str) -> Iterator[tuple[int, str]]:
    """Each fenced block that means to be an OpenAPI document, with the number of its first line."""
    for token in MarkdownIt().parse(text):
        if token.type == "fence" and re.search(r"^\s*[{\"']*openapi['\"]?\s*:", token.content, re.MULTILINE):
            yield (token.map or [0])[0] + 2, token.content


def _json(text: str) -> Json:
    try:
        document: Json = json.loads(text)
    except ValueError as error:
        raise UnreadableError(f"no JSON: {error}") from None
    except RecursionError:
        raise UnreadableError("no JSON that anybody wrote: it is nested too deep") from None
    return document


def _yaml(text: str, *, first_line: int = 1) -> Json:
    """As JSON has it: a response 200 is the name "200", and a date is text."""
    yaml: Any = YAML(typ="safe", pure=True)
    try:
        if anchor := next((token for token in yaml.scan(text) if isinstance(token, AnchorToken)), None):
            line = anchor.start_mark.line + first_line
            raise UnreadableError(f"line {line}: a YAML anchor, which can make a small text endless")
        document: Json = json.loads(json.dumps(yaml.load(text), default=str))
    except MarkedYAMLError as error:
        mark, problem = _noted(error)
        raise UnreadableError(f"line {mark + first_line}: no YAML: {problem}") from None
    except (YAMLError, ValueError, TypeError, RecursionError) as error:
        raise UnreadableError(f"no YAML: {error}") from None
    return document


def _noted(error: Any) -> tuple[int, str]:
    """The line, counted from 0, and the words of ruamel.yaml, which gives no types for them."""
    return (error.problem_mark.line if error.problem_mark else 0), str(error.problem)


def _checked(node: Json) -> Tree:
    document = branch(node)
    if not isinstance(document.get("openapi"), str) or not branch(document.get("paths")):
        raise UnreadableError("no OpenAPI document: openapi and paths are missing")
    if not str(document["openapi"]).startswith("3."):
        raise UnreadableError(f"OpenAPI {document['openapi']}: only version 3 is understood")
    if _depth(document) > _DEEPEST:
        raise UnreadableError(f"nested deeper than {_DEEPEST} levels")
    return document


def _depth(node: Json) -> int:
    """Level by level, for recursion is what depth would break."""
    depth, level = 0, [node]
    while level:
        below: list[Json] = []
        for item in level:
            if isinstance(item, dict):
                below += item.values()
            elif isinstance(item, list):
                below += item
        depth, level = depth + 1, below
    return depth

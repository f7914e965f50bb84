"""A page copied as plain text: its indentation is gone, but its words can still be compared.

It cannot be rebuilt: where a folded text ends and to which map an ``example`` belongs is open, whatever
one knows of OpenAPI. A comparison by words needs no guess. It is blind to a key that changed its level
and not its place.
"""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import pairwise

from attrs import frozen

from pipeline.tree import Json, Tree

_START = re.compile(r"openapi:\s*['\"]?3\.")
_FENCE = re.compile(r"(?:`{3,}|~{3,})\s*")
_MARKS = {"-", ">", ">-", ">+", "|", "|-", "|+", "[]", "{}"}
_ESCAPED_SPACE = re.compile(r"\\[nt]")  # in a text that YAML wrote between double quotes
_QUOTES = str.maketrans("", "", "\"'\\")


@frozen
class Word:
    """One word of a page and the number of its line."""

    text: str
    line: int


@frozen
class Difference:
    """Where page and document part, in the order of the page."""

    line: int
    document: str
    page: str

    def __str__(self) -> str:
        """One line for people."""
        return f"line {self.line}: the document says {self.document!r}, the page {self.page!r}"


def lost_indentation(text: str) -> int | None:
    """The number of the line that gives it away, or None if the text is not a flattened document."""
    rows = list(_rows(text))
    for (_, row), (line, following) in pairwise(rows):
        if row.rstrip() == "info:":
            return None if following.startswith((" ", "\t")) else line
    return None


def compare_words(document: Tree, text: str) -> list[Difference]:
    """What the words of the page say otherwise; punctuation and line breaks apart."""
    ours = [word for value in _values(document) for word in _split(value)]
    theirs = [Word(word, line) for line, row in _rows(text) for word in _split(row)]
    matcher = SequenceMatcher(None, ours, [word.text for word in theirs], autojunk=False)
    return [
        Difference(
            line=theirs[min(start, len(theirs) - 1)].line,
            document=" ".join(ours[first:last]),
            page=" ".join(word.text for word in theirs[start:end]),
        )
        for kind, first, last, start, end in matcher.get_opcodes()
        if kind != "equal"
    ]


def _rows(text: str) -> Iterator[tuple[int, str]]:
    """The lines of the document with their numbers, without what a page puts around it."""
    inside = False
    for number, row in enumerate(text.splitlines(), start=1):
        inside = inside or bool(_START.match(row))
        if inside and _FENCE.fullmatch(row):
            return
        if inside and row.strip():
            yield number, row


def _split(text: str) -> list[str]:
    """The words, without what YAML needs to write them down."""
    words = (word.translate(_QUOTES).rstrip(":") for word in _ESCAPED_SPACE.sub(" ", text).split())
    return [word for word in words if word and word not in _MARKS]


def _values(node: Json) -> Iterator[str]:
    """Keys and values in the order in which YAML would write them."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield key
            yield from _values(value)
    elif isinstance(node, list):
        for item in node:
            yield from _values(item)
    elif isinstance(node, bool) or node is None:
        yield {True: "true", False: "false", None: "null"}[node]
    else:
        yield str(node)

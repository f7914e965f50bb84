"""A document in any of the forms that upstream serves is read; of any other form it is said what is wrong."""

import json
from typing import Any

import pytest
from contract.regeneration.copies import CREATE, QUERY, vendored
from contract.regeneration.forms import as_page, as_yaml, flattened
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import FlattenedError, UnreadableError
from pipeline.flat import compare_words
from pipeline.reading import read_page

every_document = pytest.mark.parametrize("path", [CREATE, QUERY])


@every_document
@pytest.mark.parametrize(
    ("write", "form"),
    [(json.dumps, "JSON"), (as_yaml, "YAML"), (as_page, "markdown")],
    ids=["JSON", "YAML", "markdown"],
)
def test_every_form_gives_the_same_document(path: str, write: Any, form: str) -> None:
    page = read_page(write(vendored(path)).encode())
    assert (page.document, page.form) == (vendored(path), form)


def test_a_byte_order_mark_and_windows_lines_are_no_matter() -> None:
    text = as_page(vendored(CREATE)).replace("\n", "\r\n")
    assert read_page(b"\xef\xbb\xbf" + text.encode()).document == vendored(CREATE)


def test_yaml_that_writes_statuses_as_numbers_and_dates_bare_is_json_afterwards() -> None:
    text = """
openapi: 3.0.0
info: {version: 2026-11-22}
paths:
  /a:
    get:
      responses:
        200: {}
"""
    document: Any = read_page(text.encode()).document
    assert document["info"]["version"] == "2026-11-22"
    assert list(document["paths"]["/a"]["get"]["responses"]) == ["200"]


@every_document
def test_a_flattened_page_is_refused_by_its_line_and_compared_by_its_words(path: str) -> None:
    text = flattened(vendored(path))
    line = text.splitlines().index("info:") + 2
    with pytest.raises(FlattenedError, match=f"line {line} should be indented under") as caught:
        read_page(text.encode())
    assert caught.value.text == text
    assert compare_words(vendored(path), text) == []


def test_a_flattened_page_that_says_something_else_is_shown_where() -> None:
    text = flattened(vendored(CREATE)).replace("maxLength: 1000", "maxLength: 2000")
    text = text.replace("- '10'", "- '10'\n- '15'")
    found = [(one.document, one.page) for one in compare_words(vendored(CREATE), text)]
    assert found == [("1000", "2000"), ("", "15")]
    line = compare_words(vendored(CREATE), text)[0].line
    assert text.splitlines()[line - 1] == "maxLength: 2000"


@pytest.mark.parametrize("width", [40, 80, 4000])
def test_where_a_text_was_folded_is_no_difference(width: int) -> None:
    text = "\n".join(row.strip() for row in as_yaml(vendored(QUERY), width=width).splitlines())
    assert compare_words(vendored(QUERY), text) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe", "byte 0 is not UTF-8"),
        (b"<!DOCTYPE html><html>", "HTML page"),
        (b"", "no OpenAPI document"),
        (b"# Kling\n\nJust prose: nothing else.\n", "no "),
        (b"[1, 2]", "no OpenAPI document"),
        (b'{"openapi": "3.0.0"}', "openapi and paths are missing"),
        (b'{"openapi": "3.0.0", "paths": {', "no JSON: .* line 1 column"),
        (b'{"openapi": "2.0", "paths": {"/a": {}}}', "only version 3"),
        (b"openapi: 3.0.0\npaths:\n  /a: {]\n", "line 3: no YAML"),
        (b"openapi: 3.0.0\na: *b\n", "line 2: no YAML"),
        (b"openapi: 3.0.0\npaths: &a [1, 1]\nb: [*a, *a]\n", "line 2: a YAML anchor"),
        (b"# T\n\n```yaml\nopenapi: 3.0.0\npaths: {]\n```\n", "line 5: no YAML"),
        (b'{"a":' * 5000, "nested too deep"),
        (b'{"openapi": "3.0.0", "paths": {"a": ' + b"[" * 70 + b"]" * 70 + b"}}", "nested deeper than 60"),
    ],
)
def test_what_is_no_document_is_refused_with_its_reason(content: bytes, message: str) -> None:
    with pytest.raises(UnreadableError, match=message):
        read_page(content)


def test_two_documents_on_a_page_are_not_chosen_from() -> None:
    with pytest.raises(UnreadableError, match="fences 2 OpenAPI documents"):
        read_page((as_page(vendored(CREATE)) + as_page(vendored(QUERY))).encode())


@given(st.binary() | st.text().map(str.encode))
def test_whatever_comes_is_read_or_refused(content: bytes) -> None:
    try:
        read_page(content)
    except UnreadableError as error:
        assert str(error)


@given(
    st.lists(
        st.sampled_from(["openapi: 3.0.0", "info:", "  a: 1", "```yaml", "```", "{", "- x", "&a", "*a", ""])
    )
)
def test_whatever_resembles_a_page_is_read_or_refused(rows: list[str]) -> None:
    try:
        read_page("\n".join(rows).encode())
    except UnreadableError as error:
        assert str(error)

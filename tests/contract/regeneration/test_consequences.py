"""What a change means for the facade is said from the facade's own source."""

import re

import pytest
from contract.regeneration.copies import CREATE, QUERY, ROOT, vendored
from contract.regeneration.drift import MUTATIONS
from contract.regeneration.mutations import Mutation

import kling_facade.envelope
import kling_facade.images
import kling_facade.inputs
import kling_facade.records
from pipeline.consequences import HELD, consequence, read_facade
from pipeline.diff import compare
from pipeline.tree import below

FACADE = read_facade(ROOT / "kling_facade")


def said(name: str) -> list[str]:
    [row] = [row for row in MUTATIONS if row.name == name]
    after = vendored(row.path)
    row.change(after)
    return [consequence(change, FACADE) for change in compare(vendored(row.path), after)]


def pointers(node: object, at: str = "#") -> list[str]:
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [pointer for key, item in items for pointer in (below(at, key), *pointers(item, below(at, key)))]


@pytest.mark.parametrize(("pattern", "what"), HELD)
def test_each_constant_of_the_table_is_in_both_places(pattern: str, what: str) -> None:
    documented = [*pointers(vendored(CREATE)), *pointers(vendored(QUERY))]
    assert any(re.search(f"{pattern}$", pointer) for pointer in documented)
    names = re.findall(r"\b(inputs|images|envelope|records)\.(\w+)", what)
    assert names
    for module, name in names:
        assert hasattr(getattr(kling_facade, module), name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("limit tightened", ["inputs.PROMPT_MAX must follow"]),
        ("webp dropped", ["images.IMAGE_TYPES or images.IMAGE_MAX_BYTES must follow"]),
        ("code 433 added", ["the table of codes in envelope.judge must follow"]),
        ("type", ["inputs.py sends prompt"]),
        ("answer field removed", ["records.py reads resultJson"]),
        ("progress in the record", ["generated code only"]),
        ("negative_prompt offered", ["generated code only"]),
        ("title changed", ["nothing"]),
        ("operationId changed", ["nothing: the overlays name what is generated"]),
        ("host changed", ["nothing by itself: the host is settings.BASE_URL, and no document moves it"]),
        ("input required", ["nothing: inputs.create_request sends it always"]),
        (
            "create endpoint moved",
            ["a call that the facade may make is gone or elsewhere: the overlays and the flows must follow"],
        ),
        (
            "property made required",
            [
                "every create would be refused: inputs.create_request does not send camera",
                "generated code only",
            ],
        ),
    ],
)
def test_a_change_is_said_to_mean(name: str, expected: list[str]) -> None:
    assert said(name) == expected


@pytest.mark.parametrize(
    "row", [row for row in MUTATIONS if row.kind == "breaking"], ids=lambda row: row.name
)
def test_what_the_facade_must_follow_is_never_called_nothing(row: Mutation) -> None:
    if row.catcher in ("types", "contract") and not row.name.startswith(("default", "query", "task ids")):
        assert any(not words.startswith(("nothing", "generated")) for words in said(row.name))

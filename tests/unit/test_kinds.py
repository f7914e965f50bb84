"""Which tasks take about equally long."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling_facade.inputs import MODEL, Inputs
from kling_facade.kinds import Kind, kind_asked, kind_seen
from kling_facade.records import TaskStatus

INPUT = {"prompt": "p", "image_urls": ["https://f.test/a.jpg"], "sound": True, "duration": "10"}
ASKED = kind_asked(Inputs(prompt="p", duration="10", sound=True))
JUNK = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["input", "duration", "sound"]), inner),
    max_leaves=5,
)


def seen(param: object) -> Kind:
    return kind_seen(TaskStatus("t1", MODEL, "success", raw={"param": param}))


@pytest.mark.parametrize(
    "param",
    [
        json.dumps({"model": MODEL, "input": INPUT}),
        json.dumps({"model": MODEL, "input": json.dumps(INPUT)}),
        {"model": MODEL, "input": INPUT},
        json.dumps({"input": INPUT | {"duration": 10, "cfg_scale": 0.5}}),
    ],
)
def test_a_record_tells_the_kind_that_was_asked_for_in_every_encoding(param: object) -> None:
    assert seen(param) == ASKED


def test_what_takes_differently_long_is_of_another_kind() -> None:
    kinds = {
        kind_asked(Inputs(prompt="p", duration=duration, sound=sound))
        for duration in ("5", "10")
        for sound in (True, False)
    }
    assert len(kinds) == 4


@given(JUNK | JUNK.map(lambda value: json.dumps({"input": value})))
def test_any_param_gives_a_kind_that_can_be_learned_by(param: Any) -> None:
    assert isinstance(hash(seen(param)), int)


def test_a_record_that_tells_nothing_is_a_kind_of_its_own() -> None:
    assert seen(None) == seen("") == seen("{") == Kind(MODEL)
    assert seen(json.dumps({"input": {"duration": True, "sound": "yes"}})) == Kind(MODEL)

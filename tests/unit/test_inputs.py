"""What cannot be asked for is refused here, by name, and costs no request."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fakes import settings

from kling_facade import inputs
from kling_facade.errors import InvalidInputError, KlingError
from kling_facade.inputs import Inputs, check_inputs, create_request, record_request


def check(prompt: object = "a cat", **changes: object) -> Inputs:
    return check_inputs(prompt, **{"duration": 5, "sound": False, "callback_url": None, **changes})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prompt", ""),
        ("prompt", "  \n"),
        ("prompt", "x" * 1001),
        ("prompt", None),
        ("prompt", b"a cat"),
        ("prompt", "half \ud83d"),
        ("duration", 7),
        ("duration", "7"),
        ("duration", 5.0),
        ("duration", True),
        ("duration", None),
        ("duration", "05"),
        ("sound", 1),
        ("sound", "yes"),
        ("sound", None),
        ("callback_url", "ftp://me.test/"),
        ("callback_url", "me.test/callback"),
        ("callback_url", ""),
        ("callback_url", "https://me.test/a b"),
        ("callback_url", "https://[::1"),
        ("callback_url", "https://me.test:99999/"),
        ("callback_url", 7),
    ],
)
def test_an_impossible_input_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(InvalidInputError, match=f"^{field}: ") as caught:
        check(**{field: value})
    assert caught.value.field == field


@pytest.mark.parametrize(("given_", "sent"), [(5, "5"), (10, "10"), ("5", "5"), ("10", "10")])
def test_a_duration_may_be_a_number_or_a_string(given_: object, sent: str) -> None:
    assert check(duration=given_).duration == sent


@given(st.text(min_size=1, max_size=1000).filter(str.strip))
def test_every_prompt_of_a_thousand_characters_is_sent_as_it_is(prompt: str) -> None:
    request = create_request(settings(), check(prompt), "https://f/a.jpg")
    assert request.body is not None
    assert json.loads(request.body)["input"]["prompt"] == prompt


@given(st.text() | st.binary() | st.integers() | st.none())
def test_any_prompt_is_taken_or_refused(prompt: object) -> None:
    try:
        check(prompt)
    except KlingError as error:
        assert isinstance(error, InvalidInputError)


def test_the_paid_call_goes_out_on_a_connection_of_its_own() -> None:
    assert create_request(settings(), check(), "https://f/a.jpg").fresh
    assert not record_request(settings(), "t1").fresh


def test_requests_go_to_the_configured_host_only() -> None:
    requests = [
        create_request(settings(), check(), "https://f/a.jpg"),
        record_request(settings(), "t1"),
        inputs.credits_request(settings()),
        inputs.link_request(settings(), "https://elsewhere.test/a.mp4"),
    ]
    assert {request.url.split("/api/")[0] for request in requests} == {"https://api.test"}


@pytest.mark.parametrize("task_id", ["", " ", None, 7, "a\nb", b"t1"])
def test_what_is_no_task_id_is_refused(task_id: object) -> None:
    with pytest.raises(InvalidInputError, match="task_id"):
        inputs.check_task_id(task_id)

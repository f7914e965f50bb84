"""Times, in whatever way the service writes them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling_facade.moments import answered_at, moment, retry_after

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HTTP_NOON = "Sun, 22 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    "value",
    [
        1795348800000,
        1795348800000.0,
        "1795348800000",
        1795348800,
        "2026-11-22T12:00:00Z",
        "2026-11-22T15:00:00+03:00",
        "2026-11-22 12:00:00",
    ],
)
def test_a_moment_is_read_from_any_known_form(value: object) -> None:
    assert moment(value) == NOON


@pytest.mark.parametrize(
    "value", [None, True, 0, -1, "", "soon", float("nan"), float("inf"), 10**400, [], "²"]
)
def test_what_is_no_moment_is_none(value: object) -> None:
    assert moment(value) is None


@given(st.text() | st.integers() | st.floats() | st.binary() | st.none())
def test_a_moment_is_aware_or_none(value: object) -> None:
    found = moment(value)
    assert found is None or found.tzinfo is UTC


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("Sun, 22 Nov 2026 12:01:30 GMT", 90.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
        ("-3", None),
        ("5.5", None),
        ("Friday", None),
        ("²", None),
        ("soon", None),
        ("", None),
        ("9" * 400, 999999999999.0),
    ],
)
def test_retry_after_is_seconds_or_a_date_or_nothing(value: str, seconds: float | None) -> None:
    assert retry_after({"date": HTTP_NOON, "retry-after": value}) == seconds


@given(st.text(max_size=60))
def test_retry_after_is_never_negative(value: str) -> None:
    seconds = retry_after({"date": HTTP_NOON, "retry-after": value})
    assert seconds is None or seconds >= 0


@given(st.text(max_size=60))
def test_any_date_header_is_read_or_ignored(value: str) -> None:
    found = answered_at({"date": value})
    assert found is None or found.tzinfo is not None


def test_the_date_header_is_the_services_clock() -> None:
    assert answered_at({"date": HTTP_NOON}) == NOON
    assert answered_at({}) is None

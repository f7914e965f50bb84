"""Arguments first, then the environment; what cannot work is refused at once."""

from __future__ import annotations

import math
from typing import Any

import pytest

from kling_facade.errors import ConfigurationError, InvalidInputError, KlingError
from kling_facade.settings import read_settings


def test_arguments_win_over_the_environment() -> None:
    environ = {
        "APIKLEY_API_KEY": "env",
        "APIKLEY_BASE_URL": "https://env.test",
        "APIKLEY_UPLOAD_URL": "https://up.test/",
    }
    settings = read_settings(environ=environ)
    assert (settings.api_key, settings.base_url, settings.upload_url) == (
        "env",
        "https://env.test",
        "https://up.test",
    )
    settings = read_settings("arg", base_url="https://arg.test/", environ=environ)
    assert (settings.api_key, settings.base_url) == ("arg", "https://arg.test")


def test_uploads_go_to_the_same_host_unless_told_otherwise() -> None:
    assert read_settings("k", environ={}).upload_url == "https://api.apikley.ru/file-upload"
    assert (
        read_settings("k", base_url="https://b.test", environ={}).upload_url == "https://b.test/file-upload"
    )


@pytest.mark.parametrize("key", [None, "", "  "])
def test_without_a_key_both_ways_on_are_named(key: str | None) -> None:
    with pytest.raises(ConfigurationError, match=r"APIKLEY_API_KEY.*sandbox"):
        read_settings(key, environ={})


@pytest.mark.parametrize("key", ["a b", "ключ", "a\nb", "a\x00b"])
def test_a_key_that_no_header_can_carry_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_settings(key, environ={})
    assert key not in str(caught.value)


def test_a_key_may_have_been_copied_with_its_line_end() -> None:
    assert read_settings("key\n", environ={}).api_key == "key"


@pytest.mark.parametrize(
    "url", ["api.test", "ftp://api.test", "https://", "https://a b", "https://a/?x=1", "https://a:x"]
)
def test_what_is_no_address_is_refused_by_name(url: str) -> None:
    with pytest.raises(ConfigurationError, match="base_url"):
        read_settings("k", base_url=url, environ={})
    with pytest.raises(ConfigurationError, match="upload_url"):
        read_settings("k", upload_url=url, environ={})


@pytest.mark.parametrize("timeout", [0, -1, math.nan, math.inf, -math.inf, 1e9, True, "30", None])
def test_what_is_no_length_of_time_is_refused_by_name(timeout: float) -> None:
    with pytest.raises(InvalidInputError, match="^timeout: "):
        read_settings("k", timeout=timeout, environ={})


def test_the_key_is_not_in_the_repr() -> None:
    assert "secret" not in repr(read_settings("secret", environ={}))


@pytest.mark.parametrize("wrong", [5, b"key", ["key"]])
def test_a_key_or_address_of_the_wrong_type_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="api_key"):
        read_settings(wrong, environ={})
    with pytest.raises(ConfigurationError, match="base_url"):
        read_settings("k", base_url=wrong, environ={})


@pytest.mark.parametrize("option", [{"polling": 2.7}, {"polling": 3}, {"limits": 20}, {"journal": 7}])
def test_a_setting_of_the_wrong_type_is_refused_before_anything_is_sent(
    connect: Any, option: dict[str, Any]
) -> None:
    with pytest.raises(KlingError, match=next(iter(option))):
        connect("http://127.0.0.1:9", **option)


def test_a_key_that_would_travel_in_the_open_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    read_settings("secret", base_url="http://127.0.0.1:8787", environ={})
    assert caplog.records == []
    read_settings("secret", base_url="http://api.test", environ={})
    assert "not encrypted" in caplog.text
    assert "secret" not in caplog.text

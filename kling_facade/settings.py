"""Key, hosts and times: from arguments, then from the environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from attrs import field, frozen

from kling_facade.errors import ConfigurationError, InvalidInputError
from kling_facade.events import log

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

BASE_URL = "https://api.apikley.ru"
UPLOAD_PATH = "/file-upload"  # under the base URL, so that a key never goes to another company
_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
LONGEST = 30 * 24 * 3600.0  # seconds; more is a mistake in units


@frozen
class Settings:
    """What a client was told.

    Attributes:
        base_url: scheme and host of the API, without a slash at the end.
        upload_url: the same for uploads.
        timeout: seconds that one call may take.
    """

    api_key: str = field(repr=False)
    base_url: str
    upload_url: str
    timeout: float


@frozen
class Connecting:
    """How connections are made; ``None`` leaves it to the environment."""

    proxy: str | None = None
    ssl_context: ssl.SSLContext | None = None


def check_connecting(proxy: str | None, ssl_context: ssl.SSLContext | None) -> Connecting:
    """How connections are made; ConfigurationError for a proxy that is no URL."""
    if proxy is not None and (problem := http_url_problem(proxy)):
        raise ConfigurationError(f"proxy {problem}")
    return Connecting(proxy, ssl_context)


def read_settings(
    api_key: str | None = None,
    *,
    base_url: str | None = None,
    upload_url: str | None = None,
    timeout: float = 30.0,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """Settings that can work, or an error that names what is missing.

    Raises:
        ConfigurationError: no key, a key that no header can carry, a URL that is none.
        InvalidInputError: ``timeout`` is not a number of seconds.
    """
    base = _read_url("base_url", "APIKLEY_BASE_URL", base_url, environ) or BASE_URL
    if base.startswith("http://") and urlsplit(base).hostname not in _THIS_MACHINE:
        log.warning("%s is not encrypted: whoever listens on the way can read the API key", base)
    return Settings(
        api_key=_read_key(api_key, environ),
        base_url=base,
        upload_url=_read_url("upload_url", "APIKLEY_UPLOAD_URL", upload_url, environ) or base + UPLOAD_PATH,
        timeout=check_seconds("timeout", timeout),
    )


def check_seconds(name: str, value: object) -> float:
    """The value as a float, if it is a length of time that can be waited for."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInputError(name, f"a number of seconds, not {type(value).__name__}")
    if not 0 < value <= LONGEST:  # NaN too
        raise InvalidInputError(name, f"{value!r} is not between 0 and {LONGEST:,.0f} seconds (30 days)")
    return float(value)


def _read_key(given: object, environ: Mapping[str, str]) -> str:
    key = environ.get("APIKLEY_API_KEY", "") if given is None else given
    if not isinstance(key, str):
        raise ConfigurationError(f"api_key is a string, not {type(key).__name__}")
    key = key.strip()
    if not key:
        raise ConfigurationError(
            "There is no API key. Pass api_key=…, or set APIKLEY_API_KEY; to try things out without one, "
            "use the sandbox: `with kling_facade.sandbox.Sandbox() as sandbox: kling = sandbox.client()`."
        )
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise ConfigurationError(
            "The API key holds characters that no key has; was more than the key copied?"
        )
    return key


def _read_url(name: str, variable: str, given: object, environ: Mapping[str, str]) -> str:
    url = environ.get(variable, "") if given is None else given
    if not isinstance(url, str):
        raise ConfigurationError(f"{name} is a string, not {type(url).__name__}")
    url = url.strip().rstrip("/")
    problem = url and http_url_problem(url)
    if problem or "?" in url or "#" in url:
        raise ConfigurationError(
            f"{name} (or {variable}) {problem or 'must end before any ? or #'}; it is scheme and host, "
            f"like {BASE_URL}"
        )
    return url


def http_url_problem(url: str) -> str:
    """Why this is no absolute http(s) URL; "" if it is one."""
    if " " in url or not url.isprintable():  # no other white space counts as printable
        return "holds white space or control characters"
    try:
        parts = urlsplit(url)
        _ = parts.port  # urlsplit checks the port only when asked
    except ValueError as error:
        return f"is no URL ({error})"
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        return "is not an absolute http:// or https:// URL"
    return ""

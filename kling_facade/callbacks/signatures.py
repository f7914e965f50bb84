"""Signatures: the service's over a task id and a time, our own over a submission id; one set of keys."""

from __future__ import annotations

import os
from binascii import b2a_base64, hexlify
from hmac import HMAC, compare_digest
from typing import TYPE_CHECKING

from kling_facade.errors import CallbackRejectedError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

VARIABLE = "APIKLEY_WEBHOOK_KEYS"
MARK = "kf"  # the query parameter that carries our mark


class Keys:
    """The secrets that are good now: the first one signs, every one is accepted.

    Args:
        keys: one string, split at white space, or several; else ``APIKLEY_WEBHOOK_KEYS``.

    Raises:
        ConfigurationError: there is none, or one is empty or no text.
    """

    __slots__ = ("_keyed",)

    def __init__(self, keys: str | Iterable[str] | None = None) -> None:
        if keys is None:
            keys = os.environ.get(VARIABLE, "")
        self._keyed = [_check_key(key) for key in (_split(keys) if isinstance(keys, str) else keys)]
        if not self._keyed:
            raise ConfigurationError(
                f"There is no webhook key. Set {VARIABLE} (or pass CallbackVerifier([key])): the key made at "
                "the service or, if you made none there, any long secret of your own."
            )

    def __len__(self) -> int:
        return len(self._keyed)

    def sign(self, task_id: str, timestamp: int) -> str:
        """A signature, as the service makes it, with the first key."""
        return b2a_base64(_digest(self._keyed[0], f"{task_id}.{timestamp}".encode()), newline=False).decode()

    def signer(self, task_id: str, timestamp: bytes, signature: bytes) -> int | None:
        """Which key signed this, as the service does; None if none did."""
        line = signature + b"\n"  # as b2a_base64 ends it
        return self._find(f"{task_id}.".encode() + timestamp, line, b2a_base64)

    def mark(self, submission_id: str) -> str:
        """What a callback URL carries, so that its caller is known and the submission found."""
        mac = hexlify(_digest(self._keyed[0], submission_id.encode()))
        return f"{MARK}={submission_id}.{mac.decode()}"

    def marker(self, submission_id: str, mac: str) -> int | None:
        """Which key made this mark; None if none did."""
        # the service signs "<task id>.<time>", a submission id has no dot: neither can stand for the other
        text, given = submission_id.encode(errors="replace"), mac.encode(errors="replace")
        return self._find(text, given, hexlify)

    def _find(self, text: bytes, given: bytes, spell: Callable[[bytes], bytes]) -> int | None:
        """Tries every key, whichever fits, so that the time taken tells nothing."""
        found = None
        for index, keyed in enumerate(self._keyed):
            if compare_digest(spell(_digest(keyed, text)), given) and found is None:
                found = index
        return found


def sign(key: str, task_id: str, timestamp: int) -> str:
    """The ``X-Webhook-Signature`` of a callback, as the service makes it; for tests of your own receiver.

    Args:
        key: the webhook key.
        task_id: the task that the body names.
        timestamp: Unix seconds, as in ``X-Webhook-Timestamp``.

    Raises:
        ConfigurationError: the key is empty.
    """
    return Keys([key]).sign(task_id, timestamp)


def read_mark(query: str | bytes) -> tuple[str, str] | None:
    """Submission id and code of the mark in a URL's query; None if there is no mark.

    Raises:
        CallbackRejectedError: there are two.
    """
    if isinstance(query, bytes):
        query = query.decode("latin-1")
    pairs = (pair.partition("=") for pair in query.removeprefix("?").split("&"))
    marks = [value for name, _, value in pairs if name == MARK]
    if len(marks) > 1:
        raise CallbackRejectedError("the URL carries two marks", http_status=400)
    if not marks:
        return None
    submission_id, _, mac = marks[0].partition(".")
    return submission_id, mac


def _split(keys: str) -> list[str]:
    if "," in keys:
        raise ConfigurationError(
            f"the webhook keys in {VARIABLE} hold a comma; white space parts them. A key that has a comma "
            "goes into a list: CallbackVerifier([key])"
        )
    return keys.split()


def _check_key(key: object) -> HMAC:
    """What begins every code made with it; with an empty key anybody could sign."""
    if not isinstance(key, str):
        raise ConfigurationError(f"a webhook key is text, not {type(key).__name__}")
    secret = key.strip()
    if not secret:
        raise ConfigurationError("a webhook key is empty; anybody could sign with it")
    try:
        return HMAC(secret.encode(), digestmod="sha256")
    except UnicodeEncodeError:
        raise ConfigurationError("a webhook key holds half a character (a lone surrogate)") from None


def _digest(keyed: HMAC, text: bytes) -> bytes:
    code = keyed.copy()  # half as dear as to begin with the key again
    code.update(text)
    return code.digest()

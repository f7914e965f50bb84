"""Whether a callback is what it says it is: any bytes in, a ``Callback`` or one kind of error out."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from json import JSONDecoder
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from kling_facade.callbacks.signatures import Keys, read_mark
from kling_facade.errors import CallbackRejectedError, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Text = str | bytes
    Headers = Mapping[str, str] | Iterable[tuple[Text, Text]]
    Pairs: TypeAlias = "tuple[tuple[str, Value], ...]"
    Value: TypeAlias = "str | float | list[Value] | Pairs | None"

MAX_BODY = 1024**2  # bytes; a callback has a few thousand
TIMESTAMP, SIGNATURE = "X-Webhook-Timestamp", "X-Webhook-Signature"
_HEADERS: dict[str | bytes, str] = {
    spelled: name for name in (TIMESTAMP, SIGNATURE) for spelled in (name.lower(), name.lower().encode())
}
_NAME_LENGTH = len(TIMESTAMP)  # characters; both names have as many
_ID_NAMES = frozenset({"taskId", "task_id"})
_LONGEST_ID = 256  # characters
_LONGEST_TIME = 11  # digits of Unix seconds: until the year 5138


class Callback(NamedTuple):
    """The news that a task has ended; how, ``kling.task(callback.task_id).status()`` tells.

    It has no result: the signature covers the id and the time only, so whoever has seen one callback can send
    any other content with it.

    Attributes:
        task_id: the task.
        sent_at: when the service signed it; None where only our own mark vouches for it.
        key_index: which of the keys it was made with, 0 for the first.
        submission_id: the attempt to buy that the mark names; None where there is no mark.
    """

    task_id: str
    sent_at: datetime | None
    key_index: int
    submission_id: str | None


class CallbackVerifier:
    """Tells the service's callbacks from everybody else's.

    A callback must bear the service's signature or the mark that this library puts on callback URLs; whatever
    it bears must be right.

    Args:
        keys: webhook keys, as one string split at white space or several; else ``APIKLEY_WEBHOOK_KEYS``. All
            are accepted, so that a key can be changed without losing a callback; the first one makes marks.
        tolerance: seconds by which the signed time may be off, in either direction.
        clock: Unix seconds.

    Raises:
        ConfigurationError: no key, or an empty one.
        InvalidInputError: of field "tolerance".
    """

    def __init__(
        self,
        keys: str | Iterable[str] | None = None,
        *,
        tolerance: float = 300.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not tolerance > 0:
            raise InvalidInputError("tolerance", f"{tolerance!r} is not a number of seconds above 0")
        self._keys = Keys(keys)
        self._tolerance = tolerance
        self._clock = clock

    def __repr__(self) -> str:
        return f"<{type(self).__name__} with {len(self._keys)} key{'s' * (len(self._keys) > 1)}>"

    def verify(self, headers: Headers, body: bytes, query: Text = "") -> Callback:
        """The callback, if it can be trusted to be one.

        Args:
            headers: a mapping or pairs, names in any case.
            body: as received.
            query: of the URL, as received.

        Raises:
            CallbackRejectedError: it cannot; whatever the bytes, nothing else is raised.
            InvalidInputError: the body is text; it must be the bytes as received.
        """
        timestamp, signature = _read_headers(headers)
        mark = read_mark(query) if query else None
        if signature is None and mark is None:
            raise CallbackRejectedError("it is neither signed nor marked", http_status=401)
        task_id = _read_task_id(body)
        submission_id, key_index = self._check_mark(*mark) if mark else (None, 0)
        sent_at = None
        if signature is not None:
            sent_at, key_index = self._check_signature(task_id, timestamp, signature, mark)
        return Callback(task_id, sent_at, key_index, submission_id)

    def mark(self, submission_id: str) -> str:
        """The query parameter by which a callback of this submission will be known."""
        return self._keys.mark(submission_id)

    def _check_mark(self, submission_id: str, mac: str) -> tuple[str, int]:
        index = self._keys.marker(submission_id, mac)
        if index is None:
            raise CallbackRejectedError("the mark in the URL is not ours", http_status=401)
        return submission_id, index

    def _check_signature(
        self, task_id: str, timestamp: bytes, signature: bytes, mark: object
    ) -> tuple[datetime, int]:
        if not timestamp.isdigit() or len(timestamp) > _LONGEST_TIME:
            what = "is not in whole Unix seconds" if timestamp else "is missing"
            raise CallbackRejectedError(f"{TIMESTAMP} {what}", http_status=400)
        seconds = int(timestamp)
        if abs(self._clock() - seconds) > self._tolerance:
            raise CallbackRejectedError("it was not signed just now", http_status=401)
        index = self._keys.signer(task_id, timestamp, signature)
        if index is None:
            also = (
                ", though the mark in the URL is ours: is the service's key among the keys?" if mark else ""
            )
            raise CallbackRejectedError(f"the signature is not right{also}", http_status=401)
        return datetime.fromtimestamp(seconds, UTC), index


def _read_headers(headers: Any) -> tuple[bytes, bytes | None]:
    """Time and signature; b"" and None where they are missing."""
    timestamp = signature = None
    # the mappings of frameworks list a header that came twice twice
    pairs: Iterable[tuple[Text, Text]] = headers.items() if hasattr(headers, "items") else headers
    for name, value in pairs:
        if len(name) == _NAME_LENGTH and (known := _HEADERS.get(name.lower())):
            # what is not ASCII becomes "?", which is in no time and no signature
            text = value if isinstance(value, bytes) else value.encode("ascii", "replace")
            if known is TIMESTAMP and timestamp is None:
                timestamp = text
            elif known is SIGNATURE and signature is None:
                signature = text
            else:
                raise CallbackRejectedError(f"{known} is given twice", http_status=400)
    return timestamp or b"", signature


def _read_task_id(body: bytes) -> str:
    """The one id that the body names."""
    if len(body) > MAX_BODY:
        raise CallbackRejectedError(f"the body has more than {MAX_BODY:,} bytes", http_status=413)
    document: Value
    try:
        text = str(body, "utf-8").strip()
        document, end = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        raise CallbackRejectedError("the body is not JSON", http_status=400) from None
    except TypeError:
        raise InvalidInputError("body", "is not bytes; it must be as it was received") from None
    if end != len(text) or not isinstance(document, tuple):
        raise CallbackRejectedError("the body is not a JSON object", http_status=400)
    task_id = ""
    for found in _find_ids(document):
        if not isinstance(found, str) or not 0 < len(found) <= _LONGEST_ID or not found.isprintable():
            raise CallbackRejectedError("the body names a task by what is no id", http_status=400)
        if task_id and task_id != found:
            raise CallbackRejectedError("the body names two tasks", http_status=400)
        task_id = found
    if not task_id:
        raise CallbackRejectedError("the body names no task", http_status=400)
    return task_id


def _find_ids(document: Pairs) -> list[Value]:
    """All that the body gives as the task's id; the wire has had it in four places."""
    ids: list[Value] = []
    for name, value in document:
        if name in _ID_NAMES:
            ids.append(value)
        elif name == "data" and isinstance(value, tuple):
            ids += [within for inner, within in value if inner in _ID_NAMES]
    return ids


# objects stay pairs: of a name given twice a dict would keep one value here and another elsewhere
_DECODER = JSONDecoder(object_pairs_hook=tuple)

"""What the sandbox answers: the service's envelope, and answers made by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping


@frozen
class Answer:
    """One HTTP answer, byte for byte.

    Attributes:
        status: 200 to 599; the service also uses numbers that no standard knows, such as 433, 455 and 520.
        headers: sent as they are; no Content-Type is added.
        body: raw bytes.
        delay: real seconds before the first byte; sockets know no other time.
        drop: closes the connection instead of answering.
    """

    status: int = 200
    headers: Mapping[str, str] = field(factory=dict[str, str])
    body: bytes = field(default=b"", repr=False)
    delay: float = 0.0
    drop: bool = False

    @classmethod
    def json(cls, document: object, *, status: int = 200, delay: float = 0.0) -> Answer:
        """Any JSON document as an answer."""
        # Escaped to ASCII: a lone surrogate in a prompt is legal JSON and cannot be UTF-8.
        body = json.dumps(document).encode()
        return cls(status=status, headers={"content-type": "application/json"}, body=body, delay=delay)

    @classmethod
    def envelope(cls, code: int, msg: str, data: object = None, *, status: int = 200) -> Answer:
        """The service's envelope; failures too travel under HTTP 200 unless ``status`` says otherwise."""
        return cls.json({"code": code, "msg": msg, "data": data}, status=status)


class RefusedError(Exception):
    """A request that the service refuses.

    Args:
        code: of the envelope.
        msg: of the envelope.
        status: of HTTP; 200 for nearly every refusal of this service.
    """

    def __init__(self, code: int, msg: str, *, status: int = 200) -> None:
        super().__init__(code, msg)
        self.code = code
        self.msg = msg
        self.status = status

    def answer(self) -> Answer:
        """As it goes out."""
        return Answer.envelope(self.code, self.msg, status=self.status)


def success(data: Any) -> Answer:
    """The envelope around what was asked for."""
    return Answer.envelope(200, "success", data)

"""What crosses the wire, and the small port that every flow runs on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from concurrent.futures import Future
    from contextlib import AbstractContextManager

T = TypeVar("T")


@frozen
class Form:
    """A multipart body: plain fields and one file."""

    fields: Mapping[str, str]
    file_name: str
    content_type: str
    content: bytes = field(repr=False)
    boundary: str


@frozen(eq=False)
class Request:
    """One call of the API; it can be sent any number of times.

    Attributes:
        fresh: to be sent on a connection of its own. A kept one may have died silently, which would turn
            "never sent" into "perhaps accepted".
    """

    method: str
    url: str
    params: Mapping[str, str] = field(factory=dict[str, str])
    body: bytes | None = field(default=None, repr=False)
    form: Form | None = None
    fresh: bool = False


@frozen
class Reply:
    """An answer that arrived whole. Header names are lower-case."""

    status: int
    headers: Mapping[str, str] = field(factory=dict[str, str])
    body: bytes = field(default=b"", repr=False)


@frozen
class NotSent:
    """Not a byte of the request left: the name, the connection or TLS failed.

    Attributes:
        hopeless: trying again cannot help (a certificate that is not trusted, a URL that is none).
    """

    reason: str
    hopeless: bool = False


@frozen
class AnswerLost:
    """The request may have arrived; its answer did not."""

    reason: str


Answer = Reply | NotSent | AnswerLost


class Sink(Protocol):
    """Where the bytes of a download go."""

    @property
    def headers(self) -> Mapping[str, str]:
        """What to ask with: a Range where bytes are there already."""
        ...

    def begin(self, reply: Reply) -> bool:
        """Told the status and headers before the first byte; False declines the body."""
        ...

    def write(self, data: bytes) -> None:
        """Takes the next bytes; may block, and may raise DownloadError to end the attempt."""
        ...

    def report(self) -> None:
        """Called after a write, where the caller's own code may run."""
        ...


class Clock(Protocol):
    """Time as a client sees it; the sandbox and tests bring their own."""

    def now(self) -> float:
        """Seconds that never run backwards, from any beginning."""
        ...

    def sleep(self, seconds: float, wake: Future[None] | None = None) -> None:
        """Returns when that many seconds have passed, or ``wake`` is done."""
        ...

    async def async_sleep(self, seconds: float, wake: Future[None] | None = None) -> None:
        """The same, without holding up the event loop."""
        ...

    def acting(self) -> AbstractContextManager[object]:
        """While a call is under way; a clock that jumps when everybody sleeps must not jump then."""
        ...


class IO(Protocol):
    """All that a flow may await. A synchronous implementation never suspends."""

    def now(self) -> float:
        """The clock's seconds."""
        ...

    async def sleep(self, seconds: float, wake: Future[None] | None = None) -> None:
        """Returns when that many seconds have passed, or ``wake`` is done."""
        ...

    async def send(self, request: Request, *, timeout: float) -> Answer:
        """Sends once; what happened, after at most ``timeout`` seconds. Never raises for the network."""
        ...

    async def fetch(self, url: str, sink: Sink, *, timeout: float) -> Answer:
        """Downloads once, without the key; ``timeout`` is the longest silence. The reply has no body."""
        ...

    async def blocking(self, work: Callable[[], T]) -> T:
        """Runs what touches files."""
        ...

    async def finish(self, flow: Callable[[], Coroutine[Any, Any, T]], *, orphaned: Callable[[T], None]) -> T:
        """Runs a flow to its end whoever is cancelled meanwhile; then ``orphaned`` gets what it returned."""
        ...

"""What every flow of one client shares."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from attrs import field, frozen

from kling_facade.errors import InvalidInputError
from kling_facade.events import Events
from kling_facade.inputs import check_url
from kling_facade.kinds import kind_seen
from kling_facade.limits import Limits, Turns
from kling_facade.polling import PollPolicy

if TYPE_CHECKING:
    import os

    from kling_facade.callbacks import CallbackInbox
    from kling_facade.journal import Journal
    from kling_facade.kinds import Kind
    from kling_facade.records import TaskStatus
    from kling_facade.settings import Settings
    from kling_facade.wire import IO

_REMEMBERED = 256  # finished tasks, whose durations are not learned again


class Sighting:
    """The latest look at one task, shared by all who wait for it."""

    __slots__ = ("__weakref__", "at", "status")

    def __init__(self) -> None:
        self.at = float("-inf")
        self.status: TaskStatus | None = None


@frozen(eq=False)
class Session:
    """One client's port to the world, what it was told, and what its calls have in common."""

    io: IO
    settings: Settings
    polling: PollPolicy
    creates: Turns
    queries: Turns
    journal: Journal | None = None
    inbox: CallbackInbox | None = None
    events: Events = field(factory=Events)
    sightings: WeakValueDictionary[str, Sighting] = field(factory=WeakValueDictionary[str, Sighting])
    _learned: deque[str] = field(factory=lambda: deque[str](maxlen=_REMEMBERED))

    def learn(self, status: TaskStatus, kind: Kind | None = None) -> None:
        """Tells the policy how long a video took, by the service's own clock; once, however often it is seen.

        Args:
            status: of a task in any state.
            kind: as asked for; None to go by the record.
        """
        begin, end = status.created_at, status.completed_at
        if status.succeeded and begin and end and status.task_id not in self._learned:
            self._learned.append(status.task_id)
            self.polling.learn(kind or kind_seen(status), (end - begin).total_seconds())


def open_session(
    io: IO,
    settings: Settings,
    polling: PollPolicy,
    *,
    limits: Limits | None = None,
    journal: str | os.PathLike[str] | Journal | None = None,
    inbox: CallbackInbox | None = None,
    events: Events | None = None,
) -> Session:
    """A session with its own queues; its inbox, if there is one, remembers in its journal."""
    _check_kind("polling", polling, PollPolicy, "PollPolicy(delay=2.7)")
    limits = Limits() if limits is None else limits
    _check_kind("limits", limits, Limits, "Limits(creates=20)")
    journal = None if journal is None else _open_journal(journal)
    if inbox is not None:
        _check_inbox_url(inbox)
        if journal is not None:
            inbox.lend(journal)
    return Session(
        io,
        settings,
        polling,
        creates=Turns(limits.creates, limits.create_period),
        queries=Turns(limits.queries, limits.query_period),
        journal=journal,
        inbox=inbox,
        events=events or Events(),
    )


def _check_kind(name: str, value: object, kind: type, example: str) -> None:
    if not isinstance(value, kind):
        raise InvalidInputError(name, f"{value!r:.100} is none; give one like {example}")


def _open_journal(journal: str | os.PathLike[str] | Journal) -> Journal:
    from kling_facade.journal import Journal  # loads sqlite3, 10 ms

    return journal if isinstance(journal, Journal) else Journal(journal)


def _check_inbox_url(inbox: CallbackInbox) -> None:
    if inbox.url is not None and "#" in check_url("inbox", inbox.url):
        raise InvalidInputError("inbox", f"the mark goes into the query: {inbox.url!r} must have no #")

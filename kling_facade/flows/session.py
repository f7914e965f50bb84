"""What every flow of one client shares."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from attrs import field, frozen

from kling_facade.events import Events
from kling_facade.limits import Limits, Turns

if TYPE_CHECKING:
    from kling_facade.journal import Journal
    from kling_facade.polling import PollPolicy
    from kling_facade.records import TaskStatus
    from kling_facade.settings import Settings
    from kling_facade.wire import IO


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
    events: Events = field(factory=Events)
    sightings: WeakValueDictionary[str, Sighting] = field(factory=WeakValueDictionary[str, Sighting])


def open_session(
    io: IO,
    settings: Settings,
    polling: PollPolicy,
    *,
    limits: Limits | None = None,
    journal: Journal | None = None,
    events: Events | None = None,
) -> Session:
    """A session with its own queues."""
    limits = limits or Limits()
    return Session(
        io,
        settings,
        polling,
        creates=Turns(limits.creates, limits.create_period),
        queries=Turns(limits.queries, limits.query_period),
        journal=journal,
        events=events or Events(),
    )

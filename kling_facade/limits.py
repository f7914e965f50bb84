"""Who may call when: at most so many calls in any period, first come, first served. Pure but for its lock."""

from __future__ import annotations

import threading
from collections import deque

from attrs import frozen

from kling_facade.errors import InvalidInputError
from kling_facade.settings import check_seconds

_QUIET_PERIODS = 10  # without a refusal, before one more call is tried
_MOST = 100_000  # calls in a period; more is a mistake
_SHORTEST = 0.001  # seconds between two questions for a turn


@frozen
class Limits:
    """What the service lets one account do; "may differ", say its documents.

    Attributes:
        creates: tasks created in any ``create_period``; None for no limit.
        create_period: seconds.
        queries: questions asked in any ``query_period``; None for no limit.
        query_period: seconds.
    """

    creates: int | None = 20
    create_period: float = 10.0
    queries: int | None = 10
    query_period: float = 1.0

    def __attrs_post_init__(self) -> None:
        _check_calls("creates", self.creates)
        _check_calls("queries", self.queries)
        check_seconds("create_period", self.create_period)
        check_seconds("query_period", self.query_period)


def _check_calls(name: str, calls: object) -> None:
    if calls is None or (isinstance(calls, int) and not isinstance(calls, bool) and 1 <= calls <= _MOST):
        return
    raise InvalidInputError(name, f"a whole number from 1 to {_MOST:,}, or None for no limit, not {calls!r}")


class Place:
    """One caller's place in the queue; then, once it has its turn, the slot it took."""

    __slots__ = ("free_at", "held")

    def __init__(self) -> None:
        self.free_at: float | None = None  # unknown until the call is answered
        self.held = False  # whether the service let the call through


class Turns:
    """A queue for ``calls`` slots, each of which is free again one period after the answer to its call.

    After the answer and not after the sending: the service counts when a call arrives, and only the answer
    says that it has. A refusal means that the service counts differently: the slots become as few as it
    really allowed; after ten quiet periods one more is tried, after twenty if that was refused, and so on.

    Args:
        calls: slots; None for no limit.
        period: seconds.
    """

    def __init__(self, calls: int | None, period: float) -> None:
        self._most = calls
        self._calls = calls or 0
        self._period = period
        self._lock = threading.Lock()
        self._queue: deque[Place] = deque()
        self._taken: list[Place] = []
        self._quiet_since = 0.0
        self._patience = _QUIET_PERIODS

    def enter(self) -> Place:
        """A place at the end of the queue; it must ``leave`` or, after its turn, be ``answered``."""
        place = Place()
        with self._lock:
            self._queue.append(place)
        return place

    def delay(self, place: Place, now: float) -> float:
        """Seconds after which to ask again; 0 gives the turn."""
        with self._lock:
            if self._most is not None:
                self._tidy(now, self._most)
                ahead = self._queue.index(place)
                if ahead >= self._calls - len(self._taken):
                    # nobody sleeps longer than a period, so that more slots reach everybody
                    return min(max(self._earliest(ahead, now) - now, _SHORTEST), self._period)
                self._taken.append(place)
            self._queue.remove(place)
            return 0.0

    def wait(self) -> float:
        """About how many seconds a newcomer would wait, going by the length of the queue."""
        with self._lock:
            return 0.0 if self._most is None else len(self._queue) * self._period / self._calls

    def leave(self, place: Place) -> None:
        """Gives up a place whose turn has not come."""
        with self._lock:
            if place in self._queue:
                self._queue.remove(place)

    def answered(self, place: Place, now: float, *, refused: bool = False) -> None:
        """The call that took the turn is over, however it ended."""
        with self._lock:
            place.free_at, place.held = now + self._period, not refused
            if self._most is None:
                return
            held = sum(1 for other in self._taken if other.held and (other.free_at or 0.0) > now)
            if not refused:
                self._calls = max(self._calls, min(held, self._most))
            elif held < self._calls:
                self._patience = _QUIET_PERIODS if self._calls == self._most else 2 * self._patience
                self._calls, self._quiet_since = max(1, held), now

    def _tidy(self, now: float, most: int) -> None:
        self._taken = [place for place in self._taken if place.free_at is None or place.free_at > now]
        if self._calls < most and now - self._quiet_since >= self._patience * self._period:
            self._calls, self._quiet_since = self._calls + 1, now

    def _earliest(self, ahead: int, now: float) -> float:
        """When at the earliest the caller with so many before it can have a slot."""
        soonest = now + self._period  # for slots whose call is not answered, or not even made
        frees = sorted(place.free_at or soonest for place in self._taken)
        frees += [soonest] * (self._calls - len(frees))
        nth = ahead + len(self._taken) - self._calls  # of the slots that become free
        rounds = max(0, -(-(nth + 1 - len(frees)) // self._calls))
        return frees[nth - rounds * self._calls] + rounds * self._period

"""The account that pays, and how often it may call."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from kling_facade.sandbox.answers import RefusedError

if TYPE_CHECKING:
    from kling_facade.sandbox.clock import Clock

PRICES = {"5": 55.0, "10": 110.0}  # credits, by seconds of video; sound doubles them


def price(duration: str, *, sound: bool) -> float:
    """Credits for one video."""
    return PRICES[duration] * (2 if sound else 1)


class Account:
    """A balance of credits: charged when a task is accepted, refunded when it fails."""

    def __init__(self, credits: float) -> None:  # noqa: A002 - the service's word
        self.credits = credits

    def charge(self, amount: float) -> None:
        """Takes the price of a task, or refuses."""
        if amount > self.credits:
            raise RefusedError(
                402,
                "Credits insufficient: your current balance isn't enough to run this request."
                " Please top up to continue.",
            )
        self.credits -= amount

    def refund(self, amount: float) -> None:
        """Gives back what a failed task had cost."""
        self.credits += amount


class Limit:
    """At most so many calls in any window of time; calls above it are refused, not queued.

    Args:
        clock: whose seconds count.
        most: calls in a window; None for no limit.
        period: length of the window in simulated seconds.
    """

    def __init__(self, clock: Clock, most: int | None, period: float) -> None:
        self._clock = clock
        self._most = most
        self._period = period
        self._calls: deque[float] = deque()

    def enter(self) -> None:
        """Counts one call.

        Raises:
            RefusedError: 429, the one refusal that is promised a real HTTP status.
        """
        if self._most is None:
            return
        now = self._clock.now()
        while self._calls and self._calls[0] <= now - self._period:
            self._calls.popleft()
        if len(self._calls) >= self._most:
            raise RefusedError(429, "Your call frequency is too high. Please try again later.", status=429)
        self._calls.append(now)

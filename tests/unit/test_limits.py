"""Who may call when, against a service that counts for itself."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling_facade import InvalidInputError, Limits
from kling_facade.limits import Place, Turns


class Service:
    """Lets ``allowed`` calls through in any ``period``; each answer takes ``latency`` seconds."""

    def __init__(self, allowed: int, period: float, *, latency: float = 0.15) -> None:
        self.allowed, self.period, self.latency = allowed, period, latency
        self.let_through: list[float] = []
        self.refused = 0

    def arrive(self, at: float) -> bool:
        recent = sum(1 for time in self.let_through if time > at - self.period)
        if recent < self.allowed:
            self.let_through.append(at)
            return True
        self.refused += 1
        return False


def play(turns: Turns, service: Service, callers: int, *, start: float = 0.0, spread: float = 0.0) -> float:
    """When the last of the callers, who all come at once (or evenly over ``spread``), had its answer."""
    order = itertools.count()
    agenda: list[tuple[float, int, Callable[[float], None]]] = []
    ended: list[float] = []

    def at(time: float, act: Callable[[float], None]) -> None:
        heapq.heappush(agenda, (time, next(order), act))

    def ask(place: Place, now: float) -> None:
        if (delay := turns.delay(place, now)) > 0:
            at(now + delay, lambda later: ask(place, later))
        else:
            at(now + service.latency / 2, lambda later: arrive(place, later))

    def arrive(place: Place, now: float) -> None:
        held = service.arrive(now)
        at(now + service.latency / 2, lambda later: answer(place, later, held=held))

    def answer(place: Place, now: float, *, held: bool) -> None:
        turns.answered(place, now, refused=not held)
        if held:
            ended.append(now)
        else:
            at(now + service.period, enter)

    def enter(now: float) -> None:
        ask(turns.enter(), now)

    for number in range(callers):
        at(start + spread * number / callers, enter)
    while agenda:
        now, _, act = heapq.heappop(agenda)
        act(now)
    assert len(ended) == callers
    return max(ended)


@pytest.mark.parametrize(("callers", "calls", "period"), [(200, 20, 10.0), (100, 10, 1.0), (7, 1, 3.0)])
def test_nobody_is_refused_and_no_time_is_lost(callers: int, calls: int, period: float) -> None:
    service = Service(calls, period)
    took = play(Turns(calls, period), service, callers)
    assert service.refused == 0
    least = (math.ceil(callers / calls) - 1) * period
    rounds = math.ceil(callers / calls)
    assert least <= took <= least + rounds * service.latency + 0.01


@pytest.mark.parametrize("allowed", [1, 2, 5, 13, 19])
def test_a_stricter_service_is_learned_from_its_refusals(allowed: int) -> None:
    service = Service(allowed, 10.0)
    took = play(Turns(20, 10.0), service, 200)
    assert took <= 1.1 * (math.ceil(200 / allowed) - 1) * 10.0
    assert service.refused < 30


def test_a_service_that_becomes_generous_again_is_noticed() -> None:
    turns, service = Turns(20, 10.0), Service(5, 10.0)
    now = play(turns, service, 40)
    service.allowed = 20
    assert play(turns, service, 400, start=now) - now < 0.8 * (400 / 5) * 10


@given(
    st.integers(1, 5),
    st.integers(1, 5),
    st.integers(1, 40),
    st.floats(0, 30),
    st.floats(0.001, 5),
)
def test_everybody_gets_a_turn_in_the_end(
    calls: int, allowed: int, callers: int, spread: float, latency: float
) -> None:
    service = Service(allowed, 1.0, latency=latency)
    play(Turns(calls, 1.0), service, callers, spread=spread)
    if allowed >= calls:
        assert service.refused == 0


def test_turns_are_given_in_the_order_of_arrival() -> None:
    turns = Turns(1, 10.0)
    first, second, third = turns.enter(), turns.enter(), turns.enter()
    assert turns.delay(second, 0) > 0
    assert turns.delay(first, 0) == 0
    turns.answered(first, 1)
    assert turns.delay(third, 11) > 0
    assert turns.delay(second, 11) == 0


def test_leaving_the_queue_frees_the_place() -> None:
    turns = Turns(1, 10.0)
    first, second = turns.enter(), turns.enter()
    turns.leave(first)
    turns.leave(first)
    assert turns.delay(second, 0) == 0


def test_a_slot_is_free_one_period_after_the_answer() -> None:
    turns = Turns(1, 10.0)
    first, second = turns.enter(), turns.enter()
    assert turns.delay(first, 0) == 0
    assert turns.delay(second, 3) == 10.0  # not answered yet: a period from now at the earliest
    turns.answered(first, 4)
    assert turns.delay(second, 5) == 9.0
    assert turns.delay(second, 14) == 0


def test_without_a_limit_nobody_waits() -> None:
    turns = Turns(None, 10.0)
    for _ in range(1000):
        place = turns.enter()
        assert turns.delay(place, 0) == 0
        turns.answered(place, 0, refused=True)


@pytest.mark.parametrize("calls", [0, -1, 1.5, True, "20", 10**9, math.nan])
@pytest.mark.parametrize("name", ["creates", "queries"])
def test_what_is_no_number_of_calls_is_refused_by_name(name: str, calls: int) -> None:
    with pytest.raises(InvalidInputError, match=f"^{name}: "):
        Limits(creates=calls) if name == "creates" else Limits(queries=calls)


@pytest.mark.parametrize("period", [0, -1, math.nan, math.inf, 1e9, "1", True])
def test_what_is_no_period_is_refused_by_name(period: float) -> None:
    with pytest.raises(InvalidInputError, match="^create_period: "):
        Limits(create_period=period)
    with pytest.raises(InvalidInputError, match="^query_period: "):
        Limits(query_period=period)

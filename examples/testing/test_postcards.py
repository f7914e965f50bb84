"""How its tests look: real HTTP, no money, no network, and minutes that take no time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from postcards import make_postcard

if TYPE_CHECKING:
    from kling_facade import Kling
    from kling_facade.sandbox import Sandbox


def test_a_postcard_moves(kling_client: Kling, kling_sandbox: Sandbox, picture: Path) -> None:
    postcard = make_postcard(kling_client, picture, "The beam sweeps across the bay")
    assert Path(postcard).read_bytes()[4:8] == b"ftyp"
    assert kling_sandbox.credits == 10_000 - 55


@pytest.mark.kling(scenario="moderated")
def test_bad_words_cost_nothing(kling_client: Kling, kling_sandbox: Sandbox, picture: Path) -> None:
    assert make_postcard(kling_client, picture, "…") == "Please choose other words."
    assert kling_sandbox.credits == 10_000


@pytest.mark.kling(scenario="stuck")
def test_a_customer_is_not_kept_waiting_for_ever(
    kling_client: Kling, kling_sandbox: Sandbox, picture: Path
) -> None:
    before = kling_sandbox.clock.now()
    assert make_postcard(kling_client, picture, "…").startswith("It takes longer than usual")
    assert 14 * 60 < kling_sandbox.clock.now() - before < 16 * 60


@pytest.mark.kling(scenario="out_of_credits")
def test_an_empty_account_is_not_the_customer_s_fault(kling_client: Kling, picture: Path) -> None:
    assert make_postcard(kling_client, picture, "…") == "We are sold out."


@pytest.mark.kling(scenario="flaky", seed=1)
def test_bad_weather_does_not_show(kling_client: Kling, picture: Path) -> None:
    assert make_postcard(kling_client, picture, "The beam sweeps").endswith(".mp4")

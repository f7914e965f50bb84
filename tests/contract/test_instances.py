"""Whatever the document allows goes through the generated models unchanged, and is still allowed."""

from typing import Any

import pytest
from contract.schemas import MODELS, complaints, instances
from hypothesis import HealthCheck, given, settings

import kling_api.models


@pytest.mark.parametrize("name", MODELS)
def test_a_thousand_instances_come_back_as_they_were(name: str) -> None:
    model: Any = getattr(kling_api.models, name)

    @settings(max_examples=1000, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(instance=instances(MODELS[name]))
    def comes_back(instance: Any) -> None:
        back = model.from_dict(instance).to_dict()
        assert back == instance
        assert complaints(name, back) == []

    comes_back()


def test_each_component_is_a_model() -> None:
    assert len(MODELS) >= 8
    assert set(MODELS) <= set(kling_api.models.__all__)


def test_an_unknown_keyword_is_refused() -> None:
    with pytest.raises(NotImplementedError, match="pattern"):
        instances({"type": "string", "pattern": "a+"})

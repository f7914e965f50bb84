"""The keys that these tests know."""

from __future__ import annotations

import pytest
from support.senders import KEY


@pytest.fixture(autouse=True)
def _webhook_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APIKLEY_WEBHOOK_KEYS", KEY)

"""Patience: what a person would not wait for, a busy machine may need."""

from __future__ import annotations

import pytest

PLENTY = 60.0


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Children and commands may take longer than usual, where a test does not say how long."""
    monkeypatch.setattr("edgemind.verify.children.SECONDS", PLENTY)
    monkeypatch.setattr("edgemind.verify.external.USUAL_SECONDS", PLENTY)

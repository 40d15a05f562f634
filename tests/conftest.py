"""Every test starts from a clean environment: no setting of the person or machine that runs it leaks in."""

from __future__ import annotations

import atexit
import gc
import os
from collections.abc import Iterator

import pytest

atexit.register(gc.freeze)  # the reason is in tower/cli.py


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Remove TOWER_, OTEL_ and proxy variables for the length of a test."""
    for name in list(os.environ):
        if name.startswith(("TOWER_", "OTEL_")) or name.lower() in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.delenv(name)
    yield

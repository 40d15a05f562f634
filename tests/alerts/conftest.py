"""A tower that alerts on a store of its own and a target for its webhooks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.actions.target_stub import TargetStub
from tests.alerts.tower import Tower
from tower.store.client import Store


@pytest.fixture
def target() -> Iterator[TargetStub]:
    """A far side that answers 200 to everything until told otherwise."""
    stub = TargetStub()
    yield stub
    stub.close()


@pytest.fixture
def fresh(store: Store, target: TargetStub) -> Iterator[Tower]:
    """A tower that has not taken up its rulebook yet."""
    made = Tower(store, target.url)
    yield made
    made.close()


@pytest.fixture
def tower(fresh: Tower) -> Tower:
    """A tower that has: what was open by then is history."""
    fresh.step()
    return fresh

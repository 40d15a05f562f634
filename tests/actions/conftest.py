"""A world on a store of its own and a target on a free port."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.actions.target_stub import TargetStub
from tests.actions.world import World
from tower.store.client import Store


@pytest.fixture
def world(store: Store) -> World:
    """An empty world."""
    return World(store)


@pytest.fixture
def target() -> Iterator[TargetStub]:
    """A target that answers 200 to everything until told otherwise."""
    stub = TargetStub()
    yield stub
    stub.close()

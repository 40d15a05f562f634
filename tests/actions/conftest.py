"""A world on a store of its own and a target on a free port."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.actions.desk import Desk
from tests.actions.target_stub import TargetStub
from tests.actions.world import World, clock_row, make_book
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


@pytest.fixture
def make_desk(world: World, target: TargetStub) -> Iterator[Callable[..., Desk]]:
    desks: list[Desk] = []

    def make(**policy: Any) -> Desk:
        world.order("SO-1", clock_row(error="tax code missing"))
        world.link("SO-1", ("shipment", "S1"), ("order", "SO-1"))
        desks.append(Desk(world, make_book(target.url, **policy)))
        return desks[-1]

    yield make
    for desk in desks:
        for runner in desk.runners:
            runner.close()


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    return make_desk()

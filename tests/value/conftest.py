"""Worlds of these tests, each on a database of its own for the length of a module."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.stores import Shelf
from tests.value.world import World
from tower.store.client import Store


@pytest.fixture(scope="module")
def make_store(shelf: Shelf) -> Iterator[Callable[[], Store]]:
    """Return a maker of stores that last as long as the module."""
    made: list[Store] = []

    def make() -> Store:
        made.append(shelf.take())
        return made[-1]

    yield make
    for store in made:
        shelf.give(store)


@pytest.fixture
def world(make_store: Callable[[], Store], tmp_path_factory: pytest.TempPathFactory) -> World:
    """An empty world."""
    return World(make_store(), tmp_path_factory.mktemp("data"))

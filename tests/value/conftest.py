"""One embedded engine for these tests; a database of its own for each world."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from tests.value.world import World
from tower.store.client import Store
from tower.store.migrate import migrate

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def make_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Store]]:
    """Return a maker of migrated databases in one folder: a process can hold only one open."""
    address = f"chdb://{tmp_path_factory.mktemp('store')}"
    made = [Store(address, database="keeper")]

    def make() -> Store:
        store = Store(address, database=f"value_{next(_numbers)}")
        migrate(store)
        made.append(store)
        return store

    yield make
    for store in reversed(made):
        store.close()


@pytest.fixture
def world(make_store: Callable[[], Store], tmp_path_factory: pytest.TempPathFactory) -> World:
    """An empty world."""
    return World(make_store(), tmp_path_factory.mktemp("data"))

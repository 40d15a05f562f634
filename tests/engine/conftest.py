"""One embedded engine per test process; each test gets a database of its own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tower.store.client import Store
from tower.store.migrate import migrate

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def engine_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where this process keeps its embedded engine."""
    return tmp_path_factory.mktemp("engine")


@pytest.fixture
def make_store(engine_folder: Path) -> Iterator[Callable[[], Store]]:
    """Return a maker of fresh, migrated stores; they are closed at the end of the test."""
    made: list[Store] = []

    def make() -> Store:
        store = Store(f"chdb://{engine_folder}", database=f"engine_{next(_NUMBERS)}")
        migrate(store)
        made.append(store)
        return store

    yield make
    for store in made:
        store.close()

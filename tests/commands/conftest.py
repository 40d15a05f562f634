"""One embedded store for the tests of the commands, and a database of its own for each."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from tower.store.client import Store
from tower.store.migrate import migrate

_numbers = count()


@pytest.fixture(scope="session")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the DSN of one folder: a process may open no second."""
    return f"chdb://{tmp_path_factory.mktemp('store')}"


@pytest.fixture
def store(dsn: str) -> Iterator[Store]:
    """Yield a migrated store in a fresh database."""
    made = Store(dsn, database=f"commands_{next(_numbers)}")
    migrate(made)
    yield made
    made.close()

"""One embedded store per test module, closed again, since a process can hold only one folder open."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tower.store.client import Store
from tower.store.migrate import migrate


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A migrated store in a folder of its own."""
    opened = Store(f"chdb://{tmp_path_factory.mktemp('store')}", database="rules_test")
    migrate(opened)
    yield opened
    opened.close()

"""One store per test module: what its tests put there they replace themselves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.stores import Shelf
from tower.store.client import Store


@pytest.fixture(scope="module")
def store(shelf: Shelf) -> Iterator[Store]:
    """A migrated store for the module."""
    with shelf.lend() as lent:
        yield lent

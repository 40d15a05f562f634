"""A migrated store per test and a target on a free port."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.actions.target_stub import TargetStub
from tests.actions.world import World
from tower.store.client import Store
from tower.store.migrate import migrate

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The folder that a test module's databases share: a process can hold only one open."""
    address = f"chdb://{tmp_path_factory.mktemp('store')}"
    keeper = Store(address, database="keeper")
    yield address
    keeper.close()


@pytest.fixture
def store(dsn: str) -> Iterator[Store]:
    """A migrated database of one's own."""
    opened = Store(dsn, database=f"actions_{next(_numbers)}")
    migrate(opened)
    yield opened
    with opened.writer() as client:
        client.command(f"DROP DATABASE `{opened.database}`")
    opened.close()


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

"""A collector on a real embedded store, one database per test, with a stand-in for the engine's tick."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.collector.desk import Desk
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
    opened = Store(dsn, database=f"collector_{next(_numbers)}")
    migrate(opened)
    yield opened
    with opened.writer() as client:
        client.command(f"DROP DATABASE `{opened.database}`")
    opened.close()


@pytest.fixture
def make_desk(store: Store, tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """Open collectors on the test's store; they are stopped at the end."""
    desks: list[Desk] = []

    def make(**options: object) -> Desk:
        desk = Desk(store, tmp_path / "data", **options)  # type: ignore[arg-type]  # options are checked by Desk
        desks.append(desk)
        return desk

    yield make
    for desk in desks:
        desk.close()


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    """A running collector."""
    return make_desk()

"""A collector on a real embedded store, with a stand-in for the engine's tick."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.collector.desk import Desk
from tests.stores import Shelf
from tower.store.client import Store


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


@pytest.fixture(scope="module")
def refusing(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One collector for all that is refused in a file: nothing of it may be kept."""
    with shelf.lend() as store:
        desk = Desk(store, tmp_path_factory.mktemp("data"))
        yield desk
        desk.close()  # stores all that was taken
        assert desk.rows("count()") == desk.rows("count()", "raw") == [(0,)]

"""Desks that each have a database of their own, for tests that compare several."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.collector.desk import Desk
from tower.store.client import Store
from tower.store.migrate import migrate

_numbers = itertools.count(1)


@pytest.fixture
def fresh_desk(dsn: str, tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """Open collectors, each on a new database; all are gone at the end."""
    made: list[Desk] = []

    def make(**options: Any) -> Desk:
        number = next(_numbers)
        store = Store(dsn, database=f"fresh_{number}")
        migrate(store)
        made.append(Desk(store, tmp_path / str(number), **options))
        return made[-1]

    yield make
    for desk in made:
        desk.close()
        with desk.store.writer() as client:
            client.command(f"DROP DATABASE `{desk.store.database}`")
        desk.store.close()

"""Desks that each have a database of their own, for tests that compare several."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.collector.desk import Desk
from tower.store.client import Store


@pytest.fixture
def fresh_desk(make_store: Callable[[], Store], tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """Open collectors, each on a database of its own; all are stopped at the end."""
    made: list[Desk] = []

    def make(**options: Any) -> Desk:
        made.append(Desk(make_store(), tmp_path / str(len(made)), **options))
        return made[-1]

    yield make
    for desk in made:
        desk.close()

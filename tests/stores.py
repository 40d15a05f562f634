"""Stores for tests: one embedded engine per test process, whose databases are migrated once and emptied after each use.

Migrating a database costs half a second of CPU, emptying one a hundredth. A database whose tables a test has changed
is dropped instead. A process can hold one data folder at a time: `rest` lets go of this one for tests with their own.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clickhouse_connect.driver.client import Client

from tower.store.client import Store
from tower.store.migrate import migrate

_SHAPE = "SELECT name, uuid, metadata_modification_time FROM system.tables WHERE database = {name:String} ORDER BY name"
# Parts that are gone count too: what they held may still be remembered against repeated inserts.
_USED = "SELECT DISTINCT table FROM system.parts WHERE database = {name:String} AND table != 'migrations'"
Shape = list[tuple[object, ...]]


class Shelf:
    """Migrated, empty databases in one folder; what is taken is given back."""

    def __init__(self, folder: Path) -> None:
        self.dsn = f"chdb://{folder}"
        self._numbers = itertools.count(1)
        self._shapes: dict[str, Shape] = {}
        self._open: list[Store] = []
        self._closed: list[str] = []
        self._keeper: Store | None = None

    def take(self) -> Store:
        """Return a store that looks newly migrated."""
        if self._open:
            return self._open.pop()
        keeper = self.hold()
        if self._closed:
            return Store(self.dsn, self._closed.pop())
        store = Store(self.dsn, f"test_{next(self._numbers)}")
        migrate(store)
        with keeper.writer() as client:
            self._shapes[store.database] = _shape(client, store.database)
        return store

    def give(self, store: Store) -> None:
        """Empty what was taken, or drop it if its tables are no longer those of the migrations."""
        name = store.database
        with self.hold().writer() as client:
            if _shape(client, name) != self._shapes[name]:
                store.close()
                client.command(f"DROP DATABASE `{name}`")
                return
            for (table,) in client.query(_USED, parameters={"name": name}).result_rows:
                client.command(f"TRUNCATE TABLE `{name}`.`{table}`")
        self._open.append(store)

    @contextmanager
    def lend(self) -> Iterator[Store]:
        """Take for the length of a with statement."""
        store = self.take()
        try:
            yield store
        finally:
            self.give(store)

    def hold(self) -> Store:
        """Keep the engine running, whichever stores are closed, and return a store on no test's database."""
        if self._keeper is None:
            self._keeper = Store(self.dsn, "keeper")
        return self._keeper

    def rest(self) -> None:
        """Let go of the folder; what was given back stays there for the next."""
        for store in self._open:
            store.close()
        self._closed += [store.database for store in self._open]
        self._open.clear()
        if self._keeper is not None:
            self._keeper.close()
            self._keeper = None


def _shape(client: Client, name: str) -> Shape:
    return [tuple(row) for row in client.query(_SHAPE, parameters={"name": name}).result_rows]

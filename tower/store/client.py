"""The one file that opens ClickHouse: a writer and a pool of readers on one DSN, embedded or served.

Writes go through one client per lane (engine, drain, everybody else), one at a time; reads take a client of their
own from the pool, so that a board never waits for an insert. Never fork after opening an embedded store.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver import options
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

DATABASE = "o2c"
# Rows go in and come out as tuples; without this the first insert would load pandas, a tenth of every start.
vars(options).update(pd=None, pd_time_test=None)
# The embedded engine would otherwise take 90 % of the machine for itself.
SERVER_SETTINGS = {"max_server_memory_usage": "4000000000", "mark_cache_size": "268435456"}
CLIENT_SETTINGS = {
    "max_memory_usage": "3000000000",
    "optimize_on_insert": "0",
    "deduplicate_blocks_in_dependent_materialized_views": "1",
    "date_time_input_format": "best_effort",
    "join_use_nulls": "1",
    "max_recursive_cte_evaluation_depth": "64",
    # Small statements cost mostly their planning: these passes cost more than they ever save here.
    "optimize_and_compare_chain": "0",
    "compile_expressions": "0",
    "compile_aggregate_expressions": "0",
    "compile_sort_description": "0",
    # A timer per thread and statement, for a profile that nobody reads here: a tenth of a small statement.
    "query_profiler_real_time_period_ns": "0",
    "query_profiler_cpu_time_period_ns": "0",
}


class StoreError(RuntimeError):
    """The store cannot be opened or used; the message says what to do."""


class Store:
    """One database on one DSN. Close it when done; it may not be opened twice in one process for two folders."""

    def __init__(self, dsn: str, database: str = DATABASE) -> None:
        self.dsn = dsn
        self.database = database
        self.embedded = dsn.startswith("chdb:")
        self._lanes: dict[str, tuple[threading.RLock, Client]] = {}
        self._lanes_lock = threading.Lock()
        self._readers: queue.LifoQueue[Client] = queue.LifoQueue()
        self._clients: list[Client] = []
        if self.embedded and (path := urlsplit(dsn).path):
            Path(path).mkdir(parents=True, exist_ok=True)
        try:
            first = self._connect(None)
            first.command(f"CREATE DATABASE IF NOT EXISTS `{database}`")
            first.database = database
            self._lanes["main"] = (threading.RLock(), first)
        except (ClickHouseError, OSError, RuntimeError) as error:
            self.close()
            if "lock" in str(error).lower():
                raise StoreError(
                    f"the store at {dsn} is in use by another process; stop that one or choose another TOWER_DATA_DIR"
                ) from error
            raise StoreError(f"the store at {dsn} cannot be opened: {error}") from error

    def _connect(self, database: str | None, own: Mapping[str, str] | None = None) -> Client:
        dsn = self.dsn.replace("clickhouse://", "http://", 1)
        options: dict[str, Any] = {"chdb_options": dict(SERVER_SETTINGS)} if self.embedded else {}
        if database:
            options["database"] = database
        client = clickhouse_connect.get_client(
            dsn=dsn, settings={**CLIENT_SETTINGS, **(own or {})}, tz_mode="aware", **options
        )
        self._clients.append(client)
        return client

    @contextmanager
    def writer(self, lane: str = "main") -> Iterator[Client]:
        """Hold the write client of a lane; others of that lane wait. Re-entrant within a thread.

        The engine, the drain and everybody else write to different tables and have a lane each, so that a long tick
        never holds up a click or an acknowledgement.
        """
        with self._lanes_lock:
            if lane not in self._lanes:
                self._lanes[lane] = (threading.RLock(), self._connect(self.database))
        lock, client = self._lanes[lane]
        with lock:
            yield client

    @contextmanager
    def reader(self) -> Iterator[Client]:
        """Hold a read client of one's own; temporary tables made on it must be dropped again."""
        try:
            client = self._readers.get_nowait()
        except queue.Empty:
            client = self._connect(self.database)
        try:
            yield client
        finally:
            self._readers.put(client)

    @contextmanager
    def apart(self, settings: Mapping[str, str]) -> Iterator[Client]:
        """Hold a client made for one long piece of work, with settings of its own; it is closed afterwards."""
        client = self._connect(self.database, settings)
        try:
            yield client
        finally:
            self._clients.remove(client)
            client.close()

    def close(self) -> None:
        """Close every client. Harmless when called twice."""
        while self._clients:
            self._clients.pop().close()

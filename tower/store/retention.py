"""Raw bodies do not stay for ever: they are emptied when they are old, or when a person asks for it.

Facts, clocks and the audit hold ids, codes and amounts only and are kept. A body is emptied, not its row, so that
no answer of the tower changes. Traces and logs are raw too: their days are dropped whole.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from tower.store.client import Store
from tower.store.seal import Seal
from tower.store.sql import load

EVERY_S = 3600.0
_PAGE = 200
_MOST = 4000  # ids in one statement
log = structlog.get_logger("tower.retention")


def empty_older(store: Store, before: datetime) -> int:
    """Empty the bodies that were stored before a moment; return how many there were."""
    return _empty(store, "older", {"before": before}, ("events", "quarantine", "raw"))


def empty_customer(store: Store, customer_id: str, seal: Seal) -> int:
    """Empty the bodies of every event of a customer's orders, of the native messages they were made from, and of what
    could not be used and names the customer. Raises SealError for a body that cannot be opened to look.
    """
    named = _naming(store, customer_id.encode(), seal)
    with store.writer() as client:
        parameters: dict[str, object] = {"customer_id": customer_id}
        found = [row[0] for row in client.query(load("raw_of_customer"), parameters=parameters).result_rows]
        raw_ids = sorted({*found, *named})
        for at in range(0, len(raw_ids), _MOST):
            listed = {"raw_ids": raw_ids[at : at + _MOST]}
            client.command(load("raw_empty_listed"), parameters=listed, settings={"mutations_sync": 1})
    return len(raw_ids) + _empty(store, "customer", parameters, ("events", "quarantine"))


def _naming(store: Store, customer_id: bytes, seal: Seal) -> list[str]:
    """Return the native messages that made no event of some part of theirs and name a customer."""
    found: list[str] = []
    after = ""
    while True:
        with store.reader() as client:
            rows = client.query(load("raw_unnamed"), parameters={"after": after, "limit": _PAGE}).result_rows
        found += [raw_id for raw_id, body in rows if customer_id in seal.open(raw_id, body)]
        if len(rows) < _PAGE:
            return found
        after = rows[-1][0]


def _empty(store: Store, which: str, parameters: dict[str, object], tables: Sequence[str]) -> int:
    with store.writer() as client:
        count = int(client.query(load(f"raw_count_{which}"), parameters=parameters).result_rows[0][0])
        if count:
            for table in tables:
                client.command(
                    load(f"raw_empty_{which}_{table}"), parameters=parameters, settings={"mutations_sync": 1}
                )
    return count


def drop_telemetry(store: Store, before: datetime) -> int:
    """Drop the days of traces and logs that lie wholly before a moment; return how many partitions that were."""
    with store.writer() as client:
        old = client.query(load("telemetry_old"), parameters={"before": before.date()}).result_rows
        for table, partition_id in old:
            client.command(f"ALTER TABLE {table} DROP PARTITION ID '{partition_id}'")
    return len(old)


class Retention:
    """Empties old bodies and drops old telemetry once an hour while the tower runs."""

    def __init__(self, store: Store, days: int, clock: Callable[[], datetime], every_s: float = EVERY_S) -> None:
        self._store = store
        self._keep = timedelta(days=days)
        self._clock = clock
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)

    def start(self) -> None:
        """Begin; the first look comes after one period, so that a start is never slow."""
        self._thread.start()

    def stop(self) -> None:
        """End; waits for an emptying that is under way."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            try:
                before = self._clock() - self._keep
                emptied = empty_older(self._store, before)
                dropped = drop_telemetry(self._store, before)
            except Exception:  # the edge of one round: the next one tries again
                log.exception("retention_failed")
            else:
                if emptied or dropped:
                    log.info("raw_emptied", count=emptied, telemetry_partitions=dropped)

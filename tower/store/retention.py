"""Raw bodies do not stay for ever: they are emptied when they are old, or when a person asks for it.

Facts, clocks and the audit hold ids, codes and amounts only and are kept. A body is emptied, not its row, so that
no answer of the tower changes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from tower.store.client import Store
from tower.store.sql import load

EVERY_S = 3600.0
log = structlog.get_logger("tower.retention")


def empty_older(store: Store, before: datetime) -> int:
    """Empty the bodies that were stored before a moment; return how many there were."""
    return _empty(store, "older", {"before": before})


def empty_customer(store: Store, customer_id: str) -> int:
    """Empty the bodies of every event of a customer's orders, and of what quarantine holds that names the customer."""
    return _empty(store, "customer", {"customer_id": customer_id})


def _empty(store: Store, which: str, parameters: dict[str, object]) -> int:
    with store.writer() as client:
        count = int(client.query(load(f"raw_count_{which}"), parameters=parameters).result_rows[0][0])
        if count:
            for table in ("events", "quarantine"):
                client.command(
                    load(f"raw_empty_{which}_{table}"), parameters=parameters, settings={"mutations_sync": 1}
                )
    return count


class Retention:
    """Empties old bodies once an hour while the tower runs."""

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
                emptied = empty_older(self._store, self._clock() - self._keep)
            except Exception:  # the edge of one round: the next one tries again
                log.exception("retention_failed")
            else:
                if emptied:
                    log.info("raw_emptied", count=emptied)

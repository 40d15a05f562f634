"""Keeps the survival curves and the record of predictions current, beside the ticks and never inside one.

Every few minutes one piece of work runs on a thread of its own: outcomes are settled, predictions written down, and the
curves fitted anew once enough orders have moved. A fit costs what the window holds; it is due when that has grown by a
twentieth, so its cost for each order that moves does not grow with history.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta

import structlog

from rules.model import Book
from tower.engine import predictions
from tower.engine.curves import build
from tower.store.client import Store

EVERY = timedelta(minutes=2)
_LEAST_MOVED = 10
_MOVED_SHARE = 20  # orders judged since the last fit: at least one for so many cases of it
log = structlog.get_logger(__name__)


class Jeopardy:
    """The keeper of one store; only the engine owns one. `step` is called by one thread after each tick."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="jeopardy")
        self._work: Future[int | None] | None = None
        self._begun_at: datetime | None = None
        self._moved = 0
        self._cases = 0

    def step(self, book: Book, now: datetime, orders: int) -> bool:
        """Begin the work when it is due; return whether new curves are there since the last call.

        orders: how many the tick judged.
        """
        self._moved += orders
        fitted = self._finished()
        if self._work is None and (self._begun_at is None or now - self._begun_at >= EVERY):
            fit = self._begun_at is None or self._moved >= max(_LEAST_MOVED, self._cases // _MOVED_SHARE)
            self._begun_at = now
            if fit:
                self._moved = 0
            self._work = self._pool.submit(self.run, book, now, fit)
        return fitted

    def run(self, book: Book, now: datetime, fit: bool) -> int | None:
        """Do the work as of now; return from how many cases curves were fitted, None when they were not."""
        with self._store.writer("jeopardy") as client:
            predictions.settle(client, now)
            predictions.record(client, book, now)
            return build(client, book, now) if fit else None

    def close(self) -> None:
        """Let work that is under way end; what it did not get to is done at the next start."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _finished(self) -> bool:
        if self._work is None or not self._work.done():
            return False
        work, self._work = self._work, None
        if (error := work.exception()) is not None:
            log.error("curves not fitted", error=f"{type(error).__name__}: {error}".split("\n")[0][:300])
            return False
        cases = work.result()
        if cases is None:
            return False
        self._cases = cases
        log.info("curves", cases=cases)
        return True

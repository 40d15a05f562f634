"""Keeps the ledger while the tower runs: what was proved, as it is proved; what acting won, once every period."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from rules.model import Book
from tower.store.client import Store
from tower.value import ledger
from tower.value.baseline import read_baseline
from tower.value.earned import earned, horizon_of
from tower.value.ground import Ground, Window

EVERY_S = 30.0
ESTIMATE_EVERY = timedelta(hours=1)
_USUAL = timedelta(days=28)
log = structlog.get_logger("tower.value")


class Keeper:
    """Writes the ledger of one store from a thread of its own, so that no tick waits for a comparison."""

    def __init__(
        self,
        store: Store,
        book: Callable[[], Book],
        kinds: frozenset[str] | None,
        clock: Callable[[], datetime],
        every_s: float = EVERY_S,
    ) -> None:
        self._store, self._book, self._kinds, self._clock, self._every_s = store, book, kinds, clock, every_s
        self._estimated_at: datetime | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)

    def start(self) -> None:
        """Begin; the first look comes after one period, so that a start is never slow."""
        self._thread.start()

    def stop(self) -> None:
        """End; waits for a look that is under way."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            try:
                self.step(self._clock())
            except Exception:  # the edge of one round: the next one tries again
                log.exception("ledger_failed")

    def step(self, now: datetime) -> int:
        """Write down what is new; return how many lines that were."""
        book = self._book()
        with self._store.reader() as client:
            lines = ledger.realized(client)
        if self._due(book, now):
            lines += self._estimates(book, now)
            self._estimated_at = now
        return ledger.write(self._store, lines, book, now)

    def _due(self, book: Book, now: datetime) -> bool:
        """Return whether it is time to compare: every hour, or as often as effects ripen where that is sooner."""
        every = min(ESTIMATE_EVERY, timedelta(seconds=horizon_of(book)))
        return self._estimated_at is None or now - self._estimated_at >= every

    def _estimates(self, book: Book, now: datetime) -> list[ledger.Line]:
        """Return lines on the acts since the baseline, or of the book's usual window where there is none."""
        length = timedelta(seconds=book.value.baseline_s) if book.value.baseline_s else _USUAL
        with self._store.reader() as client:
            before = read_baseline(client, now)
            window = Window(before.until if before else now - length, now)
            widest = Window(before.since if before else now - 2 * length, now)
            with Ground(client, "orders FINAL", "breaches FINAL", book, self._kinds, now, now, widest) as ground:
                return ledger.estimates(earned(ground, window), window)

"""The engine: one thread that ticks every second or when the drain rings, and the only one that judges and acts.

Embedded, the store's own lock keeps a second engine out; on a shared ClickHouse an engine refuses to start while
another one's last tick is under five ticks old.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from clickhouse_connect.driver.client import Client

from rules.compile import Compiled
from rules.errors import RulebookError
from rules.model import Book
from rules.parse import SHIPPED, load_book
from tower.actions.runner import Actions
from tower.alerts.alerts import Alerts
from tower.alerts.alive import Watchdog
from tower.alerts.links import Links
from tower.engine import workspace
from tower.engine.books import compiled_for, folder_state, record_book
from tower.engine.cycle import DAWN, Tick, read_cursor, run_cycle, write_cursor
from tower.engine.feeds import FeedState, record_promises
from tower.engine.fetches import Fetches
from tower.engine.jeopardy import Jeopardy
from tower.engine.witness import Witness
from tower.model.connections import Connections
from tower.model.progress import Progress
from tower.model.secret import Secrets
from tower.settings import Settings
from tower.store.audit import Entry
from tower.store.client import Store, StoreError
from tower.store.seal import load_keys
from tower.telemetry import unit

log = structlog.get_logger(__name__)
_MISSED_TICKS = 5
_LONG_TICK_S = 60.0
_REWIND = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class EngineHealth:
    """Whether the engine ticks, and what it last did."""

    ok: bool
    detail: str
    last_tick_at: datetime | None
    tick_s: float
    ticks: int
    failures: int
    lag_s: float
    orders_judged: int
    book_error: str
    feeds: tuple[FeedState, ...] = field(default=())


class Engine:
    """Owns the cycle. `book` is the rulebook in force; a broken new one is reported and the last good one stays."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        connections: Connections,
        secrets: Secrets,
        progress: Progress,
        clock: Callable[[], datetime],
    ) -> None:
        self._store, self._settings, self._connections = store, settings, connections
        self._progress, self._clock = progress, clock
        self._actions = Actions(store, secrets, clock, progress.ring)
        links = Links(load_keys(settings, secrets), settings.public_url or "")
        self._alerts = Alerts(store, secrets, connections, clock, progress.ring, links, settings.public_url or "")
        self._watchdog = Watchdog(secrets, lambda: (self.book.routes, self.book.receivers), self._well, clock)
        self._fetches = Fetches(store, clock, progress.ring)
        self._jeopardy = Jeopardy(store)
        self._witness = Witness(store, clock, progress.ring)
        self._folder: Path = settings.book or SHIPPED
        self._folder_state = folder_state(self._folder)
        self._compiled = compiled_for(load_book(self._folder), connections.kinds)
        self._book_error = ""
        self._owner = uuid.uuid4().hex
        self._fresh_book = True
        self._fresh_curves = True
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._scheduler = BackgroundScheduler(timezone="UTC")
        self._started_at: datetime | None = None
        self._last: Tick | None = None
        self._last_tick_at: datetime | None = None
        self._tick_s = 0.0
        self._ticks = self._failures = self._judged = 0
        self._last_error = ""
        self._under_way = False

    @property
    def book(self) -> Book:
        """The rulebook in force."""
        return self._compiled.book

    @property
    def compiled(self) -> Compiled:
        """The rulebook in force as SQL."""
        return self._compiled

    def record(self, entries: Sequence[Entry]) -> None:
        """Put acts of people into the audit before they happen. Raises Problem 503 when the engine does not tick."""
        self._witness.record(entries)

    def start(self) -> None:
        """Take the engine's place and begin to tick. Raises StoreError when another engine is alive."""
        now = self._clock()
        with self._store.writer("engine") as client:
            self._refuse_second(client, now)
            self._fresh_book = record_book(client, self._compiled, now)
            record_promises(client, self.book, now)
            workspace.prepare(client, self._compiled)
            # Events are synced, what is derived from them is not: after a power failure the last minutes are taken in
            # again, which changes nothing where nothing was lost.
            if (cursor := read_cursor(client)) > DAWN:
                write_cursor(client, cursor - _REWIND, now, self._owner)
        self._started_at = now
        self._scheduler.add_job(
            self._progress.ring, "interval", seconds=self._settings.tick_s, max_instances=1, coalesce=True
        )
        self._scheduler.start()
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()
        self._watchdog.start()

    def stop(self) -> None:
        """Finish the tick at hand and stop."""
        self._stop.set()
        self._watchdog.stop()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        self._progress.ring()
        if self._thread:
            self._thread.join(timeout=30)
        self._alerts.close()
        self._actions.close()
        self._fetches.close()
        self._jeopardy.close()

    def _refuse_second(self, client: Client, now: datetime) -> None:
        if self._store.embedded:
            return
        rows = client.query("SELECT ticked_at, owner FROM engine_cursor FINAL WHERE name = 'engine'").result_rows
        alive = timedelta(seconds=_MISSED_TICKS * self._settings.tick_s)
        if rows and rows[0][1] != self._owner and now - rows[0][0] < alive:
            raise StoreError("another engine ticked moments ago on this store; stop it before starting this one")

    def _run(self) -> None:
        while not self._stop.is_set():
            self._progress.wait_bell(self._settings.tick_s)
            if self._stop.is_set():
                return
            try:
                self._under_way = True
                # Read before the moment: what came in later may lie ahead of it, and waits for the next tick's verdict.
                position = self._progress.stored
                self.tick(self._clock(), position)
                self._last_error = ""
            except Exception as error:  # noqa: BLE001 - the edge of one tick: counted, told and tried again
                self._failures += 1
                self._last_error = f"{type(error).__name__}: {error}".split("\n")[0][:300]
                log.error("tick failed", error=self._last_error, failures=self._failures)
                self._stop.wait(min(5.0, self._settings.tick_s))
            finally:
                self._under_way = False

    def tick(self, now: datetime, position: int | None = None) -> Tick:
        """Run one whole tick as of now: take in, judge, tell, act. Safe to call again after any failure.

        position: up to where the journal had been stored by then, which is judged afterwards; None: as far as it is now.
        """
        if position is None:
            position = self._progress.stored
        self._witness.step(self._watchdog.told())
        self._reload()
        with unit("tick") as span, self._store.writer("engine") as client:
            if self._fresh_curves:
                workspace.set_curves(client, self._compiled, now)
            tick = run_cycle(
                client, self._compiled, self._connections, now, self._owner, self._fresh_book, self._fresh_curves
            )
            span.set_attribute("o2c.events", tick.events)
            span.set_attribute("o2c.orders", tick.orders)
        self._fresh_book = self._fresh_curves = False
        self._progress.mark_judged(position)
        marks: dict[str, datetime] = {}
        for feed in (f for f in tick.feeds if f.gates):
            marks[feed.kind] = min(marks.get(feed.kind, feed.gate), feed.gate)
        self._alerts.step(self.book, now, tick.touched)
        behind = self._tick_s > _MISSED_TICKS * self._settings.tick_s
        self._actions.step(self.book, self._connections.kinds, now, marks, behind=behind)
        self._fetches.step(now)
        self._fresh_curves = self._jeopardy.step(self.book, now, tick.orders)
        self._last, self._last_tick_at = tick, now
        self._tick_s = (self._clock() - now).total_seconds()
        self._ticks += 1
        self._judged += tick.orders
        if tick.events or tick.orders:
            log.info("tick", events=tick.events, orders=tick.orders, seconds=round(self._tick_s, 3))
        return tick

    def _reload(self) -> None:
        """Take up a changed rulebook; a broken one is told and the last good one stays in force."""
        state = folder_state(self._folder)
        if state == self._folder_state:
            return
        self._folder_state = state
        try:
            book = load_book(self._folder)
        except RulebookError as error:
            self._book_error = str(error)
            log.error("rulebook not taken up, the last good one stays", problems=str(error))
            return
        self._book_error = ""
        if book.hash == self.book.hash:
            return
        self._compiled = compiled_for(book, self._connections.kinds)
        with self._store.writer("engine") as client:
            record_book(client, self._compiled, self._clock())
            record_promises(client, self.book, self._clock())
            workspace.prepare(client, self._compiled)
        self._fresh_book = self._fresh_curves = True
        log.info("rulebook taken up", book=book.hash)

    def _well(self, now: datetime) -> tuple[bool, str]:
        health = self.health(now)
        return health.ok, health.detail

    def health(self, now: datetime) -> EngineHealth:
        """Return whether the engine ticks: not after five missed ticks since its last success.

        A tick that is under way is given a minute: working off a backlog is not standing still.
        """
        reference = self._last_tick_at or self._started_at
        silent_s = (now - reference).total_seconds() if reference else 0.0
        patience_s = max(_MISSED_TICKS * self._settings.tick_s, 5.0) + self._tick_s
        if self._under_way:
            patience_s = max(patience_s, _LONG_TICK_S)
        ok = reference is not None and silent_s <= patience_s
        detail = "ticking" if ok else f"no tick for {silent_s:.0f} s"
        if self._last_error:
            detail += f"; last failure: {self._last_error}"
        return EngineHealth(
            ok, detail, self._last_tick_at, self._tick_s, self._ticks, self._failures, silent_s, self._judged,
            self._book_error, tuple(self._last.feeds) if self._last else (),
        )  # fmt: skip

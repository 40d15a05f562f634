"""The warehouse of the demo falls silent and comes back: the demo's own world, book, doors and engine, on a moved clock.

A second tower hears the same world without the silence. Once everything was told, both must say the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.applications import Starlette

from collector.collector import Collector
from tests.collector.desk import BATCH, Client
from tower.demo.book import write_book, write_connections
from tower.demo.scenario import Message, World
from tower.engine import workspace
from tower.engine.books import record_book
from tower.engine.engine import Engine
from tower.engine.feeds import feed_states, record_promises
from tower.model.connections import load_connections
from tower.model.principal import Principal
from tower.model.progress import Progress
from tower.model.secret import Secrets
from tower.settings import Settings
from tower.store.client import Store

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
STOPPED, SILENT, STARTED, ENDS = (START + timedelta(seconds=s) for s in (60, 150, 180, 240))
BERLIN = "wms-berlin"
OWNED = ("request-to-pick", "pick-to-ship", "accept-to-allocate")  # stages that end with a warehouse's word
pytestmark = pytest.mark.timeout(300)


class Tower:
    """Doors, journal, drain and engine of one tower, whose time is what it is told."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.now = store, START
        write_book(folder / "book", "http://127.0.0.1:9")
        self.connections = load_connections(write_connections(folder / "connections.yaml"))
        settings = Settings(folder / "var", store.dsn, disk_floor_mb=1, book=folder / "book")
        progress = Progress()
        self.engine = Engine(store, settings, self.connections, Secrets(), progress, lambda: self.now)
        with store.writer("engine") as client:
            record_book(client, self.engine.compiled, START)
            record_promises(client, self.engine.book, START)
            workspace.prepare(client, self.engine.compiled)
        admin = Principal("admin", frozenset({"admin"}))
        milestones = frozenset(self.engine.book.milestones)
        self.collector = Collector(
            settings, store, self.connections, lambda _: admin, lambda: milestones, progress, lambda: self.now
        )
        self.client = Client(Starlette(routes=self.collector.routes()), {"Authorization": "Bearer admin"})
        self.collector.start()

    def hear(self, messages: list[Message], now: datetime) -> None:
        """Take what a world says up to now, and tick."""
        self.now = now
        if messages:
            body = msgspec.json.encode([m.event for m in messages])
            reply = self.client.request("POST", "/v1/events", content=body, headers={"Content-Type": BATCH})
            assert reply.status_code == 200 and not reply.json()["rejected"], reply.text
            while self.collector.stats().backlog_lines:
                time.sleep(0.002)
        self.engine.tick(now)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.store.reader() as client:
            return [tuple(r) for r in client.query(sql).result_rows]

    def findings(self) -> set[tuple[Any, ...]]:
        """Return the findings on orders that stand, with their life."""
        return set(
            self.rows(
                "SELECT order_id, rule, kind, object_id, state, opened_at, resolved_at FROM breaches FINAL "
                "WHERE order_no != 0 AND state != 'retracted'"
            )
        )

    def board(self) -> set[tuple[Any, ...]]:
        """Return the state and stage of every order."""
        return set(self.rows("SELECT order_id, state, stage, object_id FROM orders FINAL WHERE on_board"))

    def close(self) -> None:
        self.client.close()
        self.collector.stop()


@pytest.fixture
def make_tower(make_store: Callable[[], Store], tmp_path: Path) -> Iterator[Callable[[str], Tower]]:
    made: list[Tower] = []

    def make(name: str) -> Tower:
        folder = tmp_path / name
        folder.mkdir()
        made.append(Tower(make_store(), folder))
        return made[-1]

    yield make
    for tower in made:
        tower.close()


def berlin(tower: Tower) -> str:
    """Return the state of the warehouse's feed."""
    with tower.store.reader() as client:
        feeds = feed_states(client, tower.engine.book, tower.connections, tower.now)
    return next(f.state for f in feeds if f.connection == BERLIN)


def worlds() -> tuple[World, World]:
    """Return the same world twice."""
    pair = World(7, START, orders_per_s=0.5), World(7, START, orders_per_s=0.5)
    for world in pair:
        world.open(START - timedelta(seconds=60))
    return pair


def test_a_silent_warehouse_is_one_finding_and_no_late_order_and_ends_as_if_it_had_spoken(
    make_tower: Callable[[str], Tower],
) -> None:
    hears, twin = make_tower("hears"), make_tower("twin")
    stops, goes_on = worlds()
    hears.hear(stops.advance(STOPPED), STOPPED)
    assert berlin(hears) == "ok"
    ((mark,),) = hears.rows(f"SELECT max(watermark) FROM heard_latest WHERE connection = '{BERLIN}'")
    stops.stop(BERLIN)
    hears.hear(stops.advance(SILENT), SILENT)
    assert berlin(hears) == "late"
    own = f"SELECT rule, state, opened_at FROM breaches FINAL WHERE kind = 'feed_late' AND object_id = '{BERLIN}'"
    assert hears.rows(own) == [(f"feed.{BERLIN}", "open", mark + timedelta(seconds=20))]
    unknown = {o for o, state, stage, _ in hears.board() if state == "unknown" and stage in OWNED}
    assert stops.speak(BERLIN, STARTED) > 20
    for now in (STARTED, ENDS):
        hears.hear(stops.advance(now), now)
        assert berlin(hears) == "ok"
    twin.hear(goes_on.advance(ENDS), ENDS)
    assert len(unknown) > 10, "while it was silent its orders were unknown"
    assert hears.findings() == twin.findings()
    assert hears.board() == twin.board()
    ever = "SELECT DISTINCT order_id, rule, object_id FROM breach_history WHERE kind = 'late' AND rule IN ('{}')"
    opened = [set(t.rows(ever.format("', '".join(OWNED)))) for t in (hears, twin)]
    assert opened[0] <= opened[1], "no order was ever told late that would not have been without the silence"
    late = {f[0] for f in hears.findings() if f[1] in OWNED and f[2] == "late"} & unknown
    assert late, "some that were unknown had been late indeed"
    assert unknown - {f[0] for f in hears.findings() if f[1] in OWNED}, "others had not"
    life = f"SELECT state, resolved_at FROM breaches FINAL WHERE kind = 'feed_late' AND object_id = '{BERLIN}'"
    assert hears.rows(life) == [("resolved", STARTED)]
    assert twin.rows(life) == []

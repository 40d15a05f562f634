"""The demo's great troubles in the demo's own world, book, doors and engine, on a moved clock.

The warehouse falls silent and comes back: a second tower hears the same world without the silence, and once everything
was told, both must say the same. The ERP breaks: groups are alerted, not orders, and a P1 at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.applications import Starlette

from collector.collector import Collector
from tests.collector.desk import BATCH, Client
from tests.stores import Shelf
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
BEFORE, BROKEN, LONG = (START + timedelta(seconds=s) for s in (10, 30, 50))
pytestmark = pytest.mark.timeout(300)
TOLD = """
SELECT count(DISTINCT order_no), count(DISTINCT alert_id)
FROM alert_breaches FINAL
WHERE facts['error'] = 'ERP does not answer'
"""
GROUPS = """
SELECT count(), countDistinct(receiver, toString(labels))
FROM alerts FINAL
WHERE closed_at IS NULL AND alert_id IN (SELECT alert_id FROM alert_breaches WHERE facts['error'] = 'ERP does not answer')
"""
PAGED = """
SELECT b.detected_at, n.at
FROM alert_breaches AS b FINAL
INNER JOIN (SELECT alert_id, number, any(at) AS at FROM notices FINAL WHERE channel = 'inbox' GROUP BY alert_id, number) AS n
    ON n.alert_id = b.alert_id AND n.number = toUInt32(b.told)
WHERE b.facts['error'] = 'ERP does not answer' AND b.facts['priority'] = 'P1'
    AND b.alert_id IN (SELECT alert_id FROM alerts WHERE receiver = 'on-call')
"""


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
def make_tower(shelf: Shelf, tmp_path: Path) -> Callable[[str], AbstractContextManager[Tower]]:
    @contextmanager
    def make(name: str) -> Iterator[Tower]:
        folder = tmp_path / name
        folder.mkdir()
        with shelf.lend() as store:
            tower = Tower(store, folder)
            yield tower
            tower.close()

    return make


def berlin(tower: Tower) -> str:
    """Return the state of the warehouse's feed."""
    with tower.store.reader() as client:
        feeds = feed_states(client, tower.engine.book, tower.connections, tower.now)
    return next(f.state for f in feeds if f.connection == BERLIN)


def made_world() -> World:
    """Return the world, the same each time."""
    made = World(7, START, orders_per_s=0.5)
    made.open(START - timedelta(seconds=60))
    return made


def ever_late(tower: Tower) -> set[tuple[Any, ...]]:
    """Return what was ever told late of the stages that wait for the warehouse."""
    stages = "', '".join(OWNED)
    return set(
        tower.rows(
            f"SELECT DISTINCT order_id, rule, object_id FROM breach_history WHERE kind = 'late' AND rule IN ('{stages}')"
        )
    )


def test_a_silent_warehouse_is_one_finding_and_no_late_order_and_ends_as_if_it_had_spoken(
    make_tower: Callable[[str], AbstractContextManager[Tower]],
) -> None:
    life = f"SELECT rule, state, opened_at, resolved_at FROM breaches FINAL WHERE kind = 'feed_late' AND object_id = '{BERLIN}'"
    with make_tower("twin") as twin:  # one after the other: the second works in the tables of the first
        twin.hear(made_world().advance(ENDS), ENDS)
        findings, board, late = twin.findings(), twin.board(), ever_late(twin)
        assert twin.rows(life) == []
    stops = made_world()
    with make_tower("hears") as hears:
        hears.hear(stops.advance(STOPPED), STOPPED)
        assert berlin(hears) == "ok"
        ((mark,),) = hears.rows(f"SELECT max(watermark) FROM heard_latest WHERE connection = '{BERLIN}'")
        stops.stop(BERLIN)
        hears.hear(stops.advance(SILENT), SILENT)
        assert berlin(hears) == "late"
        own = (f"feed.{BERLIN}", mark + timedelta(seconds=20))
        assert [(rule, opened, state) for rule, state, opened, _ in hears.rows(life)] == [(*own, "open")]
        unknown = {o for o, state, stage, _ in hears.board() if state == "unknown" and stage in OWNED}
        assert len(unknown) > 10, "while it was silent its orders were unknown"
        assert stops.speak(BERLIN, STARTED) > 20
        for now in (STARTED, ENDS):
            hears.hear(stops.advance(now), now)
            assert berlin(hears) == "ok"
        assert hears.findings() == findings
        assert hears.board() == board
        assert ever_late(hears) <= late, "no order was ever told late that would not have been without the silence"
        assert {f[0] for f in findings if f[1] in OWNED and f[2] == "late"} & unknown, "some had been late indeed"
        assert unknown - {f[0] for f in findings if f[1] in OWNED}, "others had not"
        assert hears.rows(life) == [(own[0], "resolved", own[1], STARTED)]


def test_an_outage_is_told_by_groups_and_a_p1_at_once(
    make_tower: Callable[[str], AbstractContextManager[Tower]],
) -> None:
    world = World(7, START, orders_per_s=4.0)
    world.open(START)
    with make_tower("outage") as tower:
        said = world.advance(BEFORE)
        world.break_system("erp")
        tower.hear(said + world.advance(BROKEN), BROKEN)
        tower.hear(world.advance(LONG), LONG)
        [(orders, alerts)] = tower.rows(TOLD)
        [(open_alerts, groups)] = tower.rows(GROUPS)
        assert orders > 40
        assert alerts <= orders / 3, "far fewer alerts than orders"
        assert open_alerts == groups, "one alert for a group"
        paged = tower.rows(PAGED)
        assert paged, "the seed has a P1 in it"
        assert all(told_at == detected_at for detected_at, told_at in paged)

"""From an event to a notice, through the whole engine; and what a new rulebook or a backfill finds pages nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.engine.oracle import Said
from tests.engine.test_engine import Clock
from tests.engine.world import NOW, line
from tower.engine import workspace
from tower.engine.books import record_book
from tower.engine.engine import Engine
from tower.model.connections import Connections
from tower.model.progress import Progress
from tower.model.secret import Secrets
from tower.settings import Settings
from tower.store.client import Store

BOOK_TEXT = """
process: {start: [order_captured], done: [order_accepted]}
milestones: {order_captured: {object: order, authority: commerce}, order_accepted: {object: order, authority: erp}}
stages: [{id: accept, from: order_captured, to: order_accepted, within: 1h}]
receivers: {ops: {inbox: true}}
routes:
  {receiver: ops, group_by: [stage], group_wait: 10s, routes: [{when: {customer_tier: gold}, receiver: ops, group_by: [customer_tier], group_wait: 0s}]}
"""
INBOX = (
    "SELECT reason, JSONExtractString(body, 'data', 'breaches', 1, 'order_id') FROM notices FINAL ORDER BY at, number"
)


class World:
    """An engine with a book of one stage, that ticks only when told to."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.clock, self.folder = store, Clock(), folder
        (folder / "book.yaml").write_text(BOOK_TEXT)
        settings = Settings.from_env({"TOWER_BOOK": str(folder), "TOWER_DATA_DIR": str(folder)})
        self.engine = Engine(store, settings, Connections(), Secrets(), Progress(), self.clock)
        with store.writer("engine") as client:
            record_book(client, self.engine.compiled, NOW)
            workspace.prepare(client, self.engine.compiled)
        self.engine.tick(NOW)

    def say(self, *said: Said) -> None:
        with self.store.writer() as client:
            client.raw_insert("events", insert_block=b"\n".join(line(s, NOW) for s in said), fmt="JSONEachRow")
        self.engine.tick(self.clock.now)

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with self.store.reader() as client:
            return [tuple(row) for row in client.query(sql).result_rows]


@pytest.fixture
def world(make_store: Callable[[], Store], tmp_path: Path) -> Iterator[World]:
    made = World(make_store(), tmp_path)
    yield made
    made.engine.stop()


def captured(order: str, ago: timedelta) -> Said:
    return Said(f"c-{order}", NOW - ago, "commerce", "order_captured", "reached", (("order", order),))


def test_an_order_that_turns_late_is_told_once(world: World) -> None:
    world.say(captured("O1", timedelta(0)))
    world.engine.tick(NOW + timedelta(hours=1, milliseconds=1))
    assert world.rows(INBOX) == []
    for second in (5, 11, 40):
        world.engine.tick(NOW + timedelta(hours=1, seconds=second))
    assert world.rows(INBOX) == [("new", "O1")]
    assert world.rows("SELECT labels['stage'], open_breaches FROM alerts FINAL") == [("accept", 1)]
    gold = replace(captured("O1", timedelta(minutes=-1)), key="z-O1", attributes={"customer_tier": "gold"})
    before = world.rows("SELECT max(updated_at) FROM breaches")
    world.clock.now = NOW + timedelta(hours=1, seconds=50)
    world.say(gold)  # the order turns out to be another's; its breach stays as it is
    assert world.rows("SELECT max(updated_at) FROM breaches") == before
    assert world.rows("SELECT labels['customer_tier'], open_breaches FROM alerts FINAL WHERE closed_at IS NULL") == [
        ("gold", 1)
    ]


def test_history_that_is_loaded_and_what_a_new_rulebook_finds_page_nobody(world: World) -> None:
    ages = {"O1": timedelta(days=3), "O2": timedelta(days=2), "O3": timedelta(minutes=50)}
    world.say(*(captured(order, ago) for order, ago in ages.items()))
    book = world.folder / "book.yaml"
    book.write_text(book.read_text().replace("to: order_accepted, within: 1h", "to: order_accepted, within: 30m"))
    for second in (1, 12, 60):
        world.engine.tick(NOW + timedelta(seconds=second))
    assert world.rows("SELECT uniqExact(order_id) FROM breaches FINAL WHERE state = 'open'") == [(3,)]
    assert world.rows(INBOX) == []
    assert world.rows("SELECT min(quiet), uniqExact(order_id) FROM alert_breaches FINAL WHERE state = 'open'") == [
        (1, 3)
    ]

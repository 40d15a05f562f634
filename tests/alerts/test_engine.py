"""From an event to a notice, through the whole engine; and what a new rulebook or a backfill finds pages nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.engine.oracle import Said
from tests.engine.test_engine import BOOK_TEXT, World
from tests.engine.world import NOW
from tower.store.client import Store

ROUTES = """
receivers: {ops: {inbox: true}}
routes:
  {receiver: ops, group_by: [stage], group_wait: 10s, routes: [{when: {customer_tier: gold}, receiver: ops, group_by: [customer_tier], group_wait: 0s}]}
"""
INBOX = (
    "SELECT reason, JSONExtractString(body, 'data', 'breaches', 1, 'order_id') FROM notices FINAL ORDER BY at, number"
)


@pytest.fixture
def world(make_store: Callable[[], Store], tmp_path: Path) -> Iterator[World]:
    made = World(make_store(), tmp_path)
    (tmp_path / "book.yaml").write_text(BOOK_TEXT + ROUTES)
    made.engine.tick(NOW)
    yield made
    made.engine.stop()


def captured(order: str, ago: timedelta) -> Said:
    return Said(f"c-{order}", NOW - ago, "commerce", "order_captured", "reached", (("order", order),))


def test_an_order_that_turns_late_is_told_once(world: World) -> None:
    world.say(captured("O1", timedelta(0)))
    world.engine.tick(NOW + timedelta(hours=1, milliseconds=1))
    assert world.rows(INBOX) == []
    for second in (5, 10, 11, 40):
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
    world.say(captured("O1", timedelta(days=3)), captured("O2", timedelta(days=2)))
    world.say(captured("O3", timedelta(minutes=50)))
    book = world.folder / "book.yaml"
    book.write_text(book.read_text().replace("to: order_accepted, within: 1h", "to: order_accepted, within: 30m"))
    for second in range(1, 60, 9):
        world.engine.tick(NOW + timedelta(seconds=second))
    assert world.rows("SELECT uniqExact(order_id) FROM breaches FINAL WHERE state = 'open'") == [(3,)]
    assert world.rows(INBOX) == []
    assert world.rows("SELECT min(quiet), uniqExact(order_id) FROM alert_breaches FINAL WHERE state = 'open'") == [
        (1, 3)
    ]

"""The engine as a running thing: health, reload, what it does with odd events, and how a tick may be repeated."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.engine.oracle import Said
from tests.engine.world import NOW, line
from tower.engine import workspace
from tower.engine.books import record_book
from tower.engine.engine import Engine
from tower.model.connections import Connections
from tower.model.progress import Progress
from tower.model.secret import Secrets
from tower.settings import Settings
from tower.store.client import Store

# The smallest book that shows what an engine does with its orders.
BOOK_TEXT = """
process: {start: [order_captured, order_accepted], done: [payment_applied], cancelled: [order_cancelled]}
milestones:
  order_captured: {object: order, authority: commerce}
  order_accepted: {object: order, authority: erp, after: [order_captured]}
  order_cancelled: {object: order, authority: erp}
  shipment_confirmed: {object: shipment, authority: wms}
  invoice_released: {object: invoice, authority: erp}
  payment_applied: {object: payment, authority: erp}
stages:
  - {id: accept, from: order_captured, to: order_accepted, within: 1h, at_risk: 75%, not_before: 5m}
  - {id: invoice, from: shipment_confirmed, to: invoice_released, per: shipment, within: 3h}
priorities: [{name: P1, when: {amount: ">= 1000"}}, {name: P2}]
value: {currency: EUR}
"""


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


class World:
    """An engine that ticks only when told to."""

    def __init__(self, store: Store, folder: Path, book: str = BOOK_TEXT) -> None:
        self.store, self.clock, self.folder = store, Clock(), folder
        (folder / "book.yaml").write_text(book)
        settings = Settings.from_env({"TOWER_BOOK": str(folder), "TOWER_DATA_DIR": str(folder)})
        self.progress = Progress()
        self.engine = Engine(store, settings, Connections(), Secrets(), self.progress, self.clock)
        with store.writer("engine") as client:
            record_book(client, self.engine.compiled, NOW)
            workspace.prepare(client, self.engine.compiled)

    def say(self, *said: Said) -> None:
        self.store_lines(*(line(s, NOW) for s in said))
        self.engine.tick(self.clock.now)

    def store_lines(self, *lines: bytes) -> None:
        with self.store.writer() as client:
            client.raw_insert("events", insert_block=b"\n".join(lines), fmt="JSONEachRow")

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with self.store.reader() as client:
            return [tuple(row) for row in client.query(sql).result_rows]


@pytest.fixture
def world(make_store: Callable[[], Store], tmp_path: Path) -> World:
    """Return an engine on a store and a rulebook folder of its own."""
    return World(make_store(), tmp_path)


def accepted(order: str, at: datetime, key: str = "") -> Said:
    return Said(key or f"a-{order}", at, "erp", "order_accepted", "reached", (("order", order),))


def test_time_alone_brings_an_order_to_the_board_and_makes_it_late(world: World) -> None:
    """Without any new event: AHEAD appears at the instant of its first event, WAITS is late a millisecond after its deadline."""
    begun, due, ahead = NOW - timedelta(minutes=57), NOW + timedelta(minutes=3), NOW + timedelta(minutes=3)
    captured = Said("c", begun, "commerce", "order_captured", "reached", (("order", "WAITS"),))
    world.say(captured, accepted("AHEAD", ahead))  # clocks of systems differ by seconds

    def board() -> list[tuple[object, ...]]:
        return world.rows("SELECT order_id, state, last_at FROM orders FINAL WHERE on_board ORDER BY order_id")

    assert board() == [("WAITS", "at_risk", begun)]
    ((_, _, last),) = board()
    assert isinstance(last, datetime)
    assert last.tzinfo is not None, "times are UTC"
    assert last.astimezone(UTC) == last
    world.engine.tick(due)
    assert board() == [("AHEAD", "on_track", ahead), ("WAITS", "at_risk", begun)]
    world.engine.tick(due + timedelta(milliseconds=1))
    assert board()[1] == ("WAITS", "late", begun)
    opened = world.rows("SELECT opened_at, detected_at, state FROM breaches FINAL")
    assert opened == [(due, due + timedelta(milliseconds=1), "open")]


def test_what_was_stored_after_a_tick_began_is_judged_by_the_next(world: World) -> None:
    world.progress.mark_stored(100)
    world.engine.tick(NOW, position=60)
    assert (world.progress.stored, world.progress.judged) == (100, 60)
    world.engine.tick(NOW)
    assert world.progress.judged == 100


def test_a_late_fact_resolves_a_breach_and_a_moved_clock_retracts_it(world: World) -> None:
    captured = Said("c", NOW - timedelta(hours=5), "commerce", "order_captured", "reached", (("order", "O1"),))
    world.say(captured)
    assert world.rows("SELECT rule, state FROM breaches FINAL") == [("accept", "open")]
    world.say(accepted("O1", NOW - timedelta(hours=1)))
    assert ("accept", "resolved") in world.rows("SELECT rule, state FROM breaches FINAL")
    world.say(accepted("O1", NOW - timedelta(hours=4, minutes=30), key="earlier"))
    found = dict(world.rows("SELECT rule, state FROM breaches FINAL WHERE rule = 'accept'"))
    assert found == {"accept": "retracted"}
    history = world.rows("SELECT state FROM breach_history WHERE rule = 'accept' ORDER BY updated_at, state")
    assert sorted(history) == [("open",), ("resolved",), ("retracted",)]
    before = world.rows("SELECT count(), max(judged_at) FROM orders")
    world.engine.tick(NOW + timedelta(seconds=1))
    assert world.rows("SELECT count(), max(judged_at) FROM orders") == before, "a tick without news writes no order"


def test_two_bodies_under_one_identity_one_wins_whatever_came_first(world: World) -> None:
    """The smaller hash counts in either order; the other is shown in quarantine."""

    def body(key: str, number: int, order: str) -> bytes:
        return line(accepted(order, NOW - timedelta(hours=number), key), NOW, body=number)

    # The same two bodies under either identity: `up` hears the smaller first, `down` the greater.
    arrivals = {"up": [(1, "U1"), (2, "U2")], "down": [(2, "D2"), (1, "D1")]}
    for step in range(2):
        world.store_lines(*(body(key, *told[step]) for key, told in arrivals.items()))
        world.engine.tick(NOW)
    on_board = world.rows("SELECT order_id FROM orders FINAL WHERE on_board ORDER BY order_id")
    assert on_board == [("D1",), ("U1",)]
    quarantined = world.rows("SELECT event_id, reason FROM quarantine FINAL ORDER BY event_id")
    assert quarantined == [("down", "conflict"), ("up", "conflict")]


def test_a_broken_rulebook_leaves_the_last_good_one_in_force_and_a_good_one_judges_every_order_again(
    world: World,
) -> None:
    world.say(Said("c", NOW - timedelta(minutes=30), "commerce", "order_captured", "reached", (("order", "O1"),)))
    assert world.rows("SELECT state FROM orders FINAL") == [("on_track",)]
    good = world.engine.book.hash
    (world.folder / "book.yaml").write_text(BOOK_TEXT.replace("within: 1h", "within: soon"))
    world.engine.tick(NOW)
    assert world.engine.book.hash == good
    assert "within" in world.engine.health(NOW).book_error
    assert "book.yaml" in world.engine.health(NOW).book_error
    (world.folder / "book.yaml").write_text(BOOK_TEXT.replace("within: 1h", "within: 10m"))
    world.engine.tick(NOW)
    assert not world.engine.health(NOW).book_error
    assert world.engine.book.hash != good
    assert world.rows("SELECT state, book FROM orders FINAL") == [("late", world.engine.book.hash)]


def test_health_fails_after_five_missed_ticks(world: World) -> None:
    world.engine.tick(NOW)
    assert world.engine.health(NOW + timedelta(seconds=4)).ok
    silent = world.engine.health(NOW + timedelta(hours=1))
    assert not silent.ok
    assert "no tick for 3600 s" in silent.detail


def test_an_object_that_would_reach_too_many_orders_attaches_to_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is listed once, its orders stay apart, and the order of arrival does not matter."""
    monkeypatch.setattr("tower.engine.correlate.MAX_ORDERS_PER_OBJECT", 2)
    wide = ("shipment", "S1")
    orders = [accepted(f"O{n}", NOW - timedelta(hours=1)) for n in range(3)]
    links = [
        Said(f"s{n}", NOW, "wms", "shipment_confirmed", "reached", (wide,), ((wide, ("order", f"O{n}"), False),))
        for n in range(3)
    ]
    world.say(*orders, *links[:2])  # two may share it
    assert world.rows("SELECT countIf(has(clocks.rule, 'invoice')), count() FROM orders FINAL") == [(2, 3)]
    world.say(links[2])
    assert world.rows("SELECT object_id FROM wide_objects FINAL") == [("S1",)]
    assert world.rows("SELECT countIf(has(clocks.rule, 'invoice')), count() FROM orders FINAL") == [(0, 3)]

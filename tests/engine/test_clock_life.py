"""A clock is worked out from facts: what starts it anew, ends it, completes it, and that no change of the book loses a pause."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rules.compile import compile_book
from rules.parse import parse_book
from tests.engine.oracle import Said
from tests.engine.world import line
from tests.stores import Shelf
from tower.engine import workspace
from tower.engine.books import record_calendars
from tower.engine.cycle import run_cycle
from tower.engine.examples import run_examples
from tower.model.connections import Connection, Connections
from tower.store.client import Store

BOOK = """
process: {start: [order_accepted], done: [delivered], cancelled: [order_cancelled]}
milestones:
  order_accepted: {object: order, authority: erp}
  order_changed: {object: order, authority: erp}
  order_cancelled: {object: order, authority: erp}
  order_waived: {object: order, authority: erp}
  credit_held: {object: order, authority: erp}
  credit_released: {object: order, authority: erp}
  shipment_confirmed: {object: shipment, authority: wms}
  delivered: {object: shipment, authority: tms}
calendars:
  office: {zone: Europe/Berlin, open: {mon-fri: ["09:00-17:00"]}, holidays: {country: DE}}
stages:
  - {id: ship, from: order_accepted, to: {milestone: shipment_confirmed, pick: complete}, within: 2h, reset: [order_changed], cancel: [order_waived],
     pause: [{from: credit_held, to: credit_released}]}
  - {id: office, from: order_accepted, to: delivered, within: 8h, calendar: office}
feeds: [{connection: wms, expects: stream, quiet_after: 20m}]
priorities: [{name: P1}]
examples:
"""
T = datetime(2026, 12, 24, 8, tzinfo=UTC)  # the morning of Christmas Eve, a Thursday
ACCEPTED = {"milestone": "order_accepted", "at": T.isoformat(), "order_id": "SO"}


def given(minutes: float, milestone: str, **more: Any) -> dict[str, Any]:
    """Return an event so many minutes after the order was accepted."""
    return {"milestone": milestone, "at": (T + timedelta(minutes=minutes)).isoformat(), "order_id": "SO", **more}


LATE, NOTHING = [("ship", "late", "SO")], list[tuple[str, str, str]]()
# name, minutes at which it is asked (few moments: each is a judgement of its own), what happened, findings of the stage `ship`
LIVES: list[tuple[str, int, list[dict[str, Any]], list[tuple[str, str, str]]]] = [
    ("without a reset it is late", 121, [], LATE),
    ("a reset gives the whole time again", 181, [given(61, "order_changed")], NOTHING),
    ("which runs out in its turn", 181, [given(60, "order_changed")], LATE),
    ("the last of two counts", 181, [given(60, "order_changed"), given(61, "order_changed")], NOTHING),
    ("a reset after the stop is none", 400, [given(30, "shipment_confirmed", shipment_id="S"), given(60, "order_changed")], NOTHING),
    ("a reset after a late stop heals nothing", 400, [given(130, "shipment_confirmed", shipment_id="S"), given(140, "order_changed")], LATE),
    ("a reset that was taken back is none", 121, [given(60, "order_changed"), given(70, "order_changed.reversed")], LATE),
    ("cancelled, it is never late", 400, [given(60, "order_waived")], NOTHING),
    ("cancelled after its time, it leaves no verdict", 400, [given(160, "order_waived")], NOTHING),
    ("cancelled and started anew", 400, [given(60, "order_waived"), given(90, "order_changed")], LATE),
    ("a pause before the reset is over and done with", 181, [given(10, "credit_held"), given(50, "credit_released"), given(60, "order_changed")], LATE),
    ("a pause after it counts", 181, [given(60, "order_changed"), given(70, "credit_held"), given(80, "credit_released")], NOTHING),
    ("closing the order ends it", 400, [given(60, "order_cancelled")], NOTHING),
    ("two of four make no ten", 121, [given(0, "order_changed", quantity=10), given(9, "shipment_confirmed", shipment_id="S1", quantity=4), given(10, "shipment_confirmed", shipment_id="S2", quantity=4)], LATE),
    ("with the third they do", 121, [given(0, "order_changed", quantity=10), *(given(n, "shipment_confirmed", shipment_id=f"S{n}", quantity=4) for n in (9, 10, 11))], NOTHING),
    ("a part that tells none counts as before", 121, [given(0, "order_changed", quantity=10), given(9, "shipment_confirmed", shipment_id="S1", quantity=4), given(10, "shipment_confirmed", shipment_id="S2")], NOTHING),
    ("a part that was taken back does not count", 121, [given(0, "order_changed", quantity=8), given(9, "shipment_confirmed", shipment_id="S1", quantity=4), given(10, "shipment_confirmed", shipment_id="S2", quantity=4), given(20, "shipment_confirmed.reversed", shipment_id="S2")], LATE),
]  # fmt: skip


def test_what_restarts_ends_and_completes_a_clock(make_store: Callable[[], Store]) -> None:
    """Each life asked at its moment, as an example of the book."""
    rows = "".join(
        f"  - {{name: '{name}', as_of: '{(T + timedelta(minutes=asked)).isoformat()}', given: {[ACCEPTED, *told]!r}, "
        f"expect: {{findings: {[{'rule': r, 'kind': k, 'object': o} for r, k, o in findings]!r}}}}}\n"
        for name, asked, told, findings in LIVES
    )
    # Another stage of the book must not be in the way: its day is long.
    results = run_examples(parse_book({"book.yaml": BOOK.replace("within: 8h", "within: 80h") + rows}), make_store())
    assert [r.detail for r in results if not r.ok] == []
    assert len(results) == len(LIVES)


class Tower:
    """A store that ticks by one book, then by another."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.connections = Connections(
            (Connection("erp", "erp", "/erp"), Connection("wms", "wms", "/wms"), Connection("tms", "tms", "/tms")), configured=True
        )  # fmt: skip

    def tick(self, book: str, now: datetime, *said: Said) -> dict[tuple[str, str], Any]:
        """Take in what was said, judge everything by the book and return each clock's (due, used, pauses, state).

        The clocks are those of all orders, by order and rule.
        """
        parsed = parse_book({"book.yaml": book.removesuffix("examples:\n")})
        compiled = compile_book(parsed, self.connections.kinds)
        with self.store.writer() as client:
            record_calendars(client, parsed)
            workspace.prepare(client, compiled)
            if said:
                lines = [line(s, now, s.kind) for s in said]
                client.raw_insert("events", insert_block=b"\n".join(lines), fmt="JSONEachRow")
            run_cycle(client, compiled, self.connections, now, "test", everything=True)
            rows = client.query(
                "SELECT order_id, clocks.rule, clocks.due_at, clocks.used_s, clocks.pauses, clocks.verdict FROM orders FINAL"
            ).result_rows
        return {
            (order, rule): tuple(c[i] for c in columns)
            for order, rules, *columns in rows
            for i, rule in enumerate(rules)
        }


def said(minutes: float, kind: str, milestone: str, *on: tuple[str, str], order: str = "SO") -> Said:
    """Return one event on the order, or on something that hangs from it."""
    ref = ("order", order)
    links = tuple((part, ref, False) for part in on)
    at = T + timedelta(minutes=minutes)
    return Said(f"{order} {milestone} {minutes}", at, kind, milestone, "reached", on or (ref,), links)


LONGER = BOOK.replace("within: 2h", "within: 3h").replace(", holidays: {country: DE}", "")
UNPAUSED = LONGER.replace("pause: [{from: credit_held, to: credit_released}]", "severity: info")


@pytest.fixture(scope="module")
def ticks(shelf: Shelf) -> Iterator[dict[str, Any]]:
    """Yield the clocks after each of four ticks, and the breaches of WAITS.

    HELD pauses, FEAST is accepted an hour into the day, WAITS hears of its goods after its deadline. The book changes twice: the
    time becomes longer and holidays count as days of work; then holds pause nothing any more.
    """
    with shelf.lend() as store:
        tower, found = Tower(store), {}
        found["short"] = tower.tick(
            BOOK,
            T + timedelta(minutes=100),
            said(0, "erp", "order_accepted", order="HELD"),
            said(30, "erp", "credit_held", order="HELD"),
            said(90, "erp", "credit_released", order="HELD"),
            said(60, "erp", "order_accepted", order="FEAST"),
            said(0, "erp", "order_accepted", order="WAITS"),
        )
        beat = Said("b", T + timedelta(minutes=170), "wms", "", "reached", ())
        found["longer"] = tower.tick(LONGER, T + timedelta(minutes=230), beat)
        found["told"] = tower.tick(
            LONGER,
            T + timedelta(minutes=250),
            said(235, "wms", "shipment_confirmed", ("shipment", "S"), order="HELD"),
            said(179, "wms", "shipment_confirmed", ("shipment", "W"), order="WAITS"),
        )
        found["unpaused"] = tower.tick(UNPAUSED, T + timedelta(minutes=260))
        with store.reader() as client:
            sql = "SELECT order_id, count() FROM breaches WHERE rule = 'ship' GROUP BY order_id"
            found["breaches"] = dict(client.query(sql).result_rows)
        yield found


def test_a_new_book_keeps_the_pauses_that_were(ticks: dict[str, Any]) -> None:
    """The time changes from two hours to three while a pause is over: it is still taken off, from the clock's own start."""
    clock = ("HELD", "ship")
    before = ticks["short"][clock]
    assert before[0] == T + timedelta(hours=3), "two hours and the hour on hold"
    due, used, pauses, verdict = ticks["longer"][clock]
    assert (due, used, verdict) == (T + timedelta(hours=4), None, "on_track")
    assert pauses == before[2] == [(T + timedelta(minutes=30), T + timedelta(minutes=90))]
    assert ticks["told"][clock][1] == (235 - 60) * 60
    assert ticks["unpaused"][clock][:3] == (T + timedelta(hours=3), 235 * 60, [])


def test_a_holiday_is_no_working_time(ticks: dict[str, Any]) -> None:
    """Accepted at ten on Christmas Eve: seven hours left, then Monday; without holidays it is Friday."""
    clock = ("FEAST", "office")
    assert ticks["short"][clock][0] == datetime(2026, 12, 28, 9, tzinfo=UTC)
    assert ticks["longer"][clock][0] == datetime(2026, 12, 25, 9, tzinfo=UTC)


def test_what_comes_late_is_not_late(ticks: dict[str, Any]) -> None:
    """The warehouse's feed lags behind the deadline: unknown; its word from before the deadline leaves nothing behind."""
    clock = ("WAITS", "ship")
    assert ticks["longer"][clock][3] == "unknown"
    assert ticks["told"][clock][3] == ""
    assert "HELD" in ticks["breaches"], "without its pause it was late"
    assert "WAITS" not in ticks["breaches"]


# attribute of the order, the value with which the second system owns the milestone
OWNED_BY = [("company", "2000"), ("warehouse", "HH2"), ("channel", "edi"), ("order_type", "same_day")]


def test_who_has_the_word_follows_each_attribute_of_the_order(make_store: Callable[[], Store]) -> None:
    """By company, warehouse, channel and order type: the owner's word stops the clock, the other's is an echo."""
    book = BOOK.replace("authority: wms}", "authority: [AUTHORITIES, wms]}")
    listed = ", ".join(f"{{kind: {name}-wms, when: {{{name}: '{value}'}}}}" for name, value in OWNED_BY)
    rows = ""
    for name, value in OWNED_BY:
        for told, kind, finds in ((value, f"{name}-wms", []), (value, "wms", ["diverging"]), ("other", "wms", []), ("other", f"{name}-wms", ["diverging"])):  # fmt: skip
            accepted = {**ACCEPTED, name: told}
            shipped = given(30, "shipment_confirmed", shipment_id="S", **{"from": kind})
            wanted = [{"rule": "ship", "kind": k, "object": "SO"} for k in finds]
            rows += (
                f"  - {{name: '{name} {told} told by {kind}', as_of: '{(T + timedelta(minutes=121)).isoformat()}', "
                f"given: {[accepted, shipped]!r}, expect: {{findings: {wanted!r}}}}}\n"
            )
    text = book.replace("AUTHORITIES", listed).replace("within: 8h", "within: 80h") + rows
    results = run_examples(parse_book({"book.yaml": text}), make_store())
    assert [r.detail for r in results if not r.ok] == []
    assert len(results) == 4 * len(OWNED_BY)

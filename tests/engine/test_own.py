"""An order that leaves from two warehouses with two systems: each part has its own owner and its own feed."""

from __future__ import annotations

from datetime import datetime, timedelta

from rules.compile import compile_book
from rules.compile.authority import asked_sql, authority_sql
from rules.parse import parse_book
from tests.engine.feed_world import BOOK as WORLD
from tests.engine.feed_world import CONNECTIONS, KINDS, START
from tests.engine.oracle import Ref, Said
from tests.engine.world import line
from tower.api.order_parts import milestones_of
from tower.api.order_tree import order_tree
from tower.engine import workspace
from tower.engine.books import record_calendars
from tower.engine.cycle import run_cycle
from tower.store.client import Store
from tower.store.sql import load

BOOK = parse_book({"book.yaml": WORLD.text["book.yaml"].replace("done: [delivered]", "done: [picked]")})
COMPILED = compile_book(BOOK, CONNECTIONS.kinds)
SPLIT, MOVED = ("order", "O"), ("order", "P")
BERLIN, HAMBURG, ELSEWHERE, GOODS = (
    ("fulfillment", "F1"),
    ("fulfillment", "F2"),
    ("fulfillment", "F3"),
    ("shipment", "S"),
)


def said(minutes: int, connection: str, milestone: str, ref: Ref, order: Ref, warehouse: str = "") -> tuple[Said, str]:
    """Return one event with the connection that it comes through; without a milestone only that it was heard."""
    links = () if ref == order else ((ref, order, False),)
    told = {"warehouse": warehouse} if warehouse else {}
    at, on = START + timedelta(minutes=minutes), (ref,) if milestone else ()
    key = f"{minutes} {connection} {milestone} {ref[1]}"
    return Said(key, at, KINDS[connection], milestone, "reached", on, links if milestone else (), told), connection


HISTORY = [
    said(0, "erp", "order_accepted", SPLIT, SPLIT, "BER1"),
    said(10, "wms-berlin", "pick_released", BERLIN, SPLIT, "BER1"),
    said(12, "wms-hamburg", "pick_released", HAMBURG, SPLIT, "HAM1"),
    said(40, "wms-berlin", "picked", BERLIN, SPLIT),
    said(45, "wms-berlin", "picked", HAMBURG, SPLIT),  # an echo: Hamburg's work is the other system's word
    # An order of Berlin that leaves from Hamburg; what was delivered hangs from no work.
    said(0, "erp", "order_accepted", MOVED, MOVED, "BER1"),
    said(12, "wms-hamburg", "pick_released", ELSEWHERE, MOVED, "HAM1"),
    said(60, "tms", "delivered", GOODS, MOVED),
    said(240, "wms-berlin", "", SPLIT, SPLIT),
]


def test_each_part_of_an_order_has_its_own_owner_and_waits_for_its_own_feed(store: Store) -> None:
    """The order is Berlin's; only Hamburg can say that its part was picked, and until it is heard nobody is late."""

    def tick(events: list[tuple[Said, str]], now: datetime) -> None:
        body = b"\n".join(line(s, now, connection) for s, connection in events)
        client.raw_insert("events", insert_block=body, fmt="JSONEachRow")
        run_cycle(client, COMPILED, CONNECTIONS, now, "test", everything=False)

    def clocks() -> dict[str, tuple[str, str]]:
        sql = "SELECT clocks.object_id, clocks.system, clocks.verdict FROM orders FINAL WHERE order_id = 'O'"
        ids, systems, verdicts = client.query(sql).result_rows[0]
        return {i: (s, v) for i, s, v in zip(ids, systems, verdicts, strict=True) if i in ("F1", "F2")}

    def findings() -> set[tuple[str, str, str]]:
        sql = "SELECT rule, object_id, system FROM breaches FINAL WHERE order_no != 0 AND state = 'open'"
        return {(str(r), o, str(s)) for r, o, s in client.query(sql).result_rows}

    with store.writer() as client:
        record_calendars(client, BOOK)
        workspace.prepare(client, COMPILED)
        tick(HISTORY, START + timedelta(hours=4))
        assert clocks() == {"F1": ("wms", ""), "F2": ("3pl", "unknown")}
        assert not {f for f in findings() if f[0] in ("release-to-pick", "delivered-unpicked")}

        tick([said(300, "wms-hamburg", "", SPLIT, SPLIT)], START + timedelta(hours=5))
        assert clocks()["F2"] == ("3pl", "diverging")
        assert findings() >= {("release-to-pick", "F2", "3pl"), ("delivered-unpicked", "S", "wms")}

        # Everybody else reads the owner off the stored order.
        for ref, owner in ((BERLIN, "wms"), (HAMBURG, "3pl"), (SPLIT, "wms"), (("fulfillment", "unheard"), "wms")):
            number = f"sipHash64('{ref[0]}', '{ref[1]}')"
            sql = authority_sql(BOOK, CONNECTIONS.kinds, "'picked'", "o", number)
            asked = asked_sql(BOOK, CONNECTIONS.kinds, "'picked'", "o", number)
            row = client.query(f"SELECT {sql}, {asked} FROM orders AS o FINAL WHERE order_id = 'O'").result_rows[0]
            assert row == (owner, ["wms", "3pl"] if ref == SPLIT else [owner])
        owner = authority_sql(BOOK, CONNECTIONS.kinds, "facts.milestone", "o", "sipHash64(base.1, base.2)")
        text = load("api_facts").replace("$authority", owner).replace("$orders", "orders FINAL")
        values = {
            "order_no": client.query("SELECT order_no FROM orders FINAL WHERE order_id = 'O'").result_rows[0][0],
            "order_id": "O", "as_of": START + timedelta(hours=5), "known_at": START + timedelta(hours=5),
            "milestones": list(BOOK.milestones), "types": [m.object for m in BOOK.milestones.values()],
        }  # fmt: skip
        with order_tree(client, "orders FINAL", values):
            facts = list(client.query(text, parameters=values).named_results())
    picked = {m["object_id"]: m for m in milestones_of(facts) if m["milestone"] == "picked"}
    assert {i: (m["authority"], m["provisional"]) for i, m in picked.items()} == {"F1": ("wms", False), "F2": ("3pl", True)}  # fmt: skip

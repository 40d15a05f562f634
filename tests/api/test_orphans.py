"""GET /v1/orphans on what the engine made of events: loose objects, orders that nothing started, shared names."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from rules.compile import compile_book
from rules.parse import parse_book
from tests.api.conftest import Api
from tests.engine.oracle import Said
from tests.engine.world import NOW, line
from tower.engine import workspace
from tower.engine.books import record_calendars
from tower.engine.cycle import run_cycle
from tower.model.connections import Connections

BOOK = parse_book(
    {
        "book.yaml": """
process: {start: [order_accepted], done: [payment_applied]}
milestones:
  order_accepted: {object: order, authority: erp}
  shipment_confirmed: {object: shipment, authority: wms}
  invoice_released: {object: invoice, authority: erp}
  payment_applied: {object: payment, authority: erp}
  credit_released: {object: order, authority: erp}
stages: [{id: ship, from: order_accepted, to: shipment_confirmed, within: 6h}]
priorities: [{name: P1}]
value: {currency: EUR}
"""
    }
)
COMPILED = compile_book(BOOK)
HOUR = timedelta(hours=1)
Ref = tuple[str, str]


def said(key: str, milestone: str, on: Ref, *parents: Ref, hours: float = 2, kind: str = "erp", **attributes: Any) -> Said:  # fmt: skip
    links = tuple((on, parent, False) for parent in parents)
    return Said(key, NOW - hours * HOUR, kind, milestone, "reached", (on,), links, attributes)


def weak(name: Ref, *targets: Ref) -> bytes:
    """Return the event that says what a number may stand for."""
    made = Said(f"weak{name}{targets}", NOW - HOUR, "crm", "credit_released", "reached", (name,), tuple((name, t, False) for t in targets))  # fmt: skip
    return line(made, NOW).replace(b'"x"', b'"weak_alias"')


def tell(api: Api, *events: Said | bytes) -> None:
    """Let the engine hear and judge."""
    api.world.now = NOW
    with api.world.store.writer() as client:
        record_calendars(client, BOOK)
        workspace.prepare(client, COMPILED)
        rows = [e if isinstance(e, bytes) else line(e, NOW) for e in events]
        client.raw_insert("events", insert_block=b"\n".join(rows), fmt="JSONEachRow")
        run_cycle(client, COMPILED, Connections(), NOW, "test", everything=False)


def orphans(api: Api, **query: Any) -> dict[str, dict[str, Any]]:
    reply = api.get("/v1/orphans", params=query)
    assert reply.status_code == 200, reply.text
    return {o["object_id"]: o for o in reply.json()["orphans"]}


SHARED, SINGLE = (("order", f"customer_po:C-42/PO {n}") for n in (4711, 4712))
PAYMENT = ("payment", "remittance_no:BANK/PAY-9")


@pytest.fixture(scope="module")
def told(one_api: Api) -> Api:
    """What all tests look at, judged at once."""
    tell(
        one_api,
        # a payment without an invoice; an order nobody accepted, with its shipment; and one that is on the board
        said("p", "payment_applied", PAYMENT, amount=Decimal("99.50"), currency="EUR"),
        said("s", "shipment_confirmed", ("shipment", "S-1"), ("order", "SO-GHOST"), hours=5, kind="wms"),
        said("a", "order_accepted", ("order", "SO-1")),
        said("i", "invoice_released", ("invoice", "I-1"), ("order", "SO-1")),
        # a number that two orders share, one that stands for a single one, and an order of the near future
        said("a2", "order_accepted", ("order", "SO-2")),
        weak(SHARED, ("order", "SO-1"), ("order", "SO-2")),
        said("f", "shipment_confirmed", ("shipment", "S-7"), SHARED, kind="wms"),
        weak(SINGLE, ("order", "SO-1")),
        said("a3", "order_accepted", ("order", "SO-3"), hours=-0.05),
        # seven payments of different age and value, and a shipment, all called "many"
        *[
            said(f"p{n}", "payment_applied", ("payment", f"many-{n}"), hours=n, amount=Decimal(n * 37 % 100), currency="EUR")
            for n in range(1, 8)
        ],
        said("b", "shipment_confirmed", ("shipment", "bol_no:ACME/many"), kind="wms", hours=9),
    )  # fmt: skip
    return one_api


def test_what_no_order_on_the_board_has_is_an_orphan_until_a_link_comes(told: Api) -> None:
    found = {name: o for name, o in orphans(told).items() if "many" not in name}
    assert set(found) == {PAYMENT[1], "S-1", "SO-GHOST", SHARED[1]}
    payment = found[PAYMENT[1]]
    assert (payment["key"], payment["scope"], payment["number"]) == ("remittance_no", "BANK", "PAY-9")
    assert (payment["amount"], payment["currency"], payment["value"], payment["age_s"]) == ("99.50", "EUR", "99.50", 7200)  # fmt: skip
    assert (found["S-1"]["orders"], found["S-1"]["events"]) == (["SO-GHOST"], 1)
    assert (found["SO-GHOST"]["events"], found["SO-GHOST"]["milestones"]) == (1, ["shipment_confirmed"])
    tell(
        told,
        said("g", "order_accepted", ("order", "SO-GHOST")),
        said("l", "payment_applied", PAYMENT, ("invoice", "I-1")),
    )
    after = {name for name in orphans(told) if "many" not in name}
    assert set(found) - after == {PAYMENT[1], "S-1", "SO-GHOST"}


def test_a_number_that_two_orders_share_waits_with_both_as_candidates(told: Api) -> None:
    found = orphans(told, key="customer_po")
    assert set(found) == {SHARED[1]}, "a number with one candidate is none"
    shared = found[SHARED[1]]
    assert [c["object_id"] for c in shared["candidates"]] == ["SO-1", "SO-2"]
    assert (shared["object_type"], shared["scope"], shared["number"]) == ("order", "C-42", "PO 4711")
    assert "shipment_confirmed" in shared["milestones"]


def test_an_order_whose_first_event_lies_a_moment_ahead_is_no_orphan(told: Api) -> None:
    assert orphans(told, q="SO-3") == {}


def many(*numbers: int) -> list[str]:
    return [f"many-{n}" for n in numbers]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("-last_at", [*many(1, 2, 3, 4, 5, 6, 7), "bol_no:ACME/many"]),
        ("first_at", ["bol_no:ACME/many", *many(7, 6, 5, 4, 3, 2, 1)]),
        ("-value", [*many(5, 2, 7, 4, 1, 6, 3), "bol_no:ACME/many"]),
    ],
)
def test_they_sort_and_page(told: Api, sort: str, order: list[str]) -> None:
    seen: list[str] = []
    cursor = ""
    while True:
        query = {"q": "many", "sort": sort, "limit": "5", **({"cursor": cursor} if cursor else {})}
        reply = told.get("/v1/orphans", params=query).json()
        assert (reply["total"], reply["value_total"]) == (8, str(sum(n * 37 % 100 for n in range(1, 8))) + ".00")
        seen += [o["object_id"] for o in reply["orphans"]]
        cursor = reply["next_cursor"]
        if not cursor:
            break
    assert seen == order


def test_they_are_filtered_by_type_kind_of_number_and_text(told: Api) -> None:
    assert set(orphans(told, object_type="payment", q="many")) == {*many(1, 2, 3, 4, 5, 6, 7)}
    assert set(orphans(told, key="bol_no")) == {"bol_no:ACME/many"}
    assert set(orphans(told, key="bol")) == set()
    assert set(orphans(told, q="MANY-5")) == {"many-5"}
    assert told.get("/v1/orphans?sort=age").status_code == 400
    assert isinstance(datetime.fromisoformat(told.get("/v1/orphans").json()["as_of"]), datetime)

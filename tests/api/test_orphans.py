"""GET /v1/orphans on what the engine made of events: loose objects, orders that nothing started, shared names."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from rules.compile import compile_book
from tests.api.conftest import Api
from tests.engine.oracle import Said
from tests.engine.world import BOOK, NOW, line
from tower.engine import workspace
from tower.engine.books import record_calendars
from tower.engine.cycle import run_cycle
from tower.model.connections import Connections

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


def test_what_no_order_on_the_board_has_is_an_orphan_until_a_link_comes(api: Api) -> None:
    """A payment without an invoice; an order nobody accepted, with its shipment; and one that is on the board."""
    tell(
        api,
        said("p", "payment_applied", ("payment", "remittance_no:BANK/PAY-9"), amount=Decimal("99.50"), currency="EUR"),
        said("s", "shipment_confirmed", ("shipment", "S-1"), ("order", "SO-GHOST"), hours=5, kind="wms"),
        said("a", "order_accepted", ("order", "SO-1")),
        said("i", "invoice_released", ("invoice", "I-1"), ("order", "SO-1")),
    )
    found = orphans(api)
    assert set(found) == {"remittance_no:BANK/PAY-9", "S-1", "SO-GHOST"}
    payment = found["remittance_no:BANK/PAY-9"]
    assert (payment["key"], payment["scope"], payment["number"]) == ("remittance_no", "BANK", "PAY-9")
    assert (payment["amount"], payment["currency"], payment["value"], payment["age_s"]) == ("99.50", "EUR", "99.50", 7200)  # fmt: skip
    assert (found["S-1"]["orders"], found["S-1"]["events"]) == (["SO-GHOST"], 1)
    assert (found["SO-GHOST"]["events"], found["SO-GHOST"]["milestones"]) == (1, ["shipment_confirmed"])
    tell(
        api,
        said("g", "order_accepted", ("order", "SO-GHOST")),
        said("l", "payment_applied", ("payment", "remittance_no:BANK/PAY-9"), ("invoice", "I-1")),
    )
    assert orphans(api) == {}
    assert api.get("/v1/orphans").json()["total"] == 0


def test_a_number_that_two_orders_share_waits_with_both_as_candidates(api: Api) -> None:
    name = ("order", "customer_po:C-42/PO 4711")
    tell(
        api,
        said("a", "order_accepted", ("order", "SO-1")),
        said("b", "order_accepted", ("order", "SO-2")),
        weak(name, ("order", "SO-1"), ("order", "SO-2")),
        said("f", "shipment_confirmed", ("shipment", "S-7"), name, kind="wms"),
    )
    shared = orphans(api, key="customer_po")["customer_po:C-42/PO 4711"]
    assert [c["object_id"] for c in shared["candidates"]] == ["SO-1", "SO-2"]
    assert (shared["object_type"], shared["scope"], shared["number"]) == ("order", "C-42", "PO 4711")
    assert "shipment_confirmed" in shared["milestones"]


def test_a_number_with_one_candidate_is_no_orphan(api: Api) -> None:
    name = ("order", "customer_po:C-42/PO 4711")
    tell(api, said("a", "order_accepted", ("order", "SO-1")), weak(name, ("order", "SO-1")))
    assert orphans(api) == {}


def test_an_order_whose_first_event_lies_a_moment_ahead_is_no_orphan(api: Api) -> None:
    tell(api, said("a", "order_accepted", ("order", "SO-1"), hours=-0.05))
    assert orphans(api) == {}


@pytest.fixture
def many(api: Api) -> Api:
    """Seven payments of different age and value."""
    tell(
        api,
        *[
            said(f"p{n}", "payment_applied", ("payment", f"P{n}"), hours=n, amount=Decimal(n * 37 % 100), currency="EUR")
            for n in range(1, 8)
        ],
        said("s", "shipment_confirmed", ("shipment", "bol_no:ACME/B1"), kind="wms", hours=9),
    )  # fmt: skip
    return api


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("-last_at", ["P1", "P2", "P3", "P4", "P5", "P6", "P7", "bol_no:ACME/B1"]),
        ("first_at", ["bol_no:ACME/B1", "P7", "P6", "P5", "P4", "P3", "P2", "P1"]),
        ("-value", ["P5", "P2", "P7", "P4", "P1", "P6", "P3", "bol_no:ACME/B1"]),
    ],
)
def test_they_sort_and_page(many: Api, sort: str, order: list[str]) -> None:
    seen: list[str] = []
    cursor = ""
    while True:
        reply = many.get("/v1/orphans", params={"sort": sort, "limit": 3, **({"cursor": cursor} if cursor else {})}).json()  # fmt: skip
        assert (reply["total"], reply["value_total"]) == (8, str(sum(n * 37 % 100 for n in range(1, 8))) + ".00")
        seen += [o["object_id"] for o in reply["orphans"]]
        cursor = reply["next_cursor"]
        if not cursor:
            break
    assert seen == order


def test_they_are_filtered_by_type_kind_of_number_and_text(many: Api) -> None:
    assert set(orphans(many, object_type="shipment")) == {"bol_no:ACME/B1"}
    assert set(orphans(many, key="bol_no")) == {"bol_no:ACME/B1"}
    assert set(orphans(many, key="bol")) == set()
    assert set(orphans(many, q="p5")) == {"P5"}
    assert many.get("/v1/orphans?sort=age").status_code == 400
    assert isinstance(datetime.fromisoformat(many.get("/v1/orphans").json()["as_of"]), datetime)

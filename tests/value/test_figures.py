"""Each figure on a small history whose answers can be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from rules.parse import parse_book
from tests.value.world import TEXT, World, at, event
from tower.store.audit import Entry
from tower.store.client import Store

PROMISE = at(1, 12)


@pytest.fixture(scope="module")
def told(make_store: Callable[[], Store], tmp_path_factory: pytest.TempPathFactory) -> World:
    """Four orders of one week. Tuesday noon was promised for all.

    O1 went well; O2 shipped half of what was ordered, too late, and was never invoiced; O3 was invoiced without a
    shipment, in a currency without a rate; O4 was cancelled. Three weeks before, the shipment of O0 was taken back.
    """
    world = World(make_store(), tmp_path_factory.mktemp("data"))
    world.say(
        event("order_captured", at(0, 9), order_id="O1", amount=1000, currency="EUR", quantity=10, promised_at=PROMISE),
        event("shipment_confirmed", at(0, 15), order_id="O1", shipment_id="S1", quantity=10),
        event("invoice_released", at(1, 9), shipment_id="S1", invoice_id="I1"),
        event("delivered", at(1, 11), shipment_id="S1"),
        event("order_captured", at(0, 10), order_id="O2", amount=2000, currency="USD", quantity=4, promised_at=PROMISE),
        event("shipment_confirmed", at(1, 10), order_id="O2", shipment_id="S2", quantity=2),
        event("shipment_confirmed", at(1, 10), order_id="O2", shipment_id="S2", kind="erp"),
        event("order_captured", at(0, 11), order_id="O3", amount=500, currency="PLN", promised_at=PROMISE),
        event("invoice_released", at(1, 8), order_id="O3", invoice_id="I3"),
        event("order_captured", at(0, 12), order_id="O4", amount=700, currency="EUR", promised_at=PROMISE),
        event("order_cancelled", at(0, 13), order_id="O4"),
        event("order_captured", at(-21, 9), order_id="O0", amount=10),
        event("shipment_confirmed", at(-21, 10), order_id="O0", shipment_id="S0"),
        event("shipment_confirmed.reversed", at(-21, 11), shipment_id="S0"),
    )  # fmt: skip
    world.record(
        [Entry("ana", "retry", "act-1/item-1#1", detail={"order_id": "O2", "stage": "ship-to-invoice", "action": "r"})]
    )
    world.record(
        [Entry("ana", "retry", "act-1/item-2#1", detail={"order_id": "O3", "stage": "ship-to-invoice", "action": "r"})]
    )
    world.record([Entry("engine", "verified", "act-1/item-1", detail={"order_id": "O2", "action": "r"})])
    world.record([Entry("ana", "read_raw", "raw/1@2026", detail={"order_id": "O2"})])
    return world


@pytest.fixture(scope="module")
def figures(told: World) -> dict[str, Any]:
    """The figures of the week, up to the end of it."""
    found: dict[str, Any] = told.roi(from_=at(0, 0), to=at(5, 0))["figures"]
    return found


H = 3600
EXPECTED: list[tuple[str, Any, dict[str, int]]] = [
    ("orders", 4, {"orders": 4, "not_priced": 1}),
    # O2 and O3 never shipped within 8 h of capture, O2's shipment was not invoiced: three breaches of two orders.
    ("exceptions_per_1000", 750, {"exceptions": 3, "orders_with_exceptions": 2, "orders": 4}),
    ("on_time", pytest.approx(1 / 3, abs=1e-6), {"promised": 3, "kept": 1, "late": 2}),
    # I1: Mon 9 to Tue 9 is 7 + 1 open hours; I3: Mon 11 to Tue 8 is 5.
    ("order_to_invoice_p90", 8 * H, {"measured": 2, "orders": 2}),
    # S1: Mon 15 to Tue 9 is 1 + 1.
    ("ship_to_invoice_p50", 2 * H, {"measured": 1, "orders": 1}),
    ("stages_in_time", pytest.approx(2 / 3, abs=1e-6), {"ended": 3, "in_time": 2}),
    ("fill_rate", pytest.approx(12 / 14, abs=1e-6), {"orders": 2, "complete": 1}),
    # One click on two orders is one act; reading is none, and what the engine does is none.
    ("touches_per_100", 25, {"touches": 1, "orders_touched": 2, "orders": 4}),
    ("touch_hours_per_100", 25 * 15 / 60, {"touches": 1, "orders": 4}),
    ("shipped_not_invoiced", "1000.00", {"shipments": 1, "orders": 1, "not_priced": 0}),
    ("invoiced_not_shipped", "0.00", {"invoices": 1, "orders": 1, "not_priced": 1}),
    ("value_found", "1000.00", {"exceptions": 3, "orders": 2, "not_priced": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "counts"), EXPECTED, ids=[e[0] for e in EXPECTED])
def test_a_figure_is_what_its_formula_says(
    figures: dict[str, Any], name: str, value: Any, counts: dict[str, int]
) -> None:
    assert figures[name]["value"] == value
    assert figures[name]["counts"] == counts
    assert "refused" not in figures[name]


def test_the_elapsed_time_stands_beside_the_open_time(figures: dict[str, Any]) -> None:
    inputs = figures["ship_to_invoice_p50"]["inputs"]
    assert (inputs["calendar"], inputs["elapsed_s"]) == ("office", 18 * H)


def test_waiting_cash_is_amount_times_days_over_the_window(figures: dict[str, Any]) -> None:
    told = figures["unbilled_cash"]
    assert told["value"] == f"{1000 * 18 / (5 * 24):.2f}"
    assert told["inputs"]["days"] == 0.75
    assert told["inputs"]["cost_a_year"] == "12.00"


def test_what_cannot_be_told_says_why(figures: dict[str, Any]) -> None:
    for name in ("healed_untouched", "escalations_per_1000", "cash_freed"):
        assert figures[name]["value"] is None
        assert len(figures[name]["refused"]) > 20


def test_every_figure_leads_to_its_rows(told: World, figures: dict[str, Any]) -> None:
    behind = {n: told.behind(n, from_=at(0, 0), to=at(5, 0)) for n in ("on_time", "exceptions_per_1000", "fill_rate")}
    assert sorted(r["order_id"] for r in behind["on_time"] if not r["good"]) == ["O2", "O3"]
    assert len(behind["exceptions_per_1000"]) == figures["exceptions_per_1000"]["counts"]["exceptions"]
    assert {r["order_id"]: r["other"] for r in behind["fill_rate"]} == {"O1": 10, "O2": 2}
    money = told.behind("exceptions_per_1000", from_=at(0, 0), to=at(5, 0), group="money")
    assert [(r["order_id"], r["stage"]) for r in money] == [("O2", "ship-to-invoice")]


def test_what_was_not_yet_known_or_had_not_happened_is_left_out(told: World) -> None:
    """As of Monday evening nothing is promised for a time that has passed, and nothing was invoiced."""
    seen = told.roi(from_=at(0, 0), as_of=at(0, 20))["figures"]
    assert seen["ship_to_invoice_p50"]["value"] is None
    assert seen["on_time"]["counts"] == {}
    assert (seen["orders"]["value"], seen["shipped_not_invoiced"]["counts"]["shipments"]) == (4, 1)


def test_a_reversal_takes_a_shipment_back(told: World) -> None:
    found = told.roi(from_=at(-21, 0), to=at(-17, 0))["figures"]
    assert (found["orders"]["value"], found["shipped_not_invoiced"]["counts"]["shipments"]) == (1, 0)


@pytest.fixture(scope="module")
def plain(make_store: Callable[[], Store], tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world on Wednesday in which no stage has a calendar: P1 was invoiced a week before, O1 captured on Monday."""
    stage = "within: 2h, calendar: office}"
    book = parse_book({"book.yaml": TEXT.replace(stage, "within: 2h}")})
    world = World(make_store(), tmp_path_factory.mktemp("data"), at(2, 0), book=book)
    world.say(
        event("order_captured", at(-7, 9), order_id="P1", amount=10),
        event("shipment_confirmed", at(-7, 15), order_id="P1", shipment_id="S1"),
        event("invoice_released", at(-6, 9), shipment_id="S1", invoice_id="I1"),
        event("order_captured", at(0, 9), order_id="O1", amount=10),
    )
    return world


def test_the_calendar_of_the_figures_needs_no_stage(plain: World) -> None:
    assert plain.roi(from_=at(-7, 0), to=at(-2, 0))["figures"]["ship_to_invoice_p50"]["value"] == 2 * H


def test_groups_and_the_course_add_up_to_the_figures(told: World) -> None:
    answer = told.roi(from_=at(0, 0), to=at(5, 0), by="stage")
    rows = {g["group"]: g for g in answer["groups"]}
    assert list(rows) == ["capture-to-ship", "ship-to-invoice"]
    assert sum(g["exceptions"] for g in rows.values()) == 3
    assert rows["ship-to-invoice"]["time_p50"] == 2 * H
    phases = told.roi(from_=at(0, 0), to=at(5, 0))["groups"]
    assert [g["group"] for g in phases] == ["goods", "money"]
    assert sum(point["orders"] or 0 for point in answer["trend"]) == 4


def test_a_baseline_is_locked_once_and_stays_as_it_was(plain: World) -> None:
    world = plain
    order = {"from": at(0, 0).isoformat(), "to": at(2, 0).isoformat(), "reason": "go-live"}
    assert world.call("POST", "/v1/roi/baseline", json=order).status_code == 403
    locked = world.call("POST", "/v1/roi/baseline", "admin", json=order)
    assert locked.status_code == 200, locked.text
    assert [(e.act, e.why, e.detail["figures"]["orders"]) for e in world.recorded] == [("lock_baseline", "go-live", 1)]
    assert world.call("POST", "/v1/roi/baseline", "admin", json=order).status_code == 409

    world.now = at(4, 0)
    late = event("order_captured", at(1, 9), order_id="O2", amount=10, heard=at(3, 0))
    world.say(late, event("order_captured", at(3, 9), order_id="O3", amount=10))
    answer = world.roi(restate="true")
    assert (answer["from"], answer["to"]) == ("2026-11-25T00:00:00.000Z", "2026-11-27T00:00:00.000Z")
    orders = answer["figures"]["orders"]
    assert (orders["value"], orders["baseline"]["value"], orders["change"]) == (1, 1, {"value": 0.0, "in": "parts"})
    assert answer["restated"]["orders"] == {"locked": 1, "today": 2}
    assert world.roi(known_at=at(1, 0))["baseline"] is None
    replaced = world.call("POST", "/v1/roi/baseline", "admin", json={**order, "replace": True})
    assert replaced.json()["figures"]["orders"]["value"] == 2


@pytest.mark.parametrize(
    ("order", "status"),
    [
        ({"reason": "too early", "to": (at(4, 12) + timedelta(days=1)).isoformat()}, 400),
        ({"reason": "turned round", "from": at(3, 0).isoformat(), "to": at(2, 0).isoformat()}, 400),
        ({"reason": "nothing there", "from": at(-9, 0).isoformat(), "to": at(-8, 0).isoformat()}, 409),
        ({"reason": "x"}, 400),
    ],
)
def test_a_baseline_that_makes_no_sense_is_refused(told: World, order: dict[str, Any], status: int) -> None:
    before = len(told.recorded)
    assert told.call("POST", "/v1/roi/baseline", "admin", json=order).status_code == status
    assert len(told.recorded) == before


def test_odd_questions_are_refused(told: World) -> None:
    for path in ("/v1/roi?from=2026-11-24T00:00:00Z&to=2026-11-23T00:00:00Z", "/v1/roi?by=day",
                 "/v1/roi/orders?metric=nothing", "/v1/roi/orders"):  # fmt: skip
        assert told.call("GET", path).status_code == 400, path

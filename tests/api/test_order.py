"""One order: objects, links, milestones with echoes, clocks that run, findings, traces, actions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from tests.actions.world import T0, clock_row
from tests.api.conftest import Api


def ago(**parts: float) -> Any:
    """Return an instant before T0."""
    return T0 - timedelta(**parts)


@pytest.fixture(scope="module")
def page(one_api: Api) -> Api:
    """An order with two shipments, an echo, a reversal, a conflict, a retracted link and a trace."""
    w = one_api.world
    w.order(
        "SO-1", clock_row(), clock_row(object_id="S2", state="stopped", verdict="", used_s=60, stopped_at=ago(hours=1))
    )
    order, one, two = ("order", "SO-1"), ("shipment", "S1"), ("shipment", "S2")
    w.links(
        [("SO-1", one, order), ("SO-1", two, order), ("SO-1", ("invoice", "I1"), two), ("SO-1", ("invoice", "I9"), two)]
    )
    w.link("SO-1", ("invoice", "I9"), two, retract=1, occurred_at=ago(hours=1))
    told: list[tuple[str, tuple[str, str], dict[str, Any]]] = [
        ("order_captured", one, {"kind": "crm", "occurred_at": ago(hours=4)}),
        ("shipment_confirmed", one, {"kind": "wms", "occurred_at": ago(hours=3)}),
        ("shipment_confirmed", one, {"kind": "crm", "occurred_at": ago(hours=2), "trace_id": "t2"}),
        ("shipment_confirmed", two, {"kind": "crm", "occurred_at": ago(hours=2)}),
        ("invoice_released", ("invoice", "I1"), {"occurred_at": ago(hours=2), "number": 900}),
        ("invoice_released", ("invoice", "I1"), {"occurred_at": ago(minutes=90), "polarity": "reversed"}),
        ("invoice_released", ("invoice", "I1"), {"occurred_at": ago(minutes=80)}),
        ("invoice_released", ("invoice", "I9"), {"occurred_at": ago(minutes=80)}),
        ("order_captured", order, {"kind": "crm", "occurred_at": ago(hours=9), "number": 901}),
    ]
    for milestone, on, more in told:
        w.fact("SO-1", milestone, on, **more)
    with w.store.writer() as client:
        client.insert("conflicts", [[901, 901]], column_names=["ev", "body"])
        client.insert(
            "otel_traces",
            [
                [T0, "t1", "a", "", "checkout", "shop", {"o2c.order_id": "SO-1"}, 5_000_000, "Ok"],
                [T0, "t1", "b", "a", "charge", "pay", {}, 2_000_000, "Error"],
                [T0, "t2", "c", "", "ship", "wms", {}, 1_000_000, "Ok"],
                [T0, "t3", "d", "", "other", "shop", {"o2c.order_id": "SO-9"}, 1, "Ok"],
            ],
            column_names=["Timestamp", "TraceId", "SpanId", "ParentSpanId", "SpanName", "ServiceName", "SpanAttributes",
                          "Duration", "StatusCode"],
        )  # fmt: skip
        names = ["order_no", "order_id", "rule", "kind", "object", "object_type", "object_id", "breach_id", "state",
                 "opened_at", "detected_at", "milestone", "system", "error", "evidence", "book",
                 "updated_at"]  # fmt: skip
        number = w.numbers["SO-1"]
        rows = [
            [number, "SO-1", "ship-to-invoice", "late", 1, "shipment", "S1", "b1", "open", ago(hours=1), T0,
             "invoice_released", "erp", "", '{"used_s": 7200}', "book1", T0],
            [number, "SO-1", "capture-to-ship", "late", 1, "order", "SO-1", "b2", "retracted", ago(hours=2), T0,
             "shipment_confirmed", "wms", "", "{}", "book1", T0],
        ]  # fmt: skip
        client.insert("breaches", rows, column_names=names)
    return one_api


@pytest.fixture(scope="module")
def body(page: Api) -> dict[str, Any]:
    """What its page says."""
    return dict(page.get("/v1/orders/SO-1").json())


def test_objects_and_links_are_those_that_hold(body: dict[str, Any]) -> None:
    assert {(o["object_type"], o["object_id"]) for o in body["objects"]} == {
        ("order", "SO-1"), ("shipment", "S1"), ("shipment", "S2"), ("invoice", "I1"),
    }  # fmt: skip
    assert {(x["child_id"], x["parent_id"]) for x in body["links"]} == {("S1", "SO-1"), ("S2", "SO-1"), ("I1", "S2")}


def test_milestones_lie_on_their_objects_in_the_words_of_their_authority(body: dict[str, Any]) -> None:
    told = {(m["milestone"], m["object_id"]): m for m in body["milestones"]}
    assert set(told) == {
        ("order_captured", "SO-1"), ("shipment_confirmed", "S1"), ("shipment_confirmed", "S2"),
        ("invoice_released", "I1"),
    }  # fmt: skip
    captured = told["order_captured", "SO-1"]  # told on the shipment, true of the order; the conflict's loser is gone
    assert (captured["object_type"], captured["occurred_at"]) == ("order", "2026-11-23T06:00:00.000Z")
    shipped = told["shipment_confirmed", "S1"]
    assert (shipped["system"], shipped["authority"], shipped["provisional"]) == ("wms", "wms", False)
    assert [(e["system"], e["lag_s"]) for e in shipped["echoes"]] == [("crm", 3600)]
    assert shipped["sync_lag_s"] == 3600
    echo_only = told["shipment_confirmed", "S2"]
    assert (echo_only["system"], echo_only["authority"], echo_only["provisional"]) == ("crm", "wms", True)
    assert echo_only["sync_lag_s"] is None
    assert told["invoice_released", "I1"]["occurred_at"] == "2026-11-23T08:40:00.000Z"  # after the reversal


def test_clocks_run_on(page: Api, body: dict[str, Any]) -> None:
    clocks = {c["object_id"]: c for c in body["clocks"]}
    assert (clocks["S1"]["state"], clocks["S1"]["used_s"], clocks["S1"]["overdue_s"]) == ("running", 7200, 3600)
    assert (clocks["S2"]["state"], clocks["S2"]["used_s"], clocks["S2"]["overdue_s"]) == ("stopped", 60, 0)
    page.world.wait(60)
    clocks = {c["object_id"]: c for c in page.get("/v1/orders/SO-1").json()["clocks"]}
    page.world.wait(-60)
    assert (clocks["S1"]["used_s"], clocks["S2"]["used_s"]) == (7260, 60)


def test_findings_traces_events_and_the_row(page: Api, body: dict[str, Any]) -> None:
    assert [(f["rule"], f["state"], f["evidence"]) for f in body["findings"]] == [
        ("ship-to-invoice", "open", {"used_s": 7200})
    ]
    assert [(t["trace_id"], [s["name"] for s in t["spans"]]) for t in body["traces"]] == [
        ("t1", ["checkout", "charge"]),
        ("t2", ["ship"]),
    ]
    assert body["traces"][0]["spans"][0]["duration_ms"] == 5.0
    assert body["alerts"] == [] and body["actions"] == []
    assert len(body["events"]) == 7
    row = page.get("/v1/orders").json()["orders"][0]
    assert {name: body[name] for name in row} == row
    assert body["attributes"]["amount"] == "100.50"


def test_an_id_may_hold_anything(page: Api) -> None:
    names = ("de/SO 1 ä?#&%2F", "why")
    page.world.orders([(name, [clock_row()], {}) for name in names])
    for name in names:
        assert page.get("/v1/orders/" + quote(name, safe="/")).json()["order_id"] == name

"""Telemetry to verdicts: a failed hop fails the order, its next success heals it, and all of it is shown."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from tests.acceptance.events import event, page
from tests.acceptance.telling import Story, World
from tests.collector.otlp.say import NS, log_request
from tests.collector.otlp.span_stories import ids, said

T0 = datetime.fromtimestamp(NS // 1_000_000_000, UTC)
PROTOBUF = {"Content-Type": "application/x-protobuf"}


def export(world: World, *requests: Any, path: str = "/v1/traces") -> Callable[[], None]:
    """Return the act of sending telemetry, which is answered before it is stored."""

    def act() -> None:
        for request in requests:
            reply = world.client.post(path, content=request.SerializeToString(), headers=PROTOBUF)
            assert (reply.status_code, reply.content) == (200, b"")

    return act


def once(world: World, order: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Return the page of an order once something holds of it."""
    deadline = time.monotonic() + 20
    while not holds(body := page(world.client, order)):
        assert time.monotonic() < deadline, body
        time.sleep(0.3)
    return body


def failing(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [f for f in body["findings"] if f["kind"] == "failing" and f["state"] == "open"]


def a_span_that_names_only_a_shipment_fails_the_order_until_it_succeeds(world: World) -> Story:
    yield [
        event("/erp/main", "a-1", "order_accepted", T0, order_id="T-1", amount="10", currency="EUR"),
        event("/wms/berlin", "s-1", "shipment_confirmed", T0, order_id="T-1", shipment_id="T-1-S"),
        export(
            world,
            said("a.call", "label-bridge", "buy label", at=60, error="failed", shipment_id="T-1-S"),
            said("a.http", "carrier-api", "POST /labels", up="a.call", at=60, error="postcode is not served"),
        ),
    ]
    text = "carrier-api · POST /labels: postcode is not served"
    body = once(world, "T-1", lambda b: b["error"] == text)
    assert (body["state"], body["system"]) == ("failing", "otel")
    (finding,) = failing(body)
    assert (finding["rule"], finding["error"]) == ("integration_failed.failed", text)
    assert finding["object_id"] == "call:label-bridge/buy label/T-1-S"
    (trace,) = body["traces"]
    assert trace["failed_hop"] == {
        "span_id": ids("a.http")[1].hex(), "service": "carrier-api", "name": "POST /labels",
        "message": "postcode is not served",
    }  # fmt: skip
    assert trace["url"] == f"http://traces.example/{trace['trace_id']}"
    yield [export(world, said("b.call", "label-bridge", "buy label", at=120, shipment_id="T-1-S"))]
    body = once(world, "T-1", lambda b: not failing(b) and b["state"] != "failing" and len(b["traces"]) == 2)
    assert [len(t["spans"]) for t in body["traces"]] == [1, 2]


def an_order_shows_linked_traces_the_trace_of_its_events_and_the_logs(world: World) -> Story:
    trace_id, span_id = ids("e.root")
    traced = event("/erp/main", "a-2", "order_accepted", T0, order_id="T-2")
    record = log_request(time_unix_nano=NS + 7, trace_id=ids("c.root")[0], body=AnyValue(string_value="consumed"))
    named = log_request(time_unix_nano=NS + 8, body=AnyValue(string_value="named"))
    named.resource_logs[0].scope_logs[0].log_records[0].attributes.add(
        key="o2c.order_id", value=AnyValue(string_value="T-2")
    )
    yield [
        {**traced, "traceparent": f"00-{trace_id.hex()}-{span_id.hex()}-01"},
        export(
            world,
            said("e.root", "erp", "book order"),
            said("n.root", "shop", "place", order_id="T-2", at=5),
            said("c.root", "worker", "consume", link="n.root", at=10),
            said("x.root", "worker", "not of it", at=11),
        ),
        export(world, record, named, path="/v1/logs"),
    ]
    body = once(world, "T-2", lambda b: len(b["traces"]) >= 3 and len(b["logs"]) >= 2)
    assert [t["spans"][0]["name"] for t in body["traces"]] == ["consume", "place", "book order"]
    assert [log["body"] for log in body["logs"]] == ["named", "consumed"]


def spans_sent_twice_are_shown_once(world: World) -> Story:
    place = said("d.root", "shop", "place", order_id="T-3")
    yield [
        event("/erp/main", "a-3", "order_accepted", T0, order_id="T-3"),
        export(world, place, place, said("d.b", "shop", "step", up="d.root", at=1)),
    ]
    body = once(world, "T-3", lambda b: bool(b["traces"]) and len(b["traces"][0]["spans"]) == 2)
    assert [s["name"] for s in body["traces"][0]["spans"]] == ["place", "step"]

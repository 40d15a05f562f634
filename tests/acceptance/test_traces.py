"""Telemetry to verdicts through a real tower: a failed hop fails the order, its next success heals it, all is shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from tests.acceptance.events import event, page, send
from tests.collector.otlp.say import NS, log_request
from tests.collector.otlp.test_facts import ids, said
from tests.commands.process import Running

T0 = datetime.fromtimestamp(NS // 1_000_000_000, UTC)
PROTOBUF = {"Content-Type": "application/x-protobuf"}
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("traces") / "var"
    with Running(folder, TOWER_TRACE_URL="http://traces.example/{trace_id}") as tower, tower.client() as client:
        yield client


def export(client: httpx.Client, *requests: Any, path: str = "/v1/traces") -> None:
    for request in requests:
        reply = client.post(path, content=request.SerializeToString(), headers=PROTOBUF)
        assert (reply.status_code, reply.content) == (200, b"")


def once(client: httpx.Client, order: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Return the page of an order once something holds of it."""
    deadline = time.monotonic() + 20
    while not holds(body := page(client, order)):
        assert time.monotonic() < deadline, body
        time.sleep(0.2)
    return body


def failing(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [f for f in body["findings"] if f["kind"] == "failing" and f["state"] == "open"]


def test_a_span_that_names_only_a_shipment_fails_the_order_until_it_succeeds(client: httpx.Client) -> None:
    send(
        client,
        event("/erp/main", "a-1", "order_accepted", T0, order_id="T-1", amount="10", currency="EUR"),
        event("/wms/main", "s-1", "shipment_confirmed", T0, order_id="T-1", shipment_id="T-1-S"),
    )
    export(
        client,
        said("a.call", "label-bridge", "buy label", at=60, error="failed", shipment_id="T-1-S"),
        said("a.http", "carrier-api", "POST /labels", up="a.call", at=60, error="postcode is not served"),
    )
    text = "carrier-api · POST /labels: postcode is not served"
    body = once(client, "T-1", lambda b: b["error"] == text)
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
    export(client, said("b.call", "label-bridge", "buy label", at=120, shipment_id="T-1-S"))
    body = once(client, "T-1", lambda b: not failing(b) and b["state"] != "failing" and len(b["traces"]) == 2)
    assert [len(t["spans"]) for t in body["traces"]] == [1, 2]


def test_an_order_shows_linked_traces_the_trace_of_its_events_and_the_logs(client: httpx.Client) -> None:
    traced = {**event("/erp/main", "a-2", "order_accepted", T0, order_id="T-2"), "traceparent": ""}
    trace_id, span_id = ids("e.root")
    traced["traceparent"] = f"00-{trace_id.hex()}-{span_id.hex()}-01"
    send(client, traced)
    export(
        client,
        said("e.root", "erp", "book order"),
        said("n.root", "shop", "place", order_id="T-2", at=5),
        said("c.root", "worker", "consume", link="n.root", at=10),
        said("x.root", "worker", "not of it", at=11),
    )
    record = log_request(time_unix_nano=NS + 7, trace_id=ids("c.root")[0], body=AnyValue(string_value="consumed"))
    named = log_request(time_unix_nano=NS + 8, body=AnyValue(string_value="named"))
    named.resource_logs[0].scope_logs[0].log_records[0].attributes.add(
        key="o2c.order_id", value=AnyValue(string_value="T-2")
    )
    export(client, record, named, path="/v1/logs")
    body = once(client, "T-2", lambda b: len(b["traces"]) >= 3 and len(b["logs"]) >= 2)
    assert [t["spans"][0]["name"] for t in body["traces"]] == ["consume", "place", "book order"]
    assert [log["body"] for log in body["logs"]] == ["named", "consumed"]


def test_spans_sent_twice_are_shown_once(client: httpx.Client) -> None:
    send(client, event("/erp/main", "a-3", "order_accepted", T0, order_id="T-3"))
    export(
        client, *[said("d.root", "shop", "place", order_id="T-3")] * 2, said("d.b", "shop", "step", up="d.root", at=1)
    )
    body = once(client, "T-3", lambda b: bool(b["traces"]) and len(b["traces"][0]["spans"]) == 2)
    assert [s["name"] for s in body["traces"][0]["spans"]] == ["place", "step"]

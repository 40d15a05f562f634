"""Configuration and baggage say which attributes are ids, which services speak for whom, which spans are milestones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from collector.otlp.baggage import ALLOWED, members
from tests.collector.desk import Desk
from tests.collector.otlp.say import NS, PROTOBUF, log_request, logs, post, request_with, spans, stored
from tests.collector.otlp.span_stories import said
from tests.collector.otlp.test_facts import facts, send
from tower.model.connection import Connection, SpanMilestone, Spans
from tower.model.connections import Connections

CONNECTIONS = Connections(
    (
        Connection(
            "bridge", "middleware", "/middleware/bridge",
            spans=Spans(
                services=("order-*", "erp-bridge"),
                ids={"app.order.id": "order_id", "app.shipment": "shipment_id"},
                milestones=(
                    SpanMilestone(
                        "invoice_released", "order-*", "POST /invoices*", {"http.response.status_code": "20?"},
                        {"app.invoice": "invoice_id"},
                    ),
                ),
            ),
        ),
        Connection("wms-berlin", "wms", "/wms/berlin"),
        Connection("scoped", "wms", "/wms/scoped", scope="hh", spans=Spans(services=("hamburg",))),
    ),
    configured=True,
)  # fmt: skip


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    return make_desk(connections=CONNECTIONS, milestones=frozenset({"integration_failed", "invoice_released"}))


def told(service: str, **attributes: Any) -> Any:
    """Return a request with one span of a service, its attributes as they are written."""
    request = request_with(service, name="step", start_time_unix_nano=NS, end_time_unix_nano=NS + 5_000_000)
    span = request.resource_spans[0].scope_spans[0].spans[0]
    for key, value in attributes.items():
        held = span.attributes.add(key=key.replace("__", ".")).value
        if isinstance(value, int):
            held.int_value = value
        else:
            held.string_value = value
    return request


def test_a_configured_attribute_names_an_object(desk: Desk) -> None:
    send(desk, told("order-api", app__order__id="SO-1", app__shipment="SH-1", other="x"))
    send(desk, told("somebody", app__order__id="SO-2"))
    assert stored(desk, "object_signals", 2, "object_type, object_id, service", "object_type") == [
        ("order", "SO-1", "order-api"),
        ("shipment", "SH-1", "order-api"),
    ]


def test_an_own_attribute_beats_a_configured_one(desk: Desk) -> None:
    send(desk, told("order-api", app__order__id="SO-1", o2c__order_id="SO-2"))
    assert stored(desk, "object_signals", 1, "object_id") == [("SO-2",)]


def test_configured_attributes_of_log_records_name_objects_too(desk: Desk) -> None:
    request = log_request(time_unix_nano=NS)
    request.resource_logs[0].resource.attributes.add(key="service.name").value.string_value = "order-api"
    record = request.resource_logs[0].scope_logs[0].log_records[0]
    record.attributes.add(key="app.order.id").value.string_value = "SO-1"
    assert post(desk, request.SerializeToString(), PROTOBUF, "/v1/logs").status_code == 200
    logs(desk, 1)
    assert stored(desk, "object_signals", 1, "object_type, object_id, signal") == [("order", "SO-1", "log")]


def test_a_span_that_fits_reports_its_milestone(desk: Desk) -> None:
    made = said("t.a", "order-api", "POST /invoices/7", order_id="SO-1")
    attributes = made.resource_spans[0].scope_spans[0].spans[0].attributes
    attributes.add(key="http.response.status_code").value.int_value = 201
    attributes.add(key="app.invoice").value.string_value = "I-1"
    missed = said("u.a", "order-api", "POST /invoices/7", order_id="SO-1")
    missed.resource_spans[0].scope_spans[0].spans[0].attributes.add(
        key="http.response.status_code"
    ).value.int_value = 302
    send(desk, made, missed, said("v.a", "other", "POST /invoices/7", order_id="SO-1"))
    columns = "type, on_ids, parent_ids, connection, kind, source"
    assert facts(desk, 1, columns) == [
        ("o2c.invoice_released", ["I-1"], ["SO-1"], "bridge", "middleware", "/middleware/bridge")
    ]


def test_services_are_claimed_and_only_its_keys_speak_for_a_connection(desk: Desk) -> None:
    body = told("order-api").SerializeToString() + told("unknown").SerializeToString()
    assert post(desk, body).content == b""
    spans(desk, 2)
    answer = post(desk, told("order-api").SerializeToString(), Authorization="Bearer two")
    partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert partial.rejected_spans == 1
    assert "connection 'bridge', where service 'order-api' belongs" in partial.error_message
    answer = post(desk, told("unknown").SerializeToString(), Authorization="Bearer two")
    assert b"name the service in a connection's spans" in answer.content


def test_what_is_heard_moves_the_watermark_of_the_connection_behind_its_facts(desk: Desk) -> None:
    send(desk, said("t.a", "order-api", "step", error="x", order_id="SO-1"))
    assert stored(desk, "events", 2, "type, connection", "stored_at, milestone DESC") == [
        ("o2c.integration_failed.failed", "bridge"),
        ("o2c.heartbeat", "bridge"),
    ]
    heard = stored(desk, "heard", 1, "connection, watermark")
    assert heard == [("bridge", datetime(2023, 11, 14, 22, 13, 20, 500000, UTC))]
    far = said("u.a", "order-api", "step", at=10**8)  # in three years: says nothing about how far it was heard
    send(desk, far, said("v.a", "nobody", "step"))
    assert len(desk.rows("1", "events", "type = 'o2c.heartbeat'")) == 1


def test_log_records_move_the_watermark_too(desk: Desk) -> None:
    request = log_request(time_unix_nano=NS)
    request.resource_logs[0].resource.attributes.add(key="service.name").value.string_value = "order-api"
    assert post(desk, request.SerializeToString(), PROTOBUF, "/v1/logs").status_code == 200
    assert stored(desk, "events", 1, "type, connection") == [("o2c.heartbeat", "bridge")]


def test_ids_carry_the_scope_of_their_connection(desk: Desk) -> None:
    made = said("t.a", "hamburg", "pick", error="x", order_id=["1", "2"], resource={"o2c.load_id": "L"})
    send(desk, made)
    assert facts(desk, 1, "on_ids, arraySort(arrayDistinct(parent_ids))") == [
        (["call:hamburg/pick/hh/L"], ["hh/1", "hh/2", "hh/L"])
    ]
    assert sorted(stored(desk, "object_signals", 3, "object_type, object_id")) == [
        ("load", "hh/L"), ("order", "hh/1"), ("order", "hh/2"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("baggage", "a=b,o2c.order_id=SO%201;ttl=3, o2c.unknown_id=x , o2c.shipment_id = SH-1"),
        ("http.request.header.baggage", '["o2c.order_id=SO%201","o2c.shipment_id=SH-1"]'),
    ],
)
def test_baggage_names_objects_by_the_allow_list_alone(desk: Desk, attribute: str, value: str) -> None:
    request = request_with("x", name="s")
    request.resource_spans[0].scope_spans[0].spans[0].attributes.add(key=attribute).value.string_value = value
    send(desk, request)
    assert stored(desk, "object_signals", 2, "object_type, object_id", "object_type") == [
        ("order", "SO 1"),
        ("shipment", "SH-1"),
    ]


@given(st.text(max_size=300) | st.lists(st.sampled_from([*ALLOWED, "x"]), max_size=5).map("=1,".join))
def test_any_header_gives_allowed_members_or_nothing(header: str) -> None:
    for name, value in members(header):
        assert name in ALLOWED
        assert value


def test_a_header_over_8192_bytes_is_not_read() -> None:
    assert dict(members("o2c.order_id=" + "x" * 8179)) == {"o2c.order_id": "x" * 8179}
    assert dict(members("o2c.order_id=" + "x" * 8180)) == {}

"""Log records as they are stored: the exporter's shape of 2026, and what is refused of a request."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from tests.collector.desk import NOW, Desk
from tests.collector.otlp.say import JSON, NS, PROTOBUF, SAMPLES, log_request, logs, needs_samples, post

SHAPE = [
    ("Timestamp", "DateTime64(9)"),
    ("TraceId", "String"),
    ("SpanId", "String"),
    ("TraceFlags", "UInt8"),
    ("SeverityText", "LowCardinality(String)"),
    ("SeverityNumber", "UInt8"),
    ("ServiceName", "LowCardinality(String)"),
    ("Body", "String"),
    ("ResourceSchemaUrl", "LowCardinality(String)"),
    ("ResourceAttributes", "Map(LowCardinality(String), String)"),
    ("ScopeSchemaUrl", "LowCardinality(String)"),
    ("ScopeName", "String"),
    ("ScopeVersion", "LowCardinality(String)"),
    ("ScopeAttributes", "Map(LowCardinality(String), String)"),
    ("LogAttributes", "Map(LowCardinality(String), String)"),
    ("EventName", "String"),
]


def test_the_table_has_the_shape_of_the_exporter(desk: Desk) -> None:
    where = f"database = '{desk.store.database}' AND table = 'otel_logs'"
    assert desk.rows("name, type", "system.columns", where, "position") == SHAPE
    (sorting,) = desk.rows("sorting_key", "system.tables", f"database = '{desk.store.database}' AND name = 'otel_logs'")
    assert sorting == ("toStartOfFiveMinutes(Timestamp), ServiceName, Timestamp",)


@needs_samples
def test_the_specification_example_is_stored_exactly(desk: Desk) -> None:
    body = (SAMPLES / "logs.json").read_bytes()
    answer = post(desk, body, JSON, "/v1/logs")
    assert (answer.status_code, answer.json(), answer.headers["content-type"]) == (200, {}, JSON)
    scope = msgspec.json.decode(body)["resourceLogs"][0]["scopeLogs"][0]["scope"]
    columns = ", ".join(name for name, _ in SHAPE[1:])
    assert logs(desk, 1, f"toUnixTimestamp64Nano(Timestamp), {columns}") == [
        (
            1544712660300000000, "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174", 0, "Information", 10,
            "my.service", "Example log record", "", {"service.name": "my.service"}, "", scope["name"], "1.0.0",
            {"my.scope.attribute": "some scope attribute"},
            {
                "string.attribute": "some string", "boolean.attribute": "true", "int.attribute": "10",
                "double.attribute": "637.704", "array.attribute": '["many","values"]',
                "map.attribute": '{"some.map.key":"some value"}',
            },
            "",
        )
    ]  # fmt: skip


def test_all_fields_of_a_record_are_kept(desk: Desk) -> None:
    request = log_request(
        time_unix_nano=NS, observed_time_unix_nano=NS + 9, severity_number=17, severity_text="ERROR", flags=0x301,
        trace_id=b"t" * 16, span_id=b"s" * 8, event_name="order.rejected",
    )  # fmt: skip
    request.resource_logs[0].schema_url = "r"
    request.resource_logs[0].scope_logs[0].schema_url = "s"
    assert post(desk, request.SerializeToString(), PROTOBUF, "/v1/logs").content == b""
    columns = (
        "toUnixTimestamp64Nano(Timestamp), TraceId, SpanId, TraceFlags, SeverityText, SeverityNumber,"
        " ResourceSchemaUrl, ScopeSchemaUrl, EventName"
    )
    assert logs(desk, 1, columns) == [
        (NS, (b"t" * 16).hex(), (b"s" * 8).hex(), 1, "ERROR", 17, "r", "s", "order.rejected")
    ]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"string_value": "a\nb"}, "a\nb"),
        ({"int_value": -3}, "-3"),
        ({"bool_value": False}, "false"),
        ({"double_value": 0.5}, "0.5"),
        ({"bytes_value": b"\xff"}, "/w=="),
        ({"array_value": {"values": [{"int_value": 1}, {"string_value": "x"}]}}, '[1,"x"]'),
        ({"kvlist_value": {"values": [{"key": "a", "value": {"bool_value": True}}]}}, '{"a":true}'),
        ({}, ""),
    ],
)
def test_a_body_of_any_kind_is_kept_as_text(desk: Desk, body: dict[str, Any], text: str) -> None:
    request = log_request(time_unix_nano=NS, body=AnyValue(**body))
    assert post(desk, request.SerializeToString(), PROTOBUF, "/v1/logs").status_code == 200
    assert logs(desk, 1, "Body") == [(text,)]


def test_a_record_without_time_has_that_of_its_observation_else_of_its_arrival(desk: Desk) -> None:
    request = log_request(observed_time_unix_nano=NS, severity_number=1)
    request.resource_logs[0].scope_logs[0].log_records.add(severity_number=2)
    assert post(desk, request.SerializeToString(), PROTOBUF, "/v1/logs").content == b""
    assert logs(desk, 2, "SeverityNumber, toUnixTimestamp64Nano(Timestamp)") == [
        (1, NS),
        (2, int(NOW.timestamp()) * 1_000_000_000),
    ]


def test_ids_that_are_none_belong_to_no_trace(desk: Desk) -> None:
    request = log_request(time_unix_nano=NS, trace_id=bytes(16), span_id=b"short")
    assert post(desk, request.SerializeToString(), PROTOBUF, "/v1/logs").content == b""
    assert logs(desk, 1, "TraceId, SpanId") == [("", "")]


def test_records_out_of_range_are_counted_and_their_neighbours_kept(desk: Desk) -> None:
    request = log_request(time_unix_nano=NS, severity_text="good")
    request.resource_logs[0].scope_logs[0].log_records.add(time_unix_nano=2**63)
    answer = post(desk, request.SerializeToString(), PROTOBUF, "/v1/logs")
    reply = ExportLogsServiceResponse.FromString(answer.content)
    assert (answer.status_code, reply.partial_success.rejected_log_records) == (200, 1)
    assert "2099" in reply.partial_success.error_message
    assert logs(desk, 1, "SeverityText") == [("good",)]
    stats = desk.collector.stats()
    assert (stats.logs, stats.logs_rejected) == (1, 1)


def test_an_empty_request_is_fine(desk: Desk) -> None:
    assert post(desk, b"", PROTOBUF, "/v1/logs").content == b""
    assert post(desk, b"{}", JSON, "/v1/logs").json() == {}


def test_json_ids_of_records_are_hexadecimal(desk: Desk) -> None:
    record = {"timeUnixNano": str(NS), "traceId": "0A" * 16, "spanId": "0b" * 8, "body": {"stringValue": "x"}}
    body = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    assert post(desk, msgspec.json.encode(body), JSON, "/v1/logs").status_code == 200
    assert logs(desk, 1, "TraceId, SpanId") == [("0a" * 16, "0b" * 8)]

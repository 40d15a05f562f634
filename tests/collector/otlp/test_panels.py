"""The questions that Grafana's ClickHouse data source and HyperDX ask of the OpenTelemetry tables, as SQL."""

from __future__ import annotations

from typing import Any

import pytest

from tests.collector.desk import Desk
from tests.collector.otlp.say import NS, PROTOBUF, log_request, logs, post, request_with, spans, stored

TRACE = (b"t" * 16).hex()
SECOND = 1_000_000_000


@pytest.fixture
def told(desk: Desk) -> Desk:
    """A trace of two spans a second apart, another trace, and a log record of the first."""
    request = request_with("bridge", name="receive", start_time_unix_nano=NS, end_time_unix_nano=NS + 2 * SECOND)
    group = request.resource_spans[0].scope_spans[0].spans
    group.add(
        trace_id=b"t" * 16, span_id=b"u" * 8, parent_span_id=b"s" * 8, name="call erp", kind=3,
        start_time_unix_nano=NS + SECOND, end_time_unix_nano=NS + SECOND + 5_000_000,
    ).status.code = 2  # fmt: skip
    group.add(trace_id=b"o" * 16, span_id=b"v" * 8, name="other", start_time_unix_nano=NS + 60 * SECOND)
    assert post(desk, request.SerializeToString()).status_code == 200
    record = log_request(time_unix_nano=NS + SECOND, trace_id=b"t" * 16, span_id=b"u" * 8, severity_text="ERROR")
    record.resource_logs[0].scope_logs[0].log_records[0].body.string_value = "503 from the ERP"
    assert post(desk, record.SerializeToString(), PROTOBUF, "/v1/logs").status_code == 200
    spans(desk, 3)
    stored(desk, "otel_traces_trace_id_ts", 2)
    logs(desk, 1)
    return desk


def ask(desk: Desk, sql: str) -> list[dict[str, Any]]:
    with desk.store.reader() as client:
        found = client.query(sql)
        return [dict(zip(found.column_names, row, strict=True)) for row in found.result_rows]


def test_grafana_opens_a_trace_by_its_id_through_the_table_of_times(told: Desk) -> None:
    rows = ask(
        told,
        f"""
        WITH '{TRACE}' AS trace_id,
            (SELECT min(Start) FROM otel_traces_trace_id_ts WHERE TraceId = trace_id) AS trace_start,
            (SELECT max(End) + 1 FROM otel_traces_trace_id_ts WHERE TraceId = trace_id) AS trace_end
        SELECT
            "TraceId" AS traceID, "SpanId" AS spanID, "ParentSpanId" AS parentSpanID, "ServiceName" AS serviceName,
            "SpanName" AS operationName, multiply(toUnixTimestamp64Nano("Timestamp"), 0.000001) AS startTime,
            multiply("Duration", 0.000001) AS duration,
            arrayMap(key -> map('key', key, 'value', "SpanAttributes"[key]), mapKeys("SpanAttributes")) AS tags,
            arrayMap(key -> map('key', key, 'value', "ResourceAttributes"[key]), mapKeys("ResourceAttributes")) AS serviceTags,
            if("StatusCode" IN ('Error', 'STATUS_CODE_ERROR'), 2, 0) AS statusCode
        FROM otel_traces
        WHERE traceID = trace_id AND "Timestamp" >= trace_start AND "Timestamp" <= trace_end
        ORDER BY startTime
        LIMIT 1000
        """,
    )
    assert [(r["operationName"], r["statusCode"], r["duration"]) for r in rows] == [
        ("receive", 0, 2000.0),
        ("call erp", 2, 5.0),
    ]
    assert rows[0]["serviceTags"] == [{"key": "service.name", "value": "bridge"}]


def test_grafana_lists_traces_by_their_root(told: Desk) -> None:
    rows = ask(
        told,
        """
        SELECT "TraceId" AS traceID, "ServiceName" AS serviceName, "SpanName" AS operationName, "Timestamp" AS startTime
        FROM otel_traces
        WHERE "ParentSpanId" = '' AND "Timestamp" >= fromUnixTimestamp64Milli(1699999999000)
            AND "Timestamp" <= fromUnixTimestamp64Milli(1700000100000) AND "Duration" >= 0 AND "ServiceName" = 'bridge'
        ORDER BY Timestamp DESC LIMIT 200
        """,
    )
    assert [r["operationName"] for r in rows] == ["other", "receive"]


def test_hyperdx_reads_error_rates_and_the_logs_of_a_trace(told: Desk) -> None:
    rates = ask(
        told,
        """
        SELECT toStartOfInterval(toDateTime(Timestamp), INTERVAL 1 minute) AS at, countIf(StatusCode = 'Error') AS errors,
            quantile(0.95)(Duration) / 1e6 AS p95
        FROM otel_traces WHERE SpanKind IN ('Server', 'Client', 'Unspecified') GROUP BY at ORDER BY at
        """,
    )
    assert [r["errors"] for r in rates] == [1, 0]
    found = ask(
        told,
        f"""
        SELECT Timestamp, ServiceName, SeverityText, Body, TraceId, SpanId, LogAttributes, ResourceAttributes
        FROM otel_logs
        WHERE toStartOfFiveMinutes(Timestamp) >= toStartOfFiveMinutes(fromUnixTimestamp64Nano({NS}))
            AND TraceId = '{TRACE}' AND lower(Body) LIKE '%erp%'
        ORDER BY (toStartOfFiveMinutes(Timestamp), Timestamp) DESC LIMIT 100
        """,
    )
    assert [(r["Body"], r["SeverityText"]) for r in found] == [("503 from the ERP", "ERROR")]

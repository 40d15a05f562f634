"""Spans as they are stored: the exporter's shape, exactly, from protobuf and JSON, and what is refused of a request."""

from __future__ import annotations

import gzip
from typing import Any

import msgspec
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tests.collector.desk import Desk
from tests.collector.otlp.say import JSON, NS, PROTOBUF, SAMPLES, needs_samples, post, request_with, spans, stored

# The columns of the exporter, in its order. Panels name them.
SHAPE = [
    ("Timestamp", "DateTime64(9)"),
    ("TraceId", "String"),
    ("SpanId", "String"),
    ("ParentSpanId", "String"),
    ("TraceState", "String"),
    ("SpanName", "LowCardinality(String)"),
    ("SpanKind", "LowCardinality(String)"),
    ("ServiceName", "LowCardinality(String)"),
    ("ResourceAttributes", "Map(LowCardinality(String), String)"),
    ("ScopeName", "String"),
    ("ScopeVersion", "String"),
    ("SpanAttributes", "Map(LowCardinality(String), String)"),
    ("Duration", "UInt64"),
    ("StatusCode", "LowCardinality(String)"),
    ("StatusMessage", "String"),
    ("Events.Timestamp", "Array(DateTime64(9))"),
    ("Events.Name", "Array(LowCardinality(String))"),
    ("Events.Attributes", "Array(Map(LowCardinality(String), String))"),
    ("Links.TraceId", "Array(String)"),
    ("Links.SpanId", "Array(String)"),
    ("Links.TraceState", "Array(String)"),
    ("Links.Attributes", "Array(Map(LowCardinality(String), String))"),
]


def test_the_table_has_the_shape_of_the_exporter_and_own_columns_only_behind_it(desk: Desk) -> None:
    found = desk.rows(
        "name, type, default_kind", "system.columns", f"database = '{desk.store.database}' AND table = 'otel_traces'",
        "position",
    )  # fmt: skip
    assert [(name, kind) for name, kind, _ in found[: len(SHAPE)]] == SHAPE
    assert {default for _, _, default in found[len(SHAPE) :]} <= {"MATERIALIZED"}


@needs_samples
@pytest.mark.parametrize("name", ["trace.json", "trace.pb"])
def test_the_specification_example_is_stored_exactly(desk: Desk, name: str) -> None:
    content_type = PROTOBUF if name.endswith("pb") else JSON
    answer = post(desk, (SAMPLES / name).read_bytes(), content_type)
    assert (answer.status_code, answer.headers["content-type"]) == (200, content_type)
    sample = msgspec.json.decode((SAMPLES / "trace.json").read_bytes())
    scope = sample["resourceSpans"][0]["scopeSpans"][0]["scope"]
    columns = (
        "toUnixTimestamp64Nano(Timestamp), TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, ScopeName,"
        " ScopeVersion, ResourceAttributes, SpanAttributes, Duration, StatusCode"
    )
    assert spans(desk, 1, columns) == [
        (
            1544712660000000000, "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174", "eee19b7ec3c1b173",
            "I'm a server span", "Server", "my.service", scope["name"], "1.0.0", {"service.name": "my.service"},
            {"my.span.attr": "some value"}, 1000000000, "Unset",
        )
    ]  # fmt: skip


@needs_samples
@pytest.mark.parametrize(("name", "count"), [("traces_small.json", 2), ("traces_many_spans.json", 4)])
def test_public_samples_are_stored_whole(desk: Desk, name: str, count: int) -> None:
    body = (SAMPLES / name).read_bytes()
    answer = post(desk, gzip.compress(body), f"{JSON}; charset=utf-8", **{"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json()) == (200, {})
    sent = [s for r in msgspec.json.decode(body)["resourceSpans"] for g in r["scopeSpans"] for s in g["spans"]]
    found = spans(
        desk, count, "SpanId, TraceId, SpanName, mapKeys(SpanAttributes), Events.Name, Links.TraceId, StatusCode"
    )
    assert sorted(found) == sorted(map(_as_stored, sent))


def _as_stored(span: dict[str, Any]) -> tuple[Any, ...]:
    return (
        span["spanId"], span["traceId"], span["name"], [a["key"] for a in span["attributes"]],
        [e.get("name", "") for e in span.get("events", [])], [k["traceId"] for k in span.get("links", [])],
        {0: "Unset", 1: "Ok", 2: "Error"}[span.get("status", {}).get("code", 0)],
    )  # fmt: skip


def test_all_fields_of_a_span_are_kept(desk: Desk) -> None:
    request = request_with("bridge", name="POST /orders", kind=3, trace_state="a=1", parent_span_id=b"p" * 8)
    span = request.resource_spans[0].scope_spans[0].spans[0]
    span.start_time_unix_nano, span.end_time_unix_nano = NS + 1, NS + 1_500_000_001
    span.status.code, span.status.message = 2, "boom"
    event = span.events.add(name="exception", time_unix_nano=NS + 7)
    event.attributes.add(key="exception.message").value.string_value = "no route"
    link = span.links.add(trace_id=b"l" * 16, span_id=b"k" * 8, trace_state="b=2")
    link.attributes.add(key="why").value.int_value = 3
    assert post(desk, request.SerializeToString()).content == b""
    columns = (
        "toUnixTimestamp64Nano(Timestamp), ParentSpanId, TraceState, SpanKind, Duration, StatusCode, StatusMessage,"
        " arrayMap(at -> toUnixTimestamp64Nano(at), Events.Timestamp), Events.Attributes, Links.TraceId, Links.SpanId,"
        " Links.TraceState, Links.Attributes"
    )
    assert spans(desk, 1, columns) == [
        (
            NS + 1, (b"p" * 8).hex(), "a=1", "Client", 1_500_000_000, "Error", "boom", [NS + 7],
            [{"exception.message": "no route"}], [(b"l" * 16).hex()], [(b"k" * 8).hex()], ["b=2"], [{"why": "3"}],
        )
    ]  # fmt: skip


def test_attribute_values_of_every_kind_are_kept_as_text_in_whatever_place(desk: Desk) -> None:
    request = request_with(name="kinds", start_time_unix_nano=NS)
    span = request.resource_spans[0].scope_spans[0].spans[0]
    span.events.add()
    span.links.add(trace_id=b"l" * 16, span_id=b"k" * 8)
    holders = (request.resource_spans[0].resource, span, span.events[0], span.links[0])
    for holder in holders:
        for name, kind, value in (
            ("i", "int_value", -(2**63)),
            ("d", "double_value", 1.5),
            ("b", "bool_value", True),
            ("n", "bool_value", False),
            ("y", "bytes_value", b"\x00\xff"),
            ("e", "string_value", ""),
        ):
            setattr(holder.attributes.add(key=name).value, kind, value)
        many = holder.attributes.add(key="list").value.array_value
        many.values.add().string_value = "é"
        many.values.add().kvlist_value.values.add().key = "empty"
        many.values.add().bytes_value = b"\xfe"
        holder.attributes.add(key="map").value.kvlist_value.values.add(key="k").value.int_value = 7
        holder.attributes.add(key="nothing")
    assert post(desk, request.SerializeToString()).content == b""
    kept = {
        "i": "-9223372036854775808", "d": "1.5", "b": "true", "n": "false", "y": "AP8=", "e": "",
        "list": '["é",{"empty":null},"/g=="]', "map": '{"k":7}', "nothing": "",
    }  # fmt: skip
    assert spans(desk, 1, "ResourceAttributes, SpanAttributes, Events.Attributes, Links.Attributes") == [
        (kept, kept, [kept], [kept])
    ]


def test_json_takes_numbers_as_text_or_number_and_skips_what_it_does_not_know(desk: Desk) -> None:
    span = {
        "traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "eee19b7ec3c1b174", "parentSpanId": "", "name": "j",
        "kind": 2, "startTimeUnixNano": NS, "endTimeUnixNano": str(NS + 5), "status": {"code": 2}, "newField": {"a": 1},
        "attributes": [
            {"key": "a", "value": {"intValue": "9007199254740993"}}, {"key": "b", "value": {"intValue": 3}},
            {"key": "c", "value": {"bytesValue": "AP8="}}, {"key": "d", "value": {"doubleValue": 0.25}, "new": 1},
        ],
    }  # fmt: skip
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span], "schemaUrl": "x"}], "unknown": []}], "more": None}
    answer = post(desk, msgspec.json.encode(body), JSON)
    assert (answer.status_code, answer.json()) == (200, {})
    columns = "toUnixTimestamp64Nano(Timestamp), TraceId, ParentSpanId, SpanKind, Duration, StatusCode, SpanAttributes"
    assert spans(desk, 1, columns) == [
        (
            NS, "5b8efff798038103d269b633813fc60c", "", "Server", 5, "Error",
            {"a": "9007199254740993", "b": "3", "c": "AP8=", "d": "0.25"},
        )
    ]  # fmt: skip


def test_bad_spans_are_counted_with_their_reasons_and_their_neighbours_kept(desk: Desk) -> None:
    request = request_with(name="good")
    group = request.resource_spans[0].scope_spans[0]
    group.spans.add(name="no ids")
    group.spans.add(name="zero", trace_id=bytes(16), span_id=b"s" * 8)
    group.spans.add(name="short", trace_id=b"t" * 16, span_id=b"s" * 7)
    group.spans.add(name="late", trace_id=b"t" * 16, span_id=b"s" * 8, start_time_unix_nano=2**63)
    group.spans.add(name="late event", trace_id=b"t" * 16, span_id=b"s" * 8).events.add(time_unix_nano=2**63)
    second = request.resource_spans.add().scope_spans.add().spans.add(name="other good")
    second.trace_id, second.span_id, second.start_time_unix_nano = b"u" * 16, b"v" * 8, NS
    answer = post(desk, request.SerializeToString())
    reply = ExportTraceServiceResponse.FromString(answer.content)
    assert (answer.status_code, reply.partial_success.rejected_spans) == (200, 5)
    for name in ("no ids", "zero", "short", "late", "late event"):
        assert f"span {name!r}: " in reply.partial_success.error_message
    assert spans(desk, 2, "SpanName") == [("good",), ("other good",)]
    stats = desk.collector.stats()
    assert (stats.spans, stats.spans_rejected) == (2, 5)


def test_a_request_of_bad_spans_alone_stores_nothing(desk: Desk) -> None:
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "no ids"}]}]}]}
    answer = post(desk, msgspec.json.encode(body), JSON)
    partial = answer.json()["partialSuccess"]
    assert (answer.status_code, partial["rejectedSpans"]) == (200, "1")
    assert desk.rows("1", "otel_traces") == []


def test_a_resource_that_would_outgrow_its_request_is_refused(desk: Desk) -> None:
    """Its attributes are stored with each span: a megabyte of them on many tiny spans would fill the memory."""
    request = ExportTraceServiceRequest()
    heavy = request.resource_spans.add()
    heavy.resource.attributes.add(key="big").value.string_value = "x" * (1 << 20)
    heavy.scope_spans.add().spans.extend(
        request_with(span_id=i.to_bytes(8, "big")).resource_spans[0].scope_spans[0].spans[0] for i in range(1, 1000)
    )
    request.resource_spans.extend(request_with(name="light").resource_spans)
    answer = post(desk, request.SerializeToString())
    reply = ExportTraceServiceResponse.FromString(answer.content)
    assert (answer.status_code, reply.partial_success.rejected_spans) == (200, 999)
    assert "send fewer attributes" in reply.partial_success.error_message
    assert spans(desk, 1, "SpanName") == [("light",)]


def test_spans_of_many_days_are_stored_together(desk: Desk) -> None:
    request = request_with(name="old")
    for day in range(60):
        request.resource_spans[0].scope_spans[0].spans.add(
            trace_id=b"t" * 16,
            span_id=b"s" * 8,
            start_time_unix_nano=1_600_000_000_000_000_000 + day * 86_400_000_000_000,
        )
    assert post(desk, request.SerializeToString()).status_code == 200
    assert spans(desk, 61, "1")
    assert len(stored(desk, "otel_traces_trace_id_ts", 1)) == 1

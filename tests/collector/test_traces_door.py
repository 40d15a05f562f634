"""OTLP/HTTP in protobuf and JSON: public samples, an unmodified SDK, and refusals in the request's own type."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import uvicorn
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace import Status as SpanStatus
from starlette.applications import Starlette

from tests.collector.desk import Desk
from tests.collector.test_kill import free_port

SAMPLES = Path(__file__).parents[3] / "shared" / "data" / "otlp"
PROTOBUF = "application/x-protobuf"
needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the shared OTLP samples are not beside the repository")


def post(desk: Desk, body: bytes, content_type: str = PROTOBUF, **headers: str) -> httpx.Response:
    return desk.client.request("POST", "/v1/traces", content=body, headers={"Content-Type": content_type, **headers})


def spans(desk: Desk, count: int, columns: str = "*") -> list[tuple[Any, ...]]:
    """Return the stored spans once there are as many as expected."""
    for _ in range(200):
        found = desk.rows(columns, "otel_traces", order="Timestamp, SpanId")
        if len(found) >= count:
            break
        threading.Event().wait(0.05)
    assert len(found) == count
    return found


def request_with(**span: Any) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    made = request.resource_spans.add().scope_spans.add().spans.add()
    made.trace_id, made.span_id = b"t" * 16, b"s" * 8
    for name, value in span.items():
        setattr(made, name, value)
    return request


@needs_samples
@pytest.mark.parametrize("name", ["trace.json", "trace.pb"])
def test_the_specification_example_is_stored_exactly(desk: Desk, name: str) -> None:
    content_type = PROTOBUF if name.endswith("pb") else "application/json"
    answer = post(desk, (SAMPLES / name).read_bytes(), content_type)
    assert (answer.status_code, answer.headers["content-type"]) == (200, content_type)
    columns = (
        "toUnixTimestamp64Nano(Timestamp), TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, ScopeName,"
        " ScopeVersion, ResourceAttributes, SpanAttributes, Duration, StatusCode"
    )
    assert spans(desk, 1, columns) == [
        (
            1544712660000000000, "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174", "eee19b7ec3c1b173",
            "I'm a server span", "Server", "my.service", "my.library", "1.0.0", {"service.name": "my.service"},
            {"my.span.attr": "some value"}, 1000000000, "Unset",
        )
    ]  # fmt: skip


@needs_samples
@pytest.mark.parametrize(("name", "count"), [("traces_small.json", 2), ("traces_many_spans.json", 0)])
def test_public_samples_are_stored_whole(desk: Desk, name: str, count: int) -> None:
    body = (SAMPLES / name).read_bytes()
    sent = [s for r in msgspec.json.decode(body)["resourceSpans"] for g in r["scopeSpans"] for s in g["spans"]]
    answer = post(desk, gzip.compress(body), "application/json; charset=utf-8", **{"Content-Encoding": "gzip"})
    assert answer.status_code == 200
    rejected = int(answer.json().get("partialSuccess", {}).get("rejectedSpans", 0))
    stored = spans(desk, len(sent) - rejected, "SpanName, length(Events.Name), length(Links.TraceId)")
    assert {name for name, *_ in stored} <= {s.get("name", "") for s in sent}
    if count:
        assert len(stored) == count


def test_an_order_named_by_the_resource_is_copied_to_its_spans(desk: Desk) -> None:
    request = request_with(name="step")
    attribute = request.resource_spans[0].resource.attributes.add()
    attribute.key, attribute.value.string_value = "o2c.order_id", "SO-7"
    assert post(desk, request.SerializeToString()).status_code == 200
    assert spans(desk, 1, "OrderId, SpanAttributes") == [("SO-7", {"o2c.order_id": "SO-7"})]
    assert desk.rows("TraceId", "otel_traces_trace_id_ts") == [((b"t" * 16).hex(),)]


def test_attribute_values_of_every_kind_are_kept_as_text(desk: Desk) -> None:
    request = request_with(name="kinds", start_time_unix_nano=1_700_000_000_123_456_789)
    span = request.resource_spans[0].scope_spans[0].spans[0]
    for name, field, value in (
        ("i", "int_value", -7),
        ("d", "double_value", 1.5),
        ("b", "bool_value", True),
        ("y", "bytes_value", b"\x00\xff"),
    ):
        attribute = span.attributes.add()
        attribute.key = name
        setattr(attribute.value, field, value)
    many = span.attributes.add()
    many.key = "list"
    many.value.array_value.values.add().string_value = "é"
    many.value.array_value.values.add().kvlist_value.values.add().key = "empty"
    assert post(desk, request.SerializeToString()).status_code == 200
    assert spans(desk, 1, "SpanAttributes, toUnixTimestamp64Nano(Timestamp)") == [
        ({"i": "-7", "d": "1.5", "b": "true", "y": "AP8=", "list": '["é",{"empty":null}]'}, 1_700_000_000_123_456_789)
    ]


def test_spans_without_ids_are_refused_and_their_neighbours_kept(desk: Desk) -> None:
    request = request_with(name="good")
    group = request.resource_spans[0].scope_spans[0]
    group.spans.add(name="no ids")
    group.spans.add(name="zero", trace_id=bytes(16), span_id=b"s" * 8)
    group.spans.add(name="late", trace_id=b"t" * 16, span_id=b"s" * 8, start_time_unix_nano=2**63)
    answer = post(desk, request.SerializeToString())
    reply = ExportTraceServiceResponse.FromString(answer.content)
    assert (answer.status_code, reply.partial_success.rejected_spans) == (200, 3)
    assert "no ids" in reply.partial_success.error_message
    assert spans(desk, 1, "SpanName") == [("good",)]


def test_spans_of_many_days_are_stored_together(desk: Desk) -> None:
    request = request_with(name="old")
    for day in range(300):
        request.resource_spans[0].scope_spans[0].spans.add(
            trace_id=b"t" * 16,
            span_id=b"s" * 8,
            start_time_unix_nano=1_600_000_000_000_000_000 + day * 86_400_000_000_000,
        )
    assert post(desk, request.SerializeToString()).status_code == 200
    assert spans(desk, 301, "1")


def test_an_empty_request_is_fine(desk: Desk) -> None:
    assert (post(desk, b"").status_code, post(desk, b"").content) == (200, b"")
    assert post(desk, b"{}", "application/json").json() == {}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"\xff\xff\xff", PROTOBUF),
        (b"nonsense", "application/json"),
        (b"[]", "application/json"),
        (b'{"resourceSpans": 7}', "application/json"),
        (b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "xyz"}]}]}]}', "application/json"),
        (b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": "soon"}]}]}]}', "application/json"),
        (b"[" * 100_000, "application/json"),
        (b"\xff", "application/json"),
    ],
)
def test_bad_requests_get_a_status_in_their_own_type(desk: Desk, body: bytes, content_type: str) -> None:
    answer = post(desk, body, content_type)
    assert (answer.status_code, answer.headers["content-type"]) == (400, content_type)
    if content_type == PROTOBUF:
        assert Status.FromString(answer.content).code == 3
    else:
        assert answer.json()["code"] == 3


def test_refusals_are_statuses_too(desk: Desk) -> None:
    answer = post(desk, b"", Authorization="Bearer wrong")
    assert (answer.status_code, Status.FromString(answer.content).code) == (401, 16)
    assert post(desk, b"", Authorization="Bearer reader").status_code == 403
    assert post(desk, b"", "text/plain").status_code == 415
    bomb = gzip.compress(b"\0" * (65 << 20))
    answer = post(desk, bomb, **{"Content-Encoding": "gzip"})
    assert (answer.status_code, Status.FromString(answer.content).code) == (413, 8)


@pytest.fixture
def served(desk: Desk) -> Iterator[str]:
    """The desk on a real port."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(Starlette(routes=desk.collector.routes()), host="127.0.0.1", port=port, log_level="warning")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        threading.Event().wait(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_an_unmodified_opentelemetry_sdk_is_understood(desk: Desk, served: str, compression: str) -> None:
    from opentelemetry.exporter.otlp.proto.http import Compression

    exporter = OTLPSpanExporter(
        endpoint=f"{served}/v1/traces", headers={"Authorization": "Bearer admin"}, compression=Compression(compression)
    )
    results: list[SpanExportResult] = []
    export = exporter.export
    exporter.export = lambda batch: results.append(export(batch)) or results[-1]  # type: ignore[method-assign,assignment,func-returns-value]  # notes the SDK's own verdict
    provider = TracerProvider(resource=Resource({"service.name": "middleware"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("steps", "2.1")
    with tracer.start_as_current_span(
        "release invoice", kind=SpanKind.CLIENT, attributes={"o2c.order_id": "SO-1"}
    ) as span:
        span.add_event("mapped", {"lines": 3})
        span.set_status(SpanStatus(StatusCode.ERROR, "tax engine timed out"))
    provider.shutdown()
    assert results == [SpanExportResult.SUCCESS]
    columns = "ServiceName, SpanName, SpanKind, OrderId, StatusCode, StatusMessage, Events.Name, Events.Attributes"
    assert spans(desk, 1, columns) == [
        (
            "middleware",
            "release invoice",
            "Client",
            "SO-1",
            "Error",
            "tax engine timed out",
            ["mapped"],
            [{"lines": "3"}],
        )
    ]

"""Small OTLP requests and what became of them in the store."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from tests.collector.desk import Desk

SAMPLES = Path(__file__).parents[4] / "shared" / "data" / "otlp"
PROTOBUF, JSON = "application/x-protobuf", "application/json"
NS = 1_700_000_000_000_000_000
needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the shared OTLP samples are not beside the repository")


def post(
    desk: Desk, body: bytes, content_type: str = PROTOBUF, path: str = "/v1/traces", **headers: str
) -> httpx.Response:
    return desk.client.request("POST", path, content=body, headers={"Content-Type": content_type, **headers})


def stored(desk: Desk, table: str, count: int, columns: str = "*", order: str = "1") -> list[tuple[Any, ...]]:
    """Return the rows of a table once there are as many as expected."""
    found: list[tuple[Any, ...]] = []
    for _ in range(200):
        found = desk.rows(columns, table, order=order)
        if len(found) >= count:
            break
        threading.Event().wait(0.05)
    assert len(found) == count
    return found


def spans(desk: Desk, count: int, columns: str = "*") -> list[tuple[Any, ...]]:
    return stored(desk, "otel_traces", count, columns, "Timestamp, SpanId")


def logs(desk: Desk, count: int, columns: str = "*") -> list[tuple[Any, ...]]:
    return stored(desk, "otel_logs", count, columns, "Timestamp, SpanId")


def request_with(service: str = "", **span: Any) -> ExportTraceServiceRequest:
    """Return a request with one good span, some of its fields set."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    if service:
        group.resource.attributes.add(key="service.name", value=AnyValue(string_value=service))
    made = group.scope_spans.add().spans.add(trace_id=b"t" * 16, span_id=b"s" * 8)
    for name, value in span.items():
        setattr(made, name, value)
    return request


def log_request(**record: Any) -> ExportLogsServiceRequest:
    """Return a request with one log record."""
    request = ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add().log_records.add(**record)
    return request

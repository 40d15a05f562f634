"""The kinds of telemetry a sender can have, each with its messages and with where it goes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from collector.otlp.checked import checked


@dataclass(frozen=True, slots=True)
class Signal:
    """One kind of telemetry: the names of its three levels, its messages, the field that counts what was refused.

    checked is the request as the door reads it (see collector/otlp/checked.py). table says where the store puts the
    bodies.
    """

    name: str
    resources: str
    scopes: str
    items: str
    item: str
    request: type[Message]
    response: type[Message]
    rejected: str
    checked: type[Message]
    table: str

    def read_by(self, *, embedded: bool) -> dict[str, str]:
        """Return the settings by which the store reads bodies.

        A server is given the schema with every insert and keeps a copy among its own files; an embedded store would
        put that copy into whatever folder the process was started in, so it reads ours where it lies.
        """
        file = Path(__file__).with_name(f"{self.name}.proto")
        if embedded:
            return {"format_schema": f"{file}:Request"}
        lines = [line for line in file.read_text().splitlines() if line and not line.startswith("//")]
        return {
            "format_schema_source": "string",
            "format_schema": "\n".join(lines),
            "format_schema_message_name": "Request",
        }

    def groups(self, request: Message) -> Iterator[tuple[Any, Any]]:
        """Give each (resource group, scope group) of a request."""
        for resource in getattr(request, self.resources):
            for scope in getattr(resource, self.scopes):
                yield resource, scope


TRACES = Signal(
    "traces", "resource_spans", "scope_spans", "spans", "span",
    ExportTraceServiceRequest, ExportTraceServiceResponse, "rejected_spans", checked(ExportTraceServiceRequest),
    "otlp_traces",
)  # fmt: skip
LOGS = Signal(
    "logs", "resource_logs", "scope_logs", "log_records", "log record",
    ExportLogsServiceRequest, ExportLogsServiceResponse, "rejected_log_records", checked(ExportLogsServiceRequest),
    "otlp_logs",
)  # fmt: skip
METRICS_REQUEST, METRICS_RESPONSE = ExportMetricsServiceRequest, ExportMetricsServiceResponse

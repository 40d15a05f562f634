"""The kinds of telemetry a sender can have, each with its messages and with where it goes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
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

    checked is the request as the door reads it (see collector/otlp/checked.py). table and schema say where and how
    the store reads the bodies.
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
    schema: str

    def groups(self, request: Message) -> Iterator[tuple[Any, Any]]:
        """Give each (resource group, scope group) of a request."""
        for resource in getattr(request, self.resources):
            for scope in getattr(resource, self.scopes):
                yield resource, scope


def _schema(name: str) -> str:
    """Return the schema the engine reads bodies by, without comments: it travels with every insert."""
    text = (resources.files("collector.otlp") / f"{name}.proto").read_text()
    return "\n".join(line for line in text.splitlines() if line and not line.startswith("//"))


TRACES = Signal(
    "traces", "resource_spans", "scope_spans", "spans", "span",
    ExportTraceServiceRequest, ExportTraceServiceResponse, "rejected_spans", checked(ExportTraceServiceRequest),
    "otlp_traces", _schema("traces"),
)  # fmt: skip
LOGS = Signal(
    "logs", "resource_logs", "scope_logs", "log_records", "log record",
    ExportLogsServiceRequest, ExportLogsServiceResponse, "rejected_log_records", checked(ExportLogsServiceRequest),
    "otlp_logs", _schema("logs"),
)  # fmt: skip
METRICS_REQUEST, METRICS_RESPONSE = ExportMetricsServiceRequest, ExportMetricsServiceResponse

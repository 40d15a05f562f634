"""The demo's telemetry: one trace for each try with its log, in the shape the tower ties to orders."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tower.demo.scenario import Attempt, root_span_id, trace_id
from tower.demo.tracing import Spans

END = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def received() -> Iterator[tuple[str, dict[str, list[bytes]]]]:
    """A server that keeps what is posted to it, by path."""
    kept: dict[str, list[bytes]] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept.setdefault(self.path, []).append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", kept
    server.shutdown()
    thread.join()
    server.server_close()


def attempt(name: str, error: str = "") -> Attempt:
    return Attempt("SO-1", {"shipment_id": "SO-1-S1"}, name, "erp", END - timedelta(seconds=1), END, error)


def test_a_failed_try_is_a_linked_trace_whose_deepest_span_says_why(
    received: tuple[str, dict[str, list[bytes]]],
) -> None:
    url, kept = received
    telemetry = Spans(url, "token")
    telemetry.record([attempt("order_captured"), attempt("invoice_released", "period closed")])
    telemetry.close()
    spans: dict[str, Span] = {}
    for body in kept["/v1/traces"]:
        for group in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in group.scope_spans:
                spans |= {s.span_id.hex(): s for s in scope.spans}
    captured = spans[root_span_id("SO-1")]
    assert (captured.trace_id.hex(), len(captured.links)) == (trace_id("SO-1"), 0)
    (root,) = [s for s in spans.values() if s.name == "carry invoice_released"]
    assert root.trace_id != captured.trace_id
    assert root.links[0].span_id.hex() == root_span_id("SO-1")
    assert {a.key: a.value.string_value for a in root.attributes}["o2c.shipment_id"] == "SO-1-S1"
    failed = [s for s in spans.values() if s.status.code == 2]
    deepest = next(s for s in failed if s.name == "invoice released")
    assert spans[spans[deepest.parent_span_id.hex()].parent_span_id.hex()] == root
    assert (len(failed), deepest.status.message) == (3, "period closed")
    records = [
        r
        for body in kept["/v1/logs"]
        for group in ExportLogsServiceRequest.FromString(body).resource_logs
        for scope in group.scope_logs
        for r in scope.log_records
    ]
    told = {r.body.string_value: r for r in records if r.trace_id == root.trace_id}
    assert told["period closed"].span_id == deepest.span_id
    assert len(told) == 3

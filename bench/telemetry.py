"""Seeded spans of an integration layer: about 400 bytes of OTLP each, twelve attributes, four of the resource.

A trace is one call with three steps below it; the call names its order, and one in a hundred fails from
its last step up.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

SPANS_PER_TRACE = 4
_STEPS = ("receive order", "map order", "POST /orders", "POST /orders/{id}/lines")


def requests(seed: int, count: int, traces: int, start_ns: int) -> Iterator[bytes]:
    """Yield so many export requests in protobuf, each with so many traces, 10 ms from one trace to the next."""
    rng = random.Random(seed)
    at = start_ns
    for _ in range(count):
        request = ExportTraceServiceRequest()
        group = request.resource_spans.add()
        for key, value in (
            ("service.name", "order-bridge"),
            ("service.version", "4.2.0"),
            ("telemetry.sdk.language", "java"),
            ("deployment.environment.name", "production"),
        ):
            group.resource.attributes.append(_pair(key, value))
        scope = group.scope_spans.add()
        scope.scope.name, scope.scope.version = "order.bridge", "4.2.0"
        for _ in range(traces):
            scope.spans.extend(_trace(rng, at))
            at += 10_000_000
        yield request.SerializeToString()


def _trace(rng: random.Random, at: int) -> Iterator[Span]:
    trace_id, above, fails = rng.randbytes(16), b"", rng.random() < 0.01
    for step, name in enumerate(_STEPS):
        span_id = rng.randbytes(8)
        yield Span(
            trace_id=trace_id,
            span_id=span_id,
            parent_span_id=above,
            name=name,
            kind=Span.SPAN_KIND_CLIENT if step > 1 else Span.SPAN_KIND_SERVER,
            start_time_unix_nano=at + step * 1_000_000,
            end_time_unix_nano=at + 9_000_000 - step * 1_000_000,
            attributes=[
                _pair("o2c.order_id" if step == 0 else "order.reference", f"SO-{rng.randrange(1_000_000)}"),
                _pair("http.request.method", "POST"),
                _pair("url.path", "/api/v2/orders"),
                _pair("url.scheme", "https"),
                _pair("server.address", "erp.internal"),
                _pair("server.port", 443),
                _pair("http.response.status_code", 503 if fails else 201),
                _pair("network.protocol.version", "1.1"),
                _pair("user_agent.original", "order-bridge/4.2"),
                _pair("thread.id", rng.randrange(64)),
                _pair("messaging.system", "kafka"),
                _pair("cached", False),
            ],
            status=Status(code=Status.STATUS_CODE_ERROR, message="503 from the ERP") if fails else None,
        )
        above = span_id


def _pair(key: str, value: str | int | bool) -> KeyValue:
    pair = KeyValue(key=key)
    if isinstance(value, bool):
        pair.value.bool_value = value
    elif isinstance(value, int):
        pair.value.int_value = value
    else:
        pair.value.string_value = value
    return pair

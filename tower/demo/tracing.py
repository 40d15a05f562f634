"""The simulated systems' own OpenTelemetry spans: one trace per order, one service per system, sent by OTLP/HTTP."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import NonRecordingSpan, SpanContext, Status, StatusCode, TraceFlags

from tower.demo.catalog import SOURCES
from tower.demo.scenario import Attempt, root_span_id, trace_id


class _Ids(IdGenerator):
    """Ids that are set before each span: the trace of an order depends on the order alone."""

    trace = 0
    span = 0

    def generate_trace_id(self) -> int:
        return self.trace

    def generate_span_id(self) -> int:
        return self.span


class Spans:
    """Turns tries into spans. Used from one thread; sending happens in another and never blocks."""

    def __init__(self, tower_url: str, token: str) -> None:
        exporter = OTLPSpanExporter(f"{tower_url}/v1/traces", headers={"Authorization": f"Bearer {token}"}, timeout=5)
        self._processor = BatchSpanProcessor(exporter, max_queue_size=8192, schedule_delay_millis=1000)
        self._ids = _Ids()
        self._tracers = {name: self._tracer(name) for name in SOURCES}

    def record(self, attempts: Iterable[Attempt]) -> None:
        """Add one span per try; the first step of an order is the root of its trace."""
        for attempt in attempts:
            self._ids.trace = int(trace_id(attempt.order_id), 16)
            root = int(root_span_id(attempt.order_id), 16)
            first = attempt.name == "order_captured"
            own = trace_id(f"{attempt.order_id} {attempt.name} {attempt.ended_at.timestamp()}")[:16]
            self._ids.span = root if first else int(own, 16)
            above = SpanContext(self._ids.trace, root, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
            span = self._tracers[attempt.system].start_span(
                attempt.name,
                context=None if first else trace.set_span_in_context(NonRecordingSpan(above)),
                attributes={"o2c.order_id": attempt.order_id, "o2c.milestone": attempt.name},
                start_time=_ns(attempt.started_at),
            )
            if attempt.error:
                span.set_status(Status(StatusCode.ERROR, attempt.error))
                span.add_event("exception", {"exception.message": attempt.error}, _ns(attempt.ended_at))
            span.end(_ns(attempt.ended_at))

    def flush(self) -> None:
        """Send what is waiting."""
        self._processor.force_flush(5000)

    def close(self) -> None:
        """Send what is waiting and stop."""
        self._processor.shutdown()  # type: ignore[no-untyped-call]  # the SDK leaves it without types

    def _tracer(self, name: str) -> trace.Tracer:
        resource = Resource.create({"service.name": name, "service.namespace": "demo"})
        provider = TracerProvider(resource=resource, id_generator=self._ids, shutdown_on_exit=False)
        provider.add_span_processor(self._processor)
        return provider.get_tracer("tower.demo")


def _ns(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000) * 1000

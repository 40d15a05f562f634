"""The middleware's own telemetry of what it carries: one trace and some log lines for each try, sent by OTLP/HTTP.

A try goes through the bus, where it is mapped, to the system, which works on it; the system's failure is the deepest
span. What follows later is a trace of its own, linked to the one in which the order was captured.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from opentelemetry import trace
from opentelemetry._logs import Logger, LogRecord, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from tower.demo.catalog import CALLS, SOURCES
from tower.demo.scenario import Attempt, root_span_id, trace_id

BUS = "order-bus"
FIRST = "order_captured"
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


class _Ids(IdGenerator):
    """Ids that are set before each span, so that they depend on the order alone. Spans below a root count up."""

    trace = 0
    span = 0

    def generate_trace_id(self) -> int:
        return self.trace

    def generate_span_id(self) -> int:
        self.span += 1
        return self.span


class Spans:
    """Turns tries into telemetry. Used from one thread; sending happens in others and never blocks."""

    def __init__(self, tower_url: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        spans = OTLPSpanExporter(f"{tower_url}/v1/traces", headers=headers, timeout=5)
        logs = OTLPLogExporter(f"{tower_url}/v1/logs", headers=headers, timeout=5)
        self._spans = BatchSpanProcessor(spans, max_queue_size=16384, schedule_delay_millis=1000)
        self._logs = BatchLogRecordProcessor(logs, schedule_delay_millis=1000)
        self._ids = _Ids()
        self._tracers = {name: self._tracer(name) for name in (BUS, *SOURCES)}
        self._loggers = {name: self._logger(name) for name in (BUS, *SOURCES)}

    def record(self, attempts: Iterable[Attempt]) -> None:
        """Add what a try left behind."""
        for attempt in attempts:
            self._record(attempt)

    def _record(self, attempt: Attempt) -> None:
        flow, first = trace_id(attempt.order_id), attempt.name == FIRST
        own = flow if first else trace_id(f"{attempt.order_id} {attempt.name} {attempt.ended_at.timestamp()}")
        start = SpanContext(
            int(flow, 16), int(root_span_id(attempt.order_id), 16), is_remote=True, trace_flags=_SAMPLED
        )
        self._ids.trace = int(own, 16)
        self._ids.span = (start.span_id if first else int(own[:16], 16)) - 1
        begin, end = attempt.started_at, attempt.ended_at
        took = end - begin
        named = {f"o2c.{field}": value for field, value in attempt.objects.items()}
        bus = self._tracers[BUS]
        root = bus.start_span(
            f"carry {attempt.name}", links=() if first else (Link(start),), kind=SpanKind.CONSUMER,
            attributes={**named, "o2c.milestone": attempt.name, "messaging.system": "kafka"}, start_time=_ns(begin),
        )  # fmt: skip
        self._log(BUS, root, begin, f"{attempt.name} of {attempt.order_id} taken from the queue")
        mapped = begin + took * 0.12
        bus.start_span("map", context=_under(root), start_time=_ns(begin + took * 0.02)).end(_ns(mapped))
        call = bus.start_span(CALLS[attempt.system], context=_under(root), kind=SpanKind.CLIENT, start_time=_ns(mapped))
        work = self._tracers[attempt.system].start_span(
            attempt.name.replace("_", " "), context=_under(call), kind=SpanKind.SERVER,
            start_time=_ns(mapped + took * 0.05),
        )  # fmt: skip
        if attempt.error:
            self._fail(attempt, root, call, work)
        work.end(_ns(end - took * 0.05))
        call.end(_ns(end - took * 0.02))
        root.end(_ns(end))

    def _fail(self, attempt: Attempt, root: Span, call: Span, work: Span) -> None:
        at = attempt.ended_at - (attempt.ended_at - attempt.started_at) * 0.05
        work.set_status(Status(StatusCode.ERROR, attempt.error))
        work.add_event("exception", {"exception.message": attempt.error}, _ns(at))
        call.set_status(Status(StatusCode.ERROR))
        root.set_status(Status(StatusCode.ERROR, f"{attempt.name} was not carried"))
        self._log(attempt.system, work, at, attempt.error, SeverityNumber.ERROR)
        self._log(BUS, root, attempt.ended_at, f"{attempt.order_id} put aside, 0 tries left", SeverityNumber.WARN)

    def _log(
        self, name: str, span: Span, at: datetime, text: str, severity: SeverityNumber = SeverityNumber.INFO
    ) -> None:
        record = LogRecord(
            timestamp=_ns(at), context=trace.set_span_in_context(span), severity_number=severity,
            severity_text=severity.name, body=text,
        )  # fmt: skip
        self._loggers[name].emit(record)

    def flush(self) -> None:
        """Send what is waiting."""
        self._spans.force_flush(5000)
        self._logs.force_flush(5000)

    def close(self) -> None:
        """Send what is waiting and stop."""
        self._spans.shutdown()  # type: ignore[no-untyped-call]  # the SDK leaves it without types
        self._logs.shutdown()  # type: ignore[no-untyped-call]  # likewise

    def _tracer(self, name: str) -> trace.Tracer:
        provider = TracerProvider(resource=_resource(name), id_generator=self._ids, shutdown_on_exit=False)
        provider.add_span_processor(self._spans)
        return provider.get_tracer("tower.demo")

    def _logger(self, name: str) -> Logger:
        provider = LoggerProvider(resource=_resource(name), shutdown_on_exit=False)
        provider.add_log_record_processor(self._logs)
        return provider.get_logger("tower.demo")


def _resource(name: str) -> Resource:
    return Resource.create({"service.name": name, "service.namespace": "demo"})


def _under(span: Span) -> Context:
    return trace.set_span_in_context(span)


def _ns(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000) * 1000

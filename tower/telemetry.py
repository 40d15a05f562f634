"""How the tower watches itself: structured logs always, spans and metrics where an OTLP endpoint is set.

Without an endpoint the OpenTelemetry API's own no-op providers stay in force and a span costs about a microsecond.
Units of work are `request`, `flush`, `tick` and `action`.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import structlog
from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import Histogram, Meter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, Tracer

from tower.settings import Settings

NAME = "o2c-control-tower"
METRICS_EVERY_MS = 15_000


def configure(settings: Settings) -> None:
    """Set up logs, spans and metrics of this process. Call once, before anything is served."""
    configure_logs()
    if settings.otlp_endpoint is None:
        return
    base = settings.otlp_endpoint.rstrip("/")
    resource = Resource.create({"service.name": NAME})
    tracing = TracerProvider(resource=resource)
    tracing.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{base}/v1/traces", timeout=5)))
    trace.set_tracer_provider(tracing)
    exporter = OTLPMetricExporter(f"{base}/v1/metrics", timeout=5)
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=METRICS_EVERY_MS)
    metrics.set_meter_provider(MeterProvider([reader], resource=resource))


def configure_logs(*, json: bool | None = None) -> None:
    """Write one line per unit of work to standard error: for people on a terminal, JSON elsewhere."""
    as_json = not sys.stderr.isatty() if json is None else json
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(pad_event_to=24)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([structlog.processors.format_exc_info] if as_json else []),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def shutdown() -> None:
    """Send what is waiting, a few seconds at most."""
    for provider in (trace.get_tracer_provider(), metrics.get_meter_provider()):
        if isinstance(provider, TracerProvider | MeterProvider):
            provider.shutdown()


def tracer() -> Tracer:
    """Return the tracer of the tower."""
    return trace.get_tracer(NAME)


def meter() -> Meter:
    """Return the meter of the tower."""
    return metrics.get_meter(NAME)


@cache
def _durations() -> Histogram:
    return meter().create_histogram("tower.unit.duration", unit="s", description="Time of one unit of work")


@contextmanager
def unit(name: str, **ids: str | int | float) -> Iterator[Span]:
    """Run one unit of work in a span, with its ids bound to every log line written meanwhile.

    An exception marks the span and passes on. The duration is recorded under the unit's name, never under its ids.
    """
    began = time.perf_counter()
    outcome = "ok"
    with structlog.contextvars.bound_contextvars(unit=name, **ids), tracer().start_as_current_span(name) as span:
        span.set_attributes({f"o2c.{key}": value for key, value in ids.items()})
        try:
            yield span
        except BaseException:
            outcome = "error"
            raise
        finally:
            _durations().record(time.perf_counter() - began, {"unit": name, "outcome": outcome})

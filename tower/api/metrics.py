"""GET /metrics: the tower about itself, in the Prometheus text format. Needs a key, like all but health."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.responses import Response

from tower.api.auth import Caller, Context
from tower.api.context import ApiContext
from tower.api.docs import problems
from tower.store.sql import load

router = APIRouter()
_BY_LABEL = {
    "orders": ("o2c_orders", "Open orders on the board", "state"),
    "value_at_risk": ("o2c_value_at_risk", "Value at risk of open orders, reporting currency", "state"),
    "quarantine_open": ("o2c_quarantine_open", "Messages that could not be used", "reason"),
    "alerts": ("o2c_alerts", "Alerts that are not over", "state"),
    "notices": ("o2c_notices", "Notices that are not at their end, or failed", "state"),
    "action_items": ("o2c_action_items", "Items of actions", "state"),
    "target_open": ("o2c_target_open", "1 while a target is left alone", "target"),
    "target_failures": ("o2c_target_failures", "Failed calls in a row that reached the target", "target"),
    "target_calls_1h": ("o2c_target_calls_1h", "Calls to the target in the last hour", "target"),
}
_COUNTERS = ("accepted", "duplicate", "quarantined", "rejected", "refused")
_EXAMPLE = '# HELP o2c_orders Open orders on the board\n# TYPE o2c_orders gauge\no2c_orders{state="late"} 12.0\n'


@router.get(
    "/metrics",
    summary="Prometheus metrics",
    responses={200: {"content": {"text/plain": {"example": _EXAMPLE}}}, **problems()},
)
def metrics(request: Request, context: Context, _: Caller) -> Response:
    """Show backlog, lag, tick time, what the doors took and refused, and orders by state."""
    now = context.clock()
    key = ("metrics", context.progress.judged, context.engine_health(now).last_tick_at)
    return Response(request.app.state.shared.get(key, lambda: _render(context, now)), media_type=CONTENT_TYPE_LATEST)


def _render(context: ApiContext, now: datetime) -> bytes:
    registry = CollectorRegistry()
    registry.register(_Figures(context, now))
    return generate_latest(registry)


class _Figures(Collector):
    """Everything the page shows, read once."""

    def __init__(self, context: ApiContext, now: datetime) -> None:
        self._context = context
        self._now = now

    def describe(self) -> list[Metric]:
        """Nothing beforehand: names come with their values."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield each figure."""
        health = self._context.engine_health(self._now)
        yield _gauge("o2c_engine_up", "1 while the engine ticks without failure", float(health.ok))
        yield from _optional("o2c_tick_seconds", "How long the last tick took", health.tick_s)
        yield from _optional("o2c_lag_seconds", "Age of the oldest event not judged yet", health.lag_s)
        if health.last_tick_at is not None:
            silent = (self._now - health.last_tick_at).total_seconds()
            yield _gauge("o2c_seconds_since_tick", "Seconds since the last tick", silent)
        stats = self._context.stats()
        yield _gauge("o2c_doors_ready", "1 while the doors take events", float(bool(stats.get("ready"))))
        for name, value in stats.items():
            if name == "connections":
                yield from _connections(value)
            if isinstance(value, bool) or not isinstance(value, int | float):
                continue
            if name in _COUNTERS:
                yield CounterMetricFamily(f"o2c_events_{name}", f"Events {name} since the start", value=value)
            else:
                yield _gauge(f"o2c_collector_{name}", f"Collector: {name.replace('_', ' ')}", value)
        with self._context.store.reader() as client:
            rows = client.query(load("api_metrics")).result_rows
        yield from _labelled(rows)


def _connections(counts: Mapping[str, Any]) -> Iterator[Metric]:
    """Yield what each native connection sent and what became of it: counters, and how much of it has drifted."""
    names = [field.name for field in fields(next(iter(counts.values())))] if counts else []
    for name in names:
        what = f"Native messages by connection: {name}"
        kind = GaugeMetricFamily if name == "drift" else CounterMetricFamily
        family = kind(f"o2c_native_{name}", what, labels=["connection"])
        for connection, count in sorted(counts.items()):
            family.add_metric([connection], getattr(count, name))
        yield family


def _labelled(rows: Any) -> Iterator[Metric]:
    families = {name: GaugeMetricFamily(full, text, labels=[label]) for name, (full, text, label) in _BY_LABEL.items()}
    for name, label, value in rows:
        families[name].add_metric([label], value or 0.0)
    yield from families.values()


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _optional(name: str, text: str, value: float | None) -> Iterator[Metric]:
    if value is not None:
        yield _gauge(name, text, value)

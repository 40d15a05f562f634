"""The traces and logs of one order: which they are, how each ended, and what was written meanwhile."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from clickhouse_connect.driver.client import Client

from tower.api.wire import plain
from tower.store.sql import load

MAX_TRACES = 50
MAX_SPANS = 1000  # of each trace
MAX_LOGS = 500
Row = dict[str, Any]


def read_traces(
    client: Client, objects: Collection[tuple[str, str]], trace_ids: Sequence[str], as_of: datetime, url: str | None
) -> dict[str, list[Row]]:
    """Return `traces` and `logs`, both the latest first.

    objects: (type, id) of the order and all under it, by each of their names; trace_ids: of its events.
    url: where a trace can be looked at, with {trace_id} in it.
    """
    named = sorted((object_id, object_type) for object_type, object_id in objects)
    found = _rows(
        client,
        "api_traces",
        {"objects": named, "trace_ids": list(trace_ids), "as_of": as_of, "limit": MAX_TRACES},
    )
    nowhere = datetime(1970, 1, 1, tzinfo=UTC)
    span = {
        "traces": [t["trace_id"] for t in found],
        "first_at": min((t["first_at"] for t in found), default=nowhere),
        "last_at": max((t["last_at"] for t in found), default=nowhere),
    }
    spans = _rows(client, "api_spans", {**span, "limit": MAX_SPANS}) if found else []
    logs = _rows(client, "api_logs", {**span, "objects": named, "as_of": as_of, "limit": MAX_LOGS})
    order = {t["trace_id"]: i for i, t in enumerate(found)}
    traces = sorted(traces_of(spans, url), key=lambda t: order[t["trace_id"]])
    return {"traces": traces, "logs": [plain(log) for log in logs]}


def traces_of(spans: Sequence[Row], url: str | None) -> list[Row]:
    """Return the traces, each with its spans by start, and the failed hop that explains it where there is one."""
    traces: dict[str, list[Row]] = {}
    for span in spans:
        traces.setdefault(span["trace_id"], []).append(span)
    return [_trace(trace_id, found, url) for trace_id, found in traces.items()]


def _trace(trace_id: str, spans: Sequence[Row], url: str | None) -> Row:
    first = min(spans, key=lambda s: s["started_ns"])
    ends_ns = max(s["started_ns"] + s["duration_ns"] for s in spans)
    return {
        "trace_id": trace_id,
        "started_at": plain(first["started_at"]),
        "duration_ms": _ms(ends_ns - first["started_ns"]),
        "url": url.replace("{trace_id}", trace_id) if url else None,
        "failed_hop": failed_hop(spans),
        "spans": [_shown(span, first["started_ns"]) for span in spans],
    }


def _shown(span: Row, first_ns: int) -> Row:
    """Return a span as the page needs it; offset_ms is since the start of its trace."""
    kept = {name: value for name, value in span.items() if name not in ("trace_id", "started_ns", "duration_ns")}
    return {**plain(kept), "offset_ms": _ms(span["started_ns"] - first_ns), "duration_ms": _ms(span["duration_ns"])}


def _ms(nanoseconds: int) -> float:
    return round(nanoseconds / 1e6, 3)


def failed_hop(spans: Sequence[Row]) -> Row | None:
    """Return the deepest failed span, the later of two equally deep, with the nearest message at or above it."""
    known = {s["span_id"]: s for s in spans}
    failed = [s for s in spans if s["status"] == "Error"]
    if not failed:
        return None
    hop = max(failed, key=lambda s: (len(_way_up(s, known)), s["started_ns"], s["span_id"]))
    message = next((s["status_message"] for s in [hop, *_way_up(hop, known)] if s["status_message"]), "")
    return {"span_id": hop["span_id"], "service": hop["service"], "name": hop["name"], "message": message}


def _way_up(span: Row, known: Mapping[str, Row]) -> list[Row]:
    """Return the spans above one, the nearest first."""
    way: list[Row] = []
    seen = {span["span_id"]}
    above = known.get(span["parent_span_id"])
    while above is not None and above["span_id"] not in seen:
        seen.add(above["span_id"])
        way.append(above)
        above = known.get(above["parent_span_id"])
    return way


def _rows(client: Client, name: str, parameters: dict[str, Any]) -> list[Row]:
    found = client.query(load(name), parameters=parameters)
    return [dict(zip(found.column_names, row, strict=True)) for row in found.result_rows]

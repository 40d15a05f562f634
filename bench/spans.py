"""Spans: what the engine parses itself against the plain Python way, and against events through their door."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
from clickhouse_connect.driver.client import Client
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from bench import events, telemetry
from bench.figure import Figure, median_of, spread
from bench.process import tower
from bench.sender import EVENTS, SPANS, Kind, burst
from collector.otlp.check import check
from collector.otlp.decode import from_protobuf
from collector.otlp.facts import MILESTONE
from collector.otlp.keeper import Keeper
from collector.otlp.line import Line, to_line
from collector.otlp.reader import SpanReader
from collector.otlp.rewrite import needs_rewrite
from collector.otlp.signal import TRACES
from collector.otlp.sink import BodySink
from collector.otlp.speakers import Speakers
from tower.model.connections import Connections
from tower.model.principal import Principal
from tower.store.client import Store
from tower.store.migrate import migrate

NAME = "spans"
_TRACES = 128  # in one request: 512 spans, the batch of an OpenTelemetry SDK
_LANES = 8
_BATCH = 1000
_FAR_NS = 1 << 62
_ATTRIBUTES = pa.map_(pa.string(), pa.string())
_KINDS = ("Unspecified", "Internal", "Server", "Client", "Producer", "Consumer")
_STATUSES = ("Unset", "Ok", "Error")


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    """Run interleaved rounds of both ways on one embedded store, then events and spans through a tower's doors."""
    requests, rounds = 80, 5 if quick else 9  # 80: a full block of the drain
    spans = requests * _TRACES * telemetry.SPANS_PER_TRACE
    checked, drained, read, plain = _two_ways(folder / "store", requests, rounds)
    wall = [p.wall_s / d.wall_s for p, d in zip(plain, drained, strict=True)]
    cpu = [p.cpu_s / d.cpu_s for p, d in zip(plain, drained, strict=True)]
    whole = [p.cpu_s / (c.cpu_s + d.cpu_s) for p, c, d in zip(plain, checked, drained, strict=True)]
    events_s, spans_s, counts = _through_the_doors(folder, quick=quick)
    ratios = [(counts[1] / s) / (counts[0] / e) for e, s in zip(events_s, spans_s, strict=True)]

    def each(took: Sequence[_Took]) -> str:
        seconds, cpu_s = median_of([t.wall_s for t in took]), median_of([t.cpu_s for t in took])
        return f"{spans / seconds:,.0f} spans/s, {cpu_s / spans * 1e6:.1f} us of processor a span"

    return [
        Figure(NAME, "plain Python", each(plain), note=f"{rounds} rounds of {spans:,} spans"),
        Figure(NAME, "checked at the door", each(checked)),
        Figure(NAME, "drained", each(drained), median_of(wall), at_least=3, note=f"ratio to plain; {spread(wall)}"),
        Figure(NAME, "of that, reading what they say", each(read)),
        Figure(
            NAME, "processor time, plain over drained", "", median_of(cpu), at_least=3,
            note=f"{spread(cpu)}; with the door {median_of(whole):.2f}",
        ),
        Figure(NAME, "events over HTTP, drained", f"{counts[0] / median_of(events_s):,.0f}/s"),
        Figure(
            NAME, "spans over HTTP, drained", f"{counts[1] / median_of(spans_s):,.0f}/s", median_of(ratios),
            note=f"ratio to events; {spread(ratios)}",
        ),
    ]  # fmt: skip


@dataclass(slots=True)
class _Took:
    """Seconds, and processor seconds of all threads, since it was made until it was stopped."""

    wall_s: float = field(default_factory=time.perf_counter)
    cpu_s: float = field(default_factory=time.process_time)

    def stop(self) -> _Took:
        self.wall_s, self.cpu_s = time.perf_counter() - self.wall_s, time.process_time() - self.cpu_s
        return self


def _two_ways(folder: Path, requests: int, rounds: int) -> tuple[list[_Took], ...]:
    """Return what (check at the door, drain, reading within it, plain Python) took in each round."""
    store = Store(f"chdb://{folder}")
    migrate(store)
    keeper = Keeper(Connections(), len, lambda: frozenset({MILESTONE}), lambda: datetime.now(UTC))
    reader = SpanReader(folder, store, keeper)
    reader.prepare()
    took: dict[str, _Took] = {}

    def read(client: Client, lines: Sequence[Line]) -> None:
        began = _Took()
        reader.read(client, lines)
        took["read"] = began.stop()

    sink = BodySink(TRACES, len, after=read, embedded=True)
    rows: dict[str, list[_Took]] = {name: [] for name in ("check", "drain", "read", "plain")}
    with store.reader() as client:
        for number in range(rounds + 1):  # the first one warms up
            bodies = list(telemetry.requests(number, requests, _TRACES, time.time_ns()))
            ways: list[Callable[[], None]] = [
                lambda bodies=bodies, number=number: _ours(sink, client, bodies, took, number),
                lambda bodies=bodies: _plainly(client, bodies, took),
            ]
            for way in ways if number % 2 else reversed(ways):
                way()
            for name in rows if number else ():
                rows[name].append(took[name])
        stored = client.query("SELECT count() FROM otel_traces").result_rows[0][0]
    store.close()
    sent = 2 * (rounds + 1) * requests * _TRACES * telemetry.SPANS_PER_TRACE
    if stored != sent:
        raise RuntimeError(f"{sent} spans were inserted and {stored} are stored")
    return tuple(rows.values())


def _ours(sink: BodySink, client: Client, bodies: list[bytes], took: dict[str, _Took], number: int) -> None:
    began = _Took()
    lines = b"".join(map(_taken, bodies))
    took["check"] = began.stop()
    began = _Took()
    sink.insert(client, lines, f"bench:{number}")
    took["drain"] = began.stop()


def _taken(body: bytes) -> bytes:
    """Do what the door does with a request."""
    request = from_protobuf(body, TRACES.checked)
    speakers = Speakers(Connections(), Principal("bench", frozenset({"admin"})))
    verdict = check(TRACES, request, len(body), speakers, _FAR_NS)
    if verdict.refused or needs_rewrite(request, verdict, speakers.stamps):
        raise RuntimeError("the bench's own spans are refused")
    return to_line(Line(body, verdict.heard))


def _plainly(client: Client, bodies: list[bytes], took: dict[str, _Took]) -> None:
    """The usual way: decode, walk, make columns, insert as Arrow."""
    began = _Took()
    columns: dict[str, list[object]] = {name: [] for name in _TYPES}
    for body in bodies:
        _add(ExportTraceServiceRequest.FromString(body), columns)
    table = pa.table({name: pa.array(values, _TYPES[name]) for name, values in columns.items()})
    client.insert_arrow("otel_traces", table)
    took["plain"] = began.stop()


_TYPES: dict[str, pa.DataType] = {
    "Timestamp": pa.timestamp("ns", "UTC"), "TraceId": pa.string(), "SpanId": pa.string(), "ParentSpanId": pa.string(),
    "TraceState": pa.string(), "SpanName": pa.string(), "SpanKind": pa.string(), "ServiceName": pa.string(),
    "ResourceAttributes": _ATTRIBUTES, "ScopeName": pa.string(), "ScopeVersion": pa.string(),
    "SpanAttributes": _ATTRIBUTES, "Duration": pa.uint64(), "StatusCode": pa.string(), "StatusMessage": pa.string(),
    "Events.Timestamp": pa.list_(pa.timestamp("ns", "UTC")), "Events.Name": pa.list_(pa.string()),
    "Events.Attributes": pa.list_(_ATTRIBUTES), "Links.TraceId": pa.list_(pa.string()),
    "Links.SpanId": pa.list_(pa.string()), "Links.TraceState": pa.list_(pa.string()),
    "Links.Attributes": pa.list_(_ATTRIBUTES),
}  # fmt: skip


def _add(request: ExportTraceServiceRequest, columns: dict[str, list[object]]) -> None:
    appends = [column.append for column in columns.values()]
    for group in request.resource_spans:
        shared = _pairs(group.resource.attributes)
        service = dict(shared).get("service.name", "")
        for scope in group.scope_spans:
            for span in scope.spans:
                row = (
                    span.start_time_unix_nano, span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex(),
                    span.trace_state, span.name, _KINDS[span.kind], service, shared, scope.scope.name,
                    scope.scope.version, _pairs(span.attributes),
                    max(0, span.end_time_unix_nano - span.start_time_unix_nano), _STATUSES[span.status.code],
                    span.status.message, [e.time_unix_nano for e in span.events], [e.name for e in span.events],
                    [_pairs(e.attributes) for e in span.events], [k.trace_id.hex() for k in span.links],
                    [k.span_id.hex() for k in span.links], [k.trace_state for k in span.links],
                    [_pairs(k.attributes) for k in span.links],
                )  # fmt: skip
                for append, value in zip(appends, row, strict=True):
                    append(value)


def _pairs(attributes: Sequence[KeyValue]) -> list[tuple[str, str]]:
    return [(pair.key, _text(pair.value)) for pair in attributes]


def _text(value: AnyValue) -> str:
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return value.string_value
    if kind == "bool_value":
        return "true" if value.bool_value else "false"
    return str(getattr(value, kind)) if kind else ""


def _through_the_doors(folder: Path, *, quick: bool) -> tuple[list[float], list[float], tuple[int, int]]:
    """Return the seconds of each round until events, and until spans, are stored, and how many of each there were."""
    orders, requests, rounds = (2_000, 48, 3) if quick else (8_000, 192, 5)
    counts = orders * events.EVENTS_PER_ORDER, requests * _TRACES * telemetry.SPANS_PER_TRACE
    took: dict[Kind, list[float]] = {EVENTS: [], SPANS: []}
    with tower(folder / "tower", "collect") as running:
        for number in range(rounds + 1):  # the first one warms up
            until = datetime.now(UTC) - timedelta(days=15)
            sent = {
                EVENTS: events.batches(events.orders(number, orders, f"S{number}-", until), _BATCH),
                SPANS: list(telemetry.requests(number, requests, _TRACES, time.time_ns())),
            }
            for kind in (EVENTS, SPANS) if number % 2 else (SPANS, EVENTS):
                began = time.perf_counter()
                burst(running.port, sent[kind], _LANES, kind)
                running.wait_stored(kind.journal)
                if number:
                    took[kind].append(time.perf_counter() - began)
    return took[EVENTS], took[SPANS], counts

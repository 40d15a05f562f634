"""After each block of spans: what they say about objects becomes events in the journal of events.

The store's views have picked the few spans that name an object, failed or link to another trace; only traces in which
something failed, or succeeded after it had failed, are looked at here. Reading a block again gives the same events.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from collector.otlp.facts import Span, Traces, failed_events, failures, healed_event, reached_event, spans_of
from collector.otlp.keeper import Keeper
from collector.otlp.line import Line
from collector.otlp.speakers import source_of
from collector.sink import RETRYABLE_CODES, Unavailable
from rules.vocabulary import ObjectRef
from tower.store.client import Store
from tower.store.sql import load

_log = structlog.get_logger(__name__)
_SLICE = 500  # traces looked at together
_OPEN_S = 900  # how long a trace of which a span is missing is looked at again
_MAX_OPEN = 10_000
_NOW = "SELECT now64(3, 'UTC')"
_SIGNALS = ("object_type", "object_id", "signal", "service", "name", "started_at", "trace_id", "span_id", "source",
            "failed", "milestone")  # fmt: skip
# One piece of work on one object: type and id of the object, service and name of the span.
Work = tuple[str, str, str, str]
Objects = tuple[ObjectRef, ...]


class SpanReader:
    """Reads what is new in `order_spans` on behalf of one drain. For one thread."""

    def __init__(self, folder: Path, store: Store, keeper: Keeper) -> None:
        self._file = folder / "read"
        self._store = store
        self._keeper = keeper
        self._open: dict[str, float] = {}
        self._after = datetime(1970, 1, 1, tzinfo=UTC)

    def prepare(self) -> None:
        """Take up where the last process stopped; the first one begins now, before it has stored anything."""
        if self._file.exists():
            self._after = datetime.fromisoformat(self._file.read_text())
            return
        with self._store.reader() as client:
            self._move(client.query(_NOW).result_rows[0][0])

    def read(self, client: Client, lines: Sequence[Line]) -> None:
        """Journal what the spans of a block, just stored, say. Raises Unavailable; it is to be repeated then."""
        try:
            events, until = self._events(client)
        except ClickHouseError as error:
            if getattr(error, "code", None) in RETRYABLE_CODES:
                raise Unavailable(str(error)) from error
            events, until = self._given_up(client)
        except Exception:  # noqa: BLE001  # the edge of one block: its spans are stored, and the next must not wait for it
            events, until = self._given_up(client)
        self._keeper.keep(events, lines)
        if until > self._after:
            self._move(until)
        # The next block must not share its instant with what was read.
        time.sleep(0.001)

    def _given_up(self, client: Client) -> tuple[list[dict[str, Any]], datetime]:
        _log.exception("spans_not_read", after=self._after.isoformat())
        return [], client.query(_NOW).result_rows[0][0]

    def _events(self, client: Client) -> tuple[list[dict[str, Any]], datetime]:
        after = {"after": self._after}
        until, failures, named, reported, failed_ever, linked_ever = _ask(client, "spans_seen", after)[0]
        events: list[dict[str, Any]] = []
        if reported:
            events += [reached_event(s, self._source(s)) for s in spans_of(_ask(client, "spans_reports", after))]
        suspects = self._still_open()
        if failures:
            suspects |= {row[0]: None for row in _ask(client, "spans_failed", after)}
        if linked_ever:
            suspects |= {row[0]: None for row in _ask(client, "spans_linking", after)}
        work: dict[Work, None] = {}
        if named and failed_ever:
            retried = _ask(client, "spans_retried", after)
            work = dict.fromkeys((kind, name, service, step) for kind, name, service, step in retried)
        traces = list(suspects)
        for start in range(0, len(traces), _SLICE):
            events += self._failures(client, traces[start : start + _SLICE], work)
        return events + self._healed(client, work), max(until, self._after)

    def _failures(self, client: Client, traces: Sequence[str], work: dict[Work, None]) -> list[dict[str, Any]]:
        """Return the events of the failures in some traces; note which work may have succeeded since."""
        read = _read(client, traces)
        events: list[dict[str, Any]] = []
        linked: dict[Span, Objects] = {}
        for trace_id in traces:
            self._mind(trace_id, read)
            for failure in failures(read, trace_id):
                span, objects = failure.work, read.objects_of(failure.work)
                events += failed_events(failure, objects, self._source(span))
                work |= _work(span, objects)
                if not span.objects:
                    linked[span] = objects
        if linked:
            linked |= _linked_successes(client, linked)
        here = set(traces)
        linked |= {s: read.objects_of(s) for s in read.spans.values() if s.trace_id in here and _succeeds_by_link(s)}
        for span, objects in linked.items():
            work |= _work(span, objects)
        _note_links(client, linked)
        return events

    def _mind(self, trace_id: str, read: Traces) -> None:
        """Look again later at a trace whose failures hang from, or are linked to, something that has not arrived."""
        failed = [s for (trace, _), s in read.spans.items() if trace == trace_id and s.failed]
        ways = [(trace_id, s.span_id) for s in failed] + [end for s in failed if not s.objects for end in s.links]
        if not any(read.broken(*way) for way in ways):
            self._open.pop(trace_id, None)
        elif len(self._open) < _MAX_OPEN:
            self._open.setdefault(trace_id, time.monotonic())

    def _still_open(self) -> dict[str, None]:
        """Return the traces to look at again."""
        since = time.monotonic() - _OPEN_S
        self._open = {trace_id: at for trace_id, at in self._open.items() if at > since}
        return dict.fromkeys(self._open)

    def _healed(self, client: Client, work: Iterable[Work]) -> list[dict[str, Any]]:
        keys = sorted((i, t, service, name) for t, i, service, name in work)
        if not keys:
            return []
        found = client.query(load("spans_healed"), parameters={"work": keys})
        rows = [dict(zip(found.column_names, row, strict=True)) for row in found.result_rows]
        sources = (source_of(self._keeper.connections, row["service"], row["source"]) for row in rows)
        return [healed_event(row, source) for row, source in zip(rows, sources, strict=True)]

    def _source(self, span: Span) -> str:
        return source_of(self._keeper.connections, span.service, span.source)

    def _move(self, until: datetime) -> None:
        self._after = until
        fresh = self._file.with_suffix(".new")
        fresh.write_text(until.isoformat())
        fresh.replace(self._file)


def _read(client: Client, traces: Sequence[str]) -> Traces:
    """Return some traces and those that they link to.

    How all their spans hang together is asked only where the spans of interest do not tell it by themselves.
    """
    read = Traces()
    wanted = set(traces)
    for _ in range(2):
        if not wanted:
            break
        flagged = list(spans_of(_ask(client, "spans_flagged", {"traces": sorted(wanted)})))
        for span in flagged:
            read.spans[span.trace_id, span.span_id] = span
            read.parents[span.trace_id, span.span_id] = span.parent_id
        wanted = {trace for s in flagged for trace, _ in s.links} - wanted
    open_ends = {s.trace_id for s in read.spans.values() if s.failed and read.broken(s.trace_id, s.span_id)}
    open_ends |= {trace for s in read.spans.values() for trace, _ in s.links}
    if open_ends:
        skeleton = _ask(client, "spans_skeleton", {"traces": sorted(open_ends)})
        read.parents |= {(trace, span): parent for trace, span, parent in skeleton}
    return read


def _linked_successes(client: Client, failed: Mapping[Span, Sequence[ObjectRef]]) -> dict[Span, Objects]:
    """Return the successes of the same work that link to traces which name the same objects, with these."""
    done = {(s.service, s.name) for s in failed}
    parameters = {
        "objects": sorted({(o.id, o.type) for objects in failed.values() for o in objects}),
        "work": sorted(done),
    }
    read = _read(client, [row[0] for row in _ask(client, "spans_linked", parameters)])
    spans = [s for s in read.spans.values() if _succeeds_by_link(s) and (s.service, s.name) in done]
    return {s: read.objects_of(s) for s in spans}


def _succeeds_by_link(span: Span) -> bool:
    return not span.failed and not span.objects and bool(span.links)


def _work(span: Span, objects: Objects) -> dict[Work, None]:
    """Return what a span did that only its own success heals; a milestone is healed by the milestone."""
    if span.reports or span.milestone:
        return {}
    return {(o.type, o.id, span.service, span.name): None for o in objects}


def _ask(client: Client, name: str, parameters: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
    return client.query(load(name), parameters=dict(parameters)).result_rows


def _note_links(client: Client, linked: Mapping[Span, Sequence[ObjectRef]]) -> None:
    """Write that spans are about the objects of the spans they link to."""
    rows = [
        [o.type, o.id, "link", s.service, s.name, s.started_ns, s.trace_id, s.span_id, s.source, int(s.failed),
         s.reports or s.milestone]
        for s, objects in linked.items()
        for o in objects
    ]  # fmt: skip
    if rows:
        client.insert("object_signals", rows, column_names=_SIGNALS)

"""What spans say about objects, as events: work that failed, work that succeeded again, milestones reached. Pure.

Every answer depends on the set of spans alone, never on the order in which they came: a span that arrives later only
adds events. Where several events speak of one failure, the one that is to be believed sorts last by its id.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from collector.limits import MAX_ID
from rules.vocabulary import PARENTS, ObjectRef, deepest, infer_links

MILESTONE = "integration_failed"
MAX_HOPS = 20  # failed spans told of one failure, the deepest first
MAX_ERROR = 2000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Span(NamedTuple):
    """One span that names an object, failed, or links to another. links: (trace id, span id)."""

    trace_id: str
    span_id: str
    parent_id: str
    started_ns: int
    duration_ns: int
    service: str
    name: str
    source: str
    failed: bool
    message: str
    milestone: str
    reports: str
    objects: tuple[ObjectRef, ...]
    links: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Traces:
    """Some traces: their spans of interest, and how all their spans hang together. Keys are (trace id, span id)."""

    spans: dict[tuple[str, str], Span] = field(default_factory=dict)
    parents: dict[tuple[str, str], str] = field(default_factory=dict)

    def way_up(self, trace_id: str, span_id: str) -> Iterator[tuple[str, Span | None]]:
        """Give (span id, the span if it is of interest) from a span to its root, or to where the way breaks off."""
        seen: set[str] = set()
        while span_id and span_id not in seen and (trace_id, span_id) in self.parents:
            seen.add(span_id)
            yield span_id, self.spans.get((trace_id, span_id))
            span_id = self.parents[trace_id, span_id]

    def broken(self, trace_id: str, span_id: str) -> bool:
        """Return whether a span above has not arrived."""
        last = span_id
        for at, _ in self.way_up(trace_id, span_id):
            last = at
        above = self.parents.get((trace_id, last))
        return above is None or bool(above and (trace_id, above) not in self.parents)

    def objects_of(self, span: Span) -> tuple[ObjectRef, ...]:
        """Return what a span is about: the objects it names, else those of the spans that it links to.

        A linked span that names none stands for the nearest one above it that does, else for all its trace names.
        """
        if span.objects:
            return span.objects
        found: dict[ObjectRef, None] = {}
        for trace_id, span_id in span.links:
            named = (s.objects for _, s in self.way_up(trace_id, span_id) if s is not None and s.objects)
            found |= dict.fromkeys(next(named, ()) or self._all_of(trace_id))
        return tuple(found)

    def _all_of(self, trace_id: str) -> tuple[ObjectRef, ...]:
        """Return the objects that a trace names, if it is about one case: none of them has a second of its type."""
        named = {o for (trace, _), span in self.spans.items() if trace == trace_id for o in span.objects}
        return tuple(sorted(named)) if len({o.type for o in named}) == len(named) else ()


class Failure(NamedTuple):
    """Work on an object that failed: the span that is about the object, and a failed span at or below it."""

    work: Span
    hop: Span
    depth: int
    message: str


def failures(traces: Traces, trace_id: str) -> list[Failure]:
    """Return the failures of one trace: for each failed span about an object, itself and the failed spans below it."""
    found: dict[str, list[Failure]] = {}
    for span in [s for (trace, _), s in traces.spans.items() if trace == trace_id and s.failed]:
        message = ""
        for depth, (_, above) in enumerate(traces.way_up(trace_id, span.span_id)):
            if above is None or not above.failed:
                continue
            message = message or above.message
            if traces.objects_of(above):
                found.setdefault(above.span_id, []).append(Failure(above, span, depth, message))
    kept = []
    for told in found.values():
        told.sort(key=lambda f: (f.depth, f.hop.started_ns, f.hop.span_id), reverse=True)
        kept += told[:MAX_HOPS]
    return kept


class Place(NamedTuple):
    """One object that a fact is kept on, with the ids above it that the same span names."""

    object: ObjectRef
    named: Mapping[str, Sequence[str]]


def places(objects: Sequence[ObjectRef]) -> list[Place]:
    """Return the deepest of the objects that a span names, each with what lies above it."""
    named: dict[str, list[str]] = {}
    for ref in objects:
        named.setdefault(ref.type, []).append(ref.id)
    links = infer_links(named)
    found = []
    for ref in deepest(named, links):
        ids: dict[str, list[str]] = {}
        todo = [ref]
        while todo:
            at = todo.pop()
            if at.id not in ids.setdefault(at.type, []):
                ids[at.type].append(at.id)
                todo += [link.parent for link in links if link.child == at]
        found.append(Place(ref, ids))
    return found


def failed_events(failure: Failure, objects: Sequence[ObjectRef], source: str) -> Iterator[dict[str, Any]]:
    """Give the events of a failure, one for each place.

    All events of one piece of work happen when it began, and the id of a deeper hop sorts behind that of a higher one:
    so the text of the deepest is the one that stands.
    """
    work, hop = failure.work, failure.hop
    milestone = work.reports or work.milestone or MILESTONE
    for place in places(objects):
        key = f"{work.trace_id}|{work.span_id}|{hop.span_id}|{milestone}|failed|{place.object.type}:{place.object.id}"
        yield {
            "specversion": "1.0",
            "id": f"span-{failure.depth:03d}-{hop.started_ns:020d}-{uuid5(NAMESPACE_URL, key)}",
            "source": source,
            "type": f"o2c.{milestone}.failed",
            "time": instant_of(work.started_ns),
            "traceparent": f"00-{hop.trace_id}-{hop.span_id}-01",
            "data": {**_data(milestone, work.service, work.name, place), "error": error_text(hop, failure.message)},
        }


def healed_event(work: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Return the event that work succeeded which had failed on the object. work: a row of spans_healed.sql."""
    ref = ObjectRef(work["object_type"], work["object_id"])
    key = f"{work['trace_id']}|{work['span_id']}|{MILESTONE}|reached|{ref.type}:{ref.id}"
    return {
        "specversion": "1.0",
        "id": f"span-{uuid5(NAMESPACE_URL, key)}",
        "source": source,
        "type": f"o2c.{MILESTONE}",
        "time": instant_of(work["started_ns"]),
        "traceparent": f"00-{work['trace_id']}-{work['span_id']}-01",
        "data": _data(MILESTONE, work["service"], work["name"], Place(ref, {ref.type: [ref.id]})),
    }


def reached_event(span: Span, source: str) -> dict[str, Any]:
    """Return the event that a milestone was reached when a span ended."""
    named: dict[str, list[str]] = {}
    for ref in span.objects:
        named.setdefault(f"{ref.type}_id", []).append(ref.id)
    key = f"{span.trace_id}|{span.span_id}|{span.reports}|reached"
    return {
        "specversion": "1.0",
        "id": f"span-{uuid5(NAMESPACE_URL, key)}",
        "source": source,
        "type": f"o2c.{span.reports}",
        "time": instant_of(span.started_ns + span.duration_ns),
        "traceparent": f"00-{span.trace_id}-{span.span_id}-01",
        "data": named,
    }


def error_text(hop: Span, message: str) -> str:
    """Return the failed hop first, then what it said: `order-bridge · POST /orders: 503 from the ERP`."""
    where = f"{hop.service} · {hop.name}" if hop.service else hop.name
    return (f"{where}: {message}" if message else f"{where} failed")[:MAX_ERROR]


def instant_of(nanoseconds: int) -> str:
    """Return an instant as events carry it, cut to the millisecond."""
    at = _EPOCH + timedelta(milliseconds=nanoseconds // 1_000_000)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def work_id(service: str, name: str, ref: ObjectRef) -> str:
    """Return the id of the document that stands for one piece of work on one object."""
    text = f"call:{service}/{name}/{ref.id}"
    return text if len(text) <= MAX_ID else f"{text[: MAX_ID - 37]}~{uuid5(NAMESPACE_URL, text)}"


def _data(milestone: str, service: str, name: str, place: Place) -> dict[str, Any]:
    data: dict[str, Any] = {f"{kind}_id": list(ids) for kind, ids in place.named.items()}
    if milestone != MILESTONE:
        return data
    document, ref = work_id(service, name, place.object), place.object
    data["document_id"] = [*data.get("document_id", ()), document]
    if ref.type not in PARENTS["document"]:
        data["links"] = [{"from": f"document:{document}", "to": f"{ref.type}:{ref.id}"}]
    return data


def spans_of(rows: Iterable[Sequence[Any]]) -> Iterator[Span]:
    """Give the spans in rows of spans_flagged.sql or spans_reports.sql."""
    for row in rows:
        types, ids, link_traces, link_spans = row[12:]
        objects = map(ObjectRef, types, ids)
        yield Span._make((*row[:12], tuple(objects), tuple(zip(link_traces, link_spans, strict=True))))

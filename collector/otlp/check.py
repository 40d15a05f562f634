"""What a decoded request is worth: which items can be kept, why the others cannot, and who speaks in it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message

from collector.otlp.signal import LOGS, Signal
from collector.otlp.speakers import Speakers

# The store's DateTime64(9) ends in 2262, its daily partitions at 2149.
LAST_NS = 4_102_444_800_000_000_000  # 2100-01-01
MAX_REASONS = 10
# The attributes of a resource are stored with each of its items. More than so many times the size of the request, or
# so many bytes, is no telemetry but a bomb.
_MAX_GROWTH = 32
_MAX_GROWN = 512 << 20
_NO_TRACE, _NO_SPAN = bytes(16), bytes(8)

Place = tuple[int, int, int]


@dataclass(slots=True)
class Verdict:
    """Which items of a request stay. drop: places (resource, scope, item) of those that do not.

    undated: a log record without any time is among those that stay. heard: for each connection, the latest instant
    of its items that stay, Unix ms.
    """

    kept: int = 0
    refused: int = 0
    reasons: list[str] = field(default_factory=list)
    drop: set[Place] = field(default_factory=set)
    undated: bool = False
    heard: dict[str, int] = field(default_factory=dict)

    def refuse(self, reason: str, places: list[Place]) -> None:
        """Note that these items cannot be kept, all for one reason."""
        self.refused += len(places)
        self.drop.update(places)
        if len(self.reasons) < MAX_REASONS:
            self.reasons.append(reason)


def check(signal: Signal, request: Message, size: int, speakers: Speakers, horizon_ns: int) -> Verdict:
    """Return the verdict on a request of so many bytes. An instant after the horizon says nothing about its sender."""
    verdict = Verdict()
    look = _look_at_logs if signal is LOGS else _look_at_spans
    for r, group in enumerate(getattr(request, signal.resources)):
        scopes = getattr(group, signal.scopes)
        speaker = speakers.of(group.resource.attributes)
        shared = _size(group.resource)
        grown = sum(len(getattr(scope, signal.items)) * (shared + _size(scope.scope)) for scope in scopes)
        reason = speaker.refusal or _too_much(grown, size)
        if reason:
            places = [(r, s, i) for s, scope in enumerate(scopes) for i in range(len(getattr(scope, signal.items)))]
            if places:
                verdict.refuse(reason, places)
            continue
        heard, refused = 0, verdict.refused
        for s, scope in enumerate(scopes):
            heard = max(heard, look(verdict, getattr(scope, signal.items), (r, s), horizon_ns))
            verdict.kept += len(getattr(scope, signal.items))
        verdict.kept -= verdict.refused - refused
        if heard and speaker.connection:
            verdict.heard[speaker.connection] = max(heard // 1_000_000, verdict.heard.get(speaker.connection, 0))
    return verdict


def _size(message: Message) -> int:
    return len(message.SerializePartialToString())


def _too_much(grown: int, size: int) -> str:
    if grown <= min(_MAX_GROWTH * size, _MAX_GROWN):
        return ""
    return (
        f"its resource and scope are kept with each item and would fill {grown >> 20} MiB,"
        f" out of a request of {size >> 10} KiB; send fewer attributes"
    )


def _look_at_spans(verdict: Verdict, spans: Any, place: tuple[int, int], horizon_ns: int) -> int:
    """Note what is wrong with spans; return the latest end of the good ones up to the horizon."""
    latest = 0
    for i, span in enumerate(spans):
        trace_id, span_id, end = span.trace_id, span.span_id, span.end_time_unix_nano
        if len(trace_id) != 16 or trace_id == _NO_TRACE:
            reason = "trace_id must be 16 bytes and not all zero"
        elif len(span_id) != 8 or span_id == _NO_SPAN:
            reason = "span_id must be 8 bytes and not all zero"
        elif end >= LAST_NS or span.start_time_unix_nano >= LAST_NS or _late_event(span.events):
            reason = "its times lie after the year 2099"
        else:
            if latest < end <= horizon_ns:
                latest = end
            continue
        verdict.refuse(f"span {span.name[:100]!r}: {reason}", [(*place, i)])
    return latest


def _late_event(events: Any) -> bool:
    return bool(events) and any(e.time_unix_nano >= LAST_NS for e in events)


def _look_at_logs(verdict: Verdict, records: Any, place: tuple[int, int], horizon_ns: int) -> int:
    """Note what is wrong with log records; return the latest instant of the good ones up to the horizon."""
    latest = 0
    for i, record in enumerate(records):
        at, observed = record.time_unix_nano, record.observed_time_unix_nano
        if at >= LAST_NS or observed >= LAST_NS:
            verdict.refuse("a log record's times lie after the year 2099", [(*place, i)])
            continue
        verdict.undated |= not at and not observed
        if latest < (at or observed) <= horizon_ns:
            latest = at or observed
    return latest

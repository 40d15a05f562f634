"""One order as the page needs it, read from the tower's JSON. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any

from dashboards.tower_ui import charts, fmt

_RANK = ("failing", "late", "diverging", "unknown", "at_risk", "on_track")


@dataclass(frozen=True, slots=True)
class Clock:
    """One stage on one object."""

    stage: str
    label: str
    object: str
    state: str
    verdict: str
    started_at: datetime | None
    due_at: datetime | None
    stopped_at: datetime | None
    used_s: float | None
    budget_s: float | None
    odds: float | None = None
    predicted_at: datetime | None = None
    self_heal_odds: float | None = None
    self_heal_by: datetime | None = None
    cases: int = 0
    heal_cases: int = 0

    def source(self) -> str:
        """Return what the odds rest on: `from 812 cases`."""
        return f"from {fmt.count(self.cases)} cases" if self.odds is not None and self.cases else ""

    @property
    def tone(self) -> str:
        """What the bar is coloured by: how it stands while it runs, how it ended once it stopped."""
        if self.stopped_at is not None:
            return "late" if self.due_at is not None and self.stopped_at > self.due_at else "done"
        return self.verdict or ("on_track" if self.state in ("running", "paused") else "")

    def text(self, now: datetime) -> str:
        """Return how long of how long: `5h 02m of 2h, late`."""
        end = self.stopped_at or now
        used = (
            self.used_s
            if self.used_s is not None
            else (end - self.started_at).total_seconds()
            if self.started_at
            else None
        )
        text = fmt.duration(used) + (f" of {fmt.duration(self.budget_s)}" if self.budget_s else "")
        word = {"done": "", "on_track": "running"}.get(self.tone, fmt.state_word(self.tone).lower())
        word = "paused" if self.state == "paused" else word
        return f"{text} · {word}" if word else text


@dataclass(frozen=True, slots=True)
class Event:
    """One line of what happened."""

    at: datetime | None
    system: str
    text: str
    object: str
    tone: str


@dataclass(frozen=True, slots=True)
class LogLine:
    """One log record of an attempt. tone: bad for errors, busy for warnings."""

    at: datetime | None
    level: str
    service: str
    text: str
    tone: str


@dataclass(frozen=True, slots=True)
class Trace:
    """One attempt of the middleware. hop: the failed step first, then what it said; '' when it went well."""

    id: str
    name: str
    started_at: datetime | None
    spans: list[charts.Span]
    steps: int
    hop: str
    url: str
    log: list[LogLine]

    def label(self, tz: tzinfo, now: datetime) -> str:
        """Return when it was, what it did and how it ended."""
        end = "failed" if any(s.error for s in self.spans) else "ok"
        return f"{fmt.moment(self.started_at, tz, now)} · {self.name} · {fmt.plural(self.steps, 'step')} · {end}"


@dataclass(frozen=True, slots=True)
class OrderView:
    """The order, its clocks from first to last, its events and actions newest first."""

    id: str
    version: str
    state: str
    stage: str
    stage_label: str
    system: str
    error: str
    priority: str
    customer: str
    tier: str
    amount: Decimal | None
    currency: str
    value_at_risk: Decimal | None
    since: datetime | None
    due_at: datetime | None
    closed_at: datetime | None
    last_milestone: str
    last_at: datetime | None
    next_milestone: str
    retries: int
    retryable: bool
    clocks: list[Clock]
    events: list[Event]
    traces: list[Trace]
    log: list[LogLine]
    actions: list[Mapping[str, Any]]
    labels: Mapping[str, str]
    score: float | None = None
    score_terms: Mapping[str, float] = field(default_factory=dict)
    held_by: str = ""
    assignee: str = ""
    escalated_by: str = ""
    closed_by: str = ""
    by_hand: Sequence[Mapping[str, Any]] = ()

    def score_text(self) -> str:
        """Return the score with its terms, the largest first; '' for a closed order."""
        if self.score is None:
            return ""
        terms = sorted(self.score_terms.items(), key=lambda t: (-t[1], t[0]))
        told = " · ".join(f"{name} {points:.1f}" for name, points in terms if points >= 0.05)
        return f"Score {self.score:.1f}: {told}" if told else f"Score {self.score:.1f}"

    @property
    def stuck(self) -> bool:
        """Whether it needs a hand."""
        return self.state in fmt.STUCK

    @property
    def closed(self) -> bool:
        """Whether it is done or cancelled."""
        return self.state in ("done", "cancelled")

    @property
    def in_flight(self) -> bool:
        """Whether an action on it has no outcome yet."""
        return any(a.get("state") in fmt.IN_FLIGHT for a in self.actions)

    def attempt(self) -> str:
        """Return which attempt to look at first: the last that failed while the order has an error, else the last.

        '' when there is none.
        """
        failed = (t.id for t in self.traces if t.hop and self.error)
        return next(failed, self.traces[0].id if self.traces else "")

    def age_s(self, now: datetime) -> float | None:
        """Return how long it has been where it is."""
        return None if self.since is None else ((self.closed_at or now) - self.since).total_seconds()

    def left_s(self, now: datetime) -> float | None:
        """Return the time left until it is due, negative when it is late; None when it is closed or has no target."""
        return None if self.due_at is None or self.closed else (self.due_at - now).total_seconds()

    def took_s(self) -> float | None:
        """Return the time from the first clock to the end of a closed order."""
        first = min((c.started_at for c in self.clocks if c.started_at is not None), default=None)
        return None if first is None or self.closed_at is None else (self.closed_at - first).total_seconds()

    def heals(self, tz: tzinfo, now: datetime) -> str:
        """Return the chance that the worst clock moves without a retry, '' where it is not known."""
        clock = next((c for c in self.clocks if c.stage == self.stage and c.self_heal_odds is not None), None)
        if clock is None or clock.self_heal_by is None:
            return ""
        by = fmt.moment(clock.self_heal_by, tz, now)
        share = fmt.percent(clock.self_heal_odds, 1)
        return f"{share}% move by themselves until {by}, from {fmt.count(clock.heal_cases)} cases"

    def in_time(self) -> tuple[int, int]:
        """Return how many clocks stopped in time, and how many stopped."""
        stopped = [c for c in self.clocks if c.stopped_at is not None]
        return sum(c.tone == "done" for c in stopped), len(stopped)

    def last_outcome_text(self) -> str:
        """Return what the last retry did, in two words."""
        if not self.actions:
            return "none so far" if not self.retries else ""
        state = str(self.actions[0].get("state") or "")
        return "last one: " + fmt.OUTCOMES.get(state, (state, "", ""))[0]

    def sentence(self, now: datetime) -> str:
        """Return where it stands: what was last heard, what is awaited, how late that is."""
        parts = []
        if self.last_milestone and self.last_at:
            parts.append(
                f"Last heard: {fmt.milestone(self.last_milestone).lower()}, "
                f"{fmt.duration((now - self.last_at).total_seconds())} ago."
            )
        if self.next_milestone and not self.closed:
            who = f" from {fmt.system(self.system)}" if self.system else ""
            left = self.left_s(now)
            when = (
                ""
                if left is None
                else f", {fmt.duration(-left)} overdue"
                if left < 0
                else f", due in {fmt.duration(left)}"
            )
            what = fmt.AWAITED.get(self.next_milestone) or f": {fmt.words(self.next_milestone).lower()}{who}"
            parts.append(f"Waiting for{what}{when}.")
        return " ".join(parts)

    def bars(self, now: datetime) -> list[charts.Bar]:
        """Return the milestone chart's bars; stages without a clock follow as not started."""
        many = {c.stage for c in self.clocks if sum(o.stage == c.stage for o in self.clocks) > 1}
        bars = [
            charts.Bar(
                label=f"{c.label} · {c.object}" if c.stage in many else c.label,
                start=c.started_at,
                end=c.stopped_at or (self.closed_at if c.state == "ended" else None),
                due=c.due_at,
                tone=c.tone,
                text=c.text(now),
            )
            for c in self.clocks
        ]
        begun = {c.stage for c in self.clocks}
        if not self.closed:
            bars += [
                charts.Bar(label, None, None, None, "", "not started")
                for stage, label in self.labels.items()
                if stage not in begun
            ]
        return bars


def read_order(body: Mapping[str, Any], labels: Mapping[str, str]) -> OrderView:
    """Return the order in the tower's JSON. labels: stage id -> label, in process order."""
    row: dict[str, Any] = {**(body.get("attributes") or {}), **body}

    def text(name: str) -> str:
        return str(row.get(name) or "")

    clocks = [_clock(c, labels) for c in body.get("clocks") or ()]
    order = list(labels)
    clocks.sort(
        key=lambda c: (
            c.started_at.timestamp() if c.started_at else 0.0,
            order.index(c.stage) if c.stage in order else 99,
            c.object,
        )
    )
    return OrderView(
        id=text("order_id"),
        version=text("version"),
        state=text("state"),
        stage=text("stage"),
        stage_label=labels.get(text("stage"), fmt.words(text("stage"))) if text("stage") else "",
        system=text("system"),
        error=text("error"),
        priority=text("priority"),
        customer=text("customer_id"),
        tier=text("customer_tier"),
        amount=fmt.decimal(row.get("amount")),
        currency=text("currency"),
        value_at_risk=fmt.decimal(row.get("value_at_risk")),
        since=fmt.instant(row.get("since")),
        due_at=fmt.instant(row.get("due_at")),
        closed_at=fmt.instant(row.get("closed_at")),
        last_milestone=text("last_milestone"),
        last_at=fmt.instant(row.get("last_at")),
        next_milestone=text("next_milestone"),
        retries=int(row.get("retries") or 0),
        retryable=bool(row.get("retryable")),
        clocks=clocks,
        events=_events(body),
        traces=_traces(body),
        log=[_log_line(r) for r in reversed(body.get("logs") or ()) if not _belongs(r, body)],
        actions=sorted(
            (a for a in body.get("actions") or () if a.get("kind") not in fmt.BY_HAND),
            key=lambda a: str(a.get("requested_at") or ""),
            reverse=True,
        ),
        labels=labels,
        score=_number(row.get("score")),
        score_terms={str(k): float(v) for k, v in (body.get("score_terms") or {}).items()},
        held_by=text("held_by"),
        assignee=text("assignee"),
        escalated_by=text("escalated_by"),
        closed_by=text("closed_by"),
        by_hand=list(body.get("by_hand") or ()),
    )


def _clock(raw: Mapping[str, Any], labels: Mapping[str, str]) -> Clock:
    stage = str(raw.get("stage") or "")
    state = str(raw.get("state") or "")
    verdict = str(raw.get("verdict") or "")
    return Clock(
        stage=stage,
        label=labels.get(stage, fmt.words(stage)),
        object=str(raw.get("object_id") or ""),
        state=state,
        verdict=verdict if verdict in _RANK else "",
        started_at=fmt.instant(raw.get("started_at")),
        due_at=fmt.instant(raw.get("due_at")),
        stopped_at=fmt.instant(raw.get("stopped_at")),
        used_s=_number(raw.get("used_s")),
        budget_s=_number(raw.get("budget_s")),
        odds=_number(raw.get("odds")),
        predicted_at=fmt.instant(raw.get("predicted_at")),
        self_heal_odds=_number(raw.get("self_heal_odds")),
        self_heal_by=fmt.instant(raw.get("self_heal_by")),
        cases=int((raw.get("odds_from") or {}).get("cases") or 0),
        heal_cases=int((raw.get("self_heal_from") or {}).get("cases") or 0),
    )


def _events(body: Mapping[str, Any]) -> list[Event]:
    """Return what was heard and what the tower made of it, newest first."""
    events: list[Event] = []
    for e in _deepest(body.get("events") or ()):
        polarity = str(e.get("polarity") or "reached")
        name = fmt.milestone(str(e.get("milestone") or ""), polarity)
        why = str(e.get("error") or e.get("reason") or "")
        text = {"failed": f"{name} failed", "reversed": f"{name} reversed"}.get(polarity, name)
        tone = {"failed": "bad", "reversed": "busy"}.get(polarity, "")
        at, system = fmt.instant(e.get("occurred_at")), str(e.get("system") or "")
        events.append(
            Event(at, system, f"{text}: {why}" if why else text, fmt.thing(str(e.get("object_id") or "")), tone)
        )
    for f in body.get("findings") or ():
        rule, kind = (
            fmt.words(str(f.get("rule") or "").removesuffix(".failed")),
            fmt.words(str(f.get("kind") or "")).lower(),
        )
        place = str(f.get("system") or ""), fmt.thing(str(f.get("object_id") or ""))
        for name, word, tone in (("opened_at", "opened", "bad"), ("resolved_at", "resolved", "good")):
            if (at := fmt.instant(f.get(name))) is not None:
                events.append(Event(at, place[0], f"Breach {word}: {rule} ({kind})", place[1], tone))
    return sorted(events, key=lambda e: e.at.timestamp() if e.at else 0.0, reverse=True)


def _deepest(events: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the events, of the failed steps of one attempt only the deepest: its id sorts last."""
    told: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    for event in events:
        key: tuple[Any, ...] = (event.get("event_id"), len(told))
        if event.get("polarity") == "failed" and str(event.get("event_id") or "").startswith("span-"):
            key = tuple(event.get(k) for k in ("milestone", "object_type", "object_id", "occurred_at", "trace_id"))
        if key not in told or str(event.get("event_id")) > str(told[key].get("event_id")):
            told[key] = event
    return list(told.values())


def _traces(body: Mapping[str, Any]) -> list[Trace]:
    traces = []
    for trace in body.get("traces") or ():
        raw, hop = trace.get("spans") or (), trace.get("failed_hop") or {}
        spans = charts.read_spans(raw, str(hop.get("span_id") or ""))
        if not spans:
            continue
        starts = [s for s in (fmt.instant(x.get("started_at")) for x in raw) if s is not None]
        log = [_log_line(r) for r in reversed(body.get("logs") or ()) if r.get("trace_id") == trace.get("trace_id")]
        name, url = fmt.words(spans[0].name), str(trace.get("url") or "")
        traces.append(
            Trace(
                str(trace.get("trace_id") or ""), name, min(starts, default=None), spans, len(raw), _hop(hop), url, log
            )
        )
    return sorted(traces, key=lambda t: t.started_at.timestamp() if t.started_at else 0.0, reverse=True)


def _hop(hop: Mapping[str, Any]) -> str:
    where = " · ".join(str(hop[k]) for k in ("service", "name") if hop.get(k))
    message = str(hop.get("message") or "")
    return f"{where}: {message}" if message else where


def _belongs(record: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    """Return whether a log record is that of a trace which is shown."""
    return record.get("trace_id") in {t.get("trace_id") for t in body.get("traces") or ()}


def _log_line(record: Mapping[str, Any]) -> LogLine:
    number = int(record.get("severity_number") or 0)
    tone = "bad" if number >= 17 else "busy" if number >= 13 else ""
    level = str(record.get("severity") or {"bad": "ERROR", "busy": "WARN"}.get(tone, ""))
    return LogLine(
        fmt.instant(record.get("at")), level, str(record.get("service") or ""), str(record.get("body") or ""), tone
    )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)

"""Why an order is judged so, as a sequence a person reads: one story for each clock and each finding. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from dashboards.tower_ui import fmt
from dashboards.tower_ui.rulebook_model import duration, limit_words

Json = Mapping[str, Any]
_SAID = {"failed": "that it failed", "reversed": "that it is taken back"}


@dataclass(frozen=True, slots=True)
class Line:
    """One step of a story: what it is about, what is so, and the small print."""

    name: str
    text: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """What one rule says about one object. state: the order state it stands for, '' when it is over."""

    title: str
    state: str
    over: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class _Told:
    """The evidence, with what every story of it needs."""

    body: Json
    rules: Mapping[str, Json]
    events: Mapping[str, Json]
    tz: tzinfo
    now: datetime

    def at(self, value: object) -> str:
        return fmt.moment(fmt.instant(value), self.tz, self.now)

    def event(self, key: object) -> Json:
        return self.events.get(str(key), {})


def stories(body: Json, tz: tzinfo, now: datetime) -> list[Story]:
    """Return the stories in an answer of /v1/orders/{id}/why: what is open first, clocks before findings."""
    rules = {str(r.get("id")): r for r in body.get("rules") or ()}
    told = _Told(body, rules, {str(e.get("key")): e for e in body.get("events") or ()}, tz, now)
    clocks = [_clock(told, c) for c in body.get("clocks") or ()]
    stages = {str(c.get("rule")) for c in body.get("clocks") or ()}
    others = [_finding(told, f) for f in body.get("findings") or () if str(f.get("rule")) not in stages]
    rank = {state: i for i, state in enumerate(fmt.STATES)}
    return sorted([*clocks, *others], key=lambda s: rank.get(s.state, 99))


def _clock(told: _Told, clock: Json) -> Story:
    rule = told.rules.get(str(clock.get("rule")), {})
    verdict, thing = str(clock.get("verdict") or ""), _thing(clock)
    end = fmt.milestone(str(clock.get("to_milestone") or ""))
    lines = [_promised(told, clock, rule), _began(told, clock), _counted(told, clock)]
    lines += _taken_out(told, clock, rule)
    lines += [_owner(told, clock), *_instead(told, clock), _verdict(told, clock)]
    if clock.get("end_at") is None:
        waived = [fmt.milestone(m).lower() for m in rule.get("cancel") or ()]
        ways = [f"{end} from {fmt.system(str(clock.get('system') or ''))} on {thing} or what hangs from it", *waived]
        lines.append(Line("Would close it", ", or ".join(ways), _team(rule)))
    title = f"{fmt.label(rule) if rule else fmt.words(str(clock.get('rule')))} · {thing}"
    return Story(title, verdict, "" if verdict else str(clock.get("state") or ""), tuple(lines))


def _promised(told: _Told, clock: Json, rule: Json) -> Line:
    pair = (fmt.milestone(str(clock.get(n) or "")) for n in ("from_milestone", "to_milestone"))
    text = f"{' → '.join(pair)}: {limit_words(rule)}" if rule else " → ".join(pair)
    budget, within = clock.get("budget_s"), rule.get("within_s")
    if rule.get("tiers") and budget is not None and within is not None and budget != within:
        text += f"; here {duration(int(budget))} by a tier"
    return Line("Promised", text, _version(told, rule, str(clock.get("rule"))))


def _version(told: _Told, rule: Json, name: str) -> str:
    where = f" ({rule['where']})" if rule.get("where") else ""
    since = f", in force since {told.at(told.body['book_since'])}" if told.body.get("book_since") else ""
    return f"Rule {name}{where}, version {str(told.body.get('book') or '')[:12]}{since}"


def _began(told: _Told, clock: Json) -> Line:
    event, started = told.event(clock.get("from_event")), told.at(clock.get("started_at"))
    text = f"{started}, {fmt.milestone(str(clock.get('from_milestone') or '')).lower()}"
    text += f" by {_said_by(event)}" if event else ""
    if clock.get("provisional"):
        text += "; the owner has not said so yet, so no breach may open"
    elif event and _after(clock.get("started_at"), event.get("occurred_at")):
        text += f" at {told.at(event.get('occurred_at'))}, then begun anew"
    return Line("Began", text, _heard_of(event))


def _counted(told: _Told, clock: Json) -> Line:
    calendar = str(clock.get("calendar") or "").partition("@")[0]
    used, budget = clock.get("used_s"), clock.get("budget_s")
    of = f" of {duration(int(budget))}" if budget is not None else ""
    text = f"{duration(None if used is None else int(used))}{of} used"
    due = (
        f"due {told.at(clock['due_at'])}"
        if clock.get("due_at")
        else "no due time: a pause is open or nothing is promised"
    )
    open_ = f"only the open time of calendar {calendar} counts" if calendar else "every second counts"
    return Line("Counted", f"{text}; {due}", open_[:1].upper() + open_[1:])


def _taken_out(told: _Told, clock: Json, rule: Json) -> list[Line]:
    pauses = [
        f"{told.at(a)} to {told.at(b) if b and not str(b).startswith('2200') else 'now'}"
        for a, b in clock.get("pauses") or ()
    ]
    kinds = [f"{fmt.milestone(p['from']).lower()} to {fmt.milestone(p['to']).lower()}" for p in rule.get("pause") or ()]
    if not pauses and not kinds:
        return []
    return [
        Line(
            "Taken out",
            ", ".join(pauses) or "Nothing: it never stood still",
            "Pauses: " + ", ".join(kinds) if kinds else "",
        )
    ]


def _owner(told: _Told, row: Json) -> Line:
    kind = str(row.get("system") or "")
    name = fmt.milestone(str(row.get("to_milestone") or row.get("milestone") or "")).lower()
    if not kind:
        return Line("Whose word", f"Nobody owns {name}: everybody's word counts")
    heard = [
        f"{f['connection']} heard up to {told.at(f['watermark'])}"
        for f in told.body.get("feeds") or ()
        if f.get("kind") == kind
    ]
    return Line("Whose word", f"{fmt.system(kind)} alone says {name}", " · ".join(heard) or "No feed of it is watched")


def _instead(told: _Told, clock: Json) -> list[Line]:
    own = [h for h in told.body.get("heard") or () if _same(h, clock)]
    if not own and clock.get("end_at") is not None:
        return []
    lines: list[Line] = []
    for h in own[-3:]:
        what = {"failed": "that it failed", "reversed": "that it is taken back"}.get(
            str(h.get("polarity")), "that it happened"
        )
        why = f" ({h['error']})" if h.get("error") else ""
        text = f"{fmt.system(str(h.get('system') or ''))} said at {told.at(h.get('occurred_at'))} {what}{why}"
        lines.append(Line("" if lines else "Heard instead", text, _heard_of(told.event(h.get("key")))))
    return lines or [Line("Heard instead", "Nothing")]


def _same(one: Json, other: Json) -> bool:
    return all(one.get(name) == other.get(name) for name in ("rule", "object_type", "object_id"))


def _verdict(told: _Told, clock: Json) -> Line:
    verdict, due = str(clock.get("verdict") or ""), told.at(clock.get("due_at"))
    if clock.get("state") == "stopped":
        event, late = told.event(clock.get("to_event")), _after(clock.get("end_at"), clock.get("due_at"))
        text = f"Ended {told.at(clock.get('end_at'))}" + (f" by {_said_by(event)}" if event else "")
        return Line("So", f"{text}, {f'{fmt.duration(late)} late' if late > 0 else 'in time'}", _heard_of(event))
    said = {
        "failing": "The step failed and has not succeeded since",
        "late": f"Late since {due}: the owner's feed was heard past it, and did not say so",
        "diverging": "The owner's feed was heard past the due time without it, while others say it happened",
        "unknown": f"Due since {due}, but the owner's feed is behind: it may have happened, so it is not called late",
        "at_risk": f"At risk since {told.at(clock.get('at_risk_at'))}: most of the time is used",
        "on_track": "Stands still" if clock.get("state") == "paused" else "Within its time",
    }
    return Line("So", said.get(verdict, f"Ended {told.at(clock.get('end_at'))} with its order"))


def _finding(told: _Told, finding: Json) -> Story:
    name, kind = str(finding.get("rule")), str(finding.get("kind"))
    rule, evidence = told.rules.get(name, {}), finding.get("evidence") or {}
    lines = [Line("Promised", _rule_words(rule, finding), _version(told, rule, name))]
    for key, word in (("from_event", "Seen"), ("to_event", "And then")):
        if event := told.event(evidence.get(key)):
            what = fmt.milestone(str(event.get("milestone") or ""), str(event.get("polarity") or "reached"))
            failed = " failed" if event.get("polarity") == "failed" else ""
            lines.append(
                Line(
                    word,
                    f"{told.at(event.get('occurred_at'))}, {what.lower()}{failed} by {_said_by(event)}",
                    _heard_of(event),
                )
            )
    lines += [Line("Told", text) for text in _sayings(told, evidence)]
    if finding.get("error"):
        lines.append(Line("Told", str(finding["error"])))
    lines.append(_owner(told, finding))
    opened, over = told.at(finding.get("opened_at")), finding.get("resolved_at")
    lines.append(Line("So", f"Open since {opened}" if over is None else f"Open from {opened} to {told.at(over)}"))
    if over is None:
        lines.append(Line("Would close it", _way_out(rule, finding), _team(rule)))
    title = f"{rule.get('label') or fmt.words(name.removesuffix('.failed'))} · {_thing(finding)}"
    state = "failing" if kind == "failing" else "diverging"
    return Story(title, "" if over else state, "over" if over else "", tuple(lines))


def _rule_words(rule: Json, finding: Json) -> str:
    def word(name: str) -> str:
        return fmt.milestone(str(rule.get(name) or "")).lower()

    settle = f", for longer than {duration(int(rule['settle_s']))}" if rule.get("settle_s") else ""
    kind = str(finding.get("kind"))
    if kind == "out_of_order" and rule:
        return f"No {word('then')} without {word('first')}{settle}"
    if kind == "duplicate":
        return f"{word('milestone').capitalize()} once for each {fmt.words(str(rule.get('per') or '')).lower()}"
    if kind == "diverging" and rule:
        return (
            f"{' and '.join(fmt.system(s) for s in rule.get('systems') or ())} do not differ on {word('fact')}{settle}"
        )
    if kind == "sync_late":
        hears = fmt.system(str(rule.get("system") or ""))
        return f"{hears} hears of {word('milestone')} within {duration(rule.get('within_s'))}"
    return f"No step fails: {fmt.milestone(str(finding.get('milestone') or ''), 'failed').lower()}"


def _sayings(told: _Told, evidence: Json) -> Iterator[str]:
    """Return what a finding's evidence adds beside its events."""
    for view in evidence.get("says") or ():
        parts = [str(view[n]) for n in ("amount", "currency", "quantity", "promised_at", "requested_at") if view.get(n)]
        said = (" ".join(parts) or "it happened") if view.get("reached") else "it did not happen"
        yield f"{fmt.system(str(view.get('system')))}: {said}"
    if evidence.get("difference"):
        yield f"The difference is {evidence['difference']} {evidence.get('currency') or ''}".strip()
    for reached in evidence.get("reached") or ():
        yield f"{reached.get('object')} at {told.at(reached.get('at'))}"
    if evidence.get("lag_s") is not None:
        yield f"Heard {fmt.duration(float(evidence['lag_s']))} after the owner"


def _way_out(rule: Json, finding: Json) -> str:
    milestone, thing = fmt.milestone(str(finding.get("milestone") or "")).lower(), _thing(finding)
    owner = fmt.system(str(finding.get("system") or ""))
    return {
        "out_of_order": f"{milestone.capitalize()} from {owner}, or the end of the order",
        "duplicate": "All but one of them are taken back",
        "diverging": "They say the same again",
        "sync_late": f"{fmt.system(str(rule.get('system') or ''))} reports {milestone}",
        "failing": f"{milestone.capitalize()} from {owner} on {thing}",
    }.get(str(finding.get("kind")), "The facts say otherwise")


def _said_by(event: Json) -> str:
    connection = str(event.get("source") or "")
    return fmt.system(str(event.get("kind") or "")) + (f" ({connection})" if connection else "")


def _heard_of(event: Json) -> str:
    """Return how long the tower had to wait to hear of it, and by which event it did."""
    if not event:
        return ""
    lag = fmt.duration(_after(event.get("received_at"), event.get("occurred_at")))
    return f"Heard {lag} after it happened, event {event.get('event_id')}"


def _after(later: object, earlier: object) -> float:
    a, b = fmt.instant(later), fmt.instant(earlier)
    return 0.0 if a is None or b is None else (a - b).total_seconds()


def _thing(row: Json) -> str:
    return (
        f"{fmt.words(str(row.get('object_type') or '')).lower()} {fmt.thing(str(row.get('object_id') or ''))}".strip()
    )


def _team(rule: Json) -> str:
    return " · ".join(str(rule[n]) for n in ("owner", "runbook") if rule.get(n))


def rules_of(body: Json) -> Sequence[str]:
    """Return the rules that an order's page can be asked about: its clocks' stages, then its findings' rules."""
    clocks = [str(c.get("stage") or "") for c in body.get("clocks") or ()]
    return list(
        dict.fromkeys(r for r in [*clocks, *(str(f.get("rule") or "") for f in body.get("findings") or ())] if r)
    )

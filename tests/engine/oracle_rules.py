"""A plain reading of the rules under `findings`, for the oracle: loops over one order's events, no tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from rules.model import FindingRule

if TYPE_CHECKING:
    from tests.engine.oracle import Case, Ref

FIELDS = ("amount", "currency", "quantity", "promised_at", "requested_at")


@dataclass(frozen=True)
class Sight:
    """What a rule sees on an object: it holds from `since` on, counts after `until`, and may be over."""

    ref: Ref
    since: datetime
    until: datetime
    over: datetime | None = None
    silent: frozenset[str] = frozenset()  # kinds whose silence it rests on
    certain: bool = False


def findings(case: Case, done_at: datetime | None, cancelled_at: datetime | None) -> dict[Any, Any]:
    """Return {(rule, kind, object id): (opened, resolved, milestone for ordering)} of one order."""
    found: dict[Any, Any] = {}
    for rule in case.book.findings:
        if not case.holds(rule.when):
            continue
        for sight in sorted(_SEES[rule.kind](case, rule, done_at, cancelled_at), key=lambda s: s.until):
            past = sight.until < case.now or (sight.until == case.now and sight.until == sight.since)
            place = case.order if rule.kind == "out_of_order" else sight.ref
            heard = sight.certain or case.passed(set(sight.silent), place, sight.until)
            if past and heard:
                found[rule.id, rule.kind, sight.ref[1]] = (sight.until, sight.over)
    return found


def _out_of_order(case: Case, rule: FindingRule, done_at: Any, cancelled_at: Any) -> Iterator[Sight]:
    kind = case.book.milestones[rule.first].object
    for (milestone, ref), then in case.reached.items():
        if milestone != rule.then:
            continue
        parts = [m for m in case.near(ref) if m[0] == kind and m not in case.void]
        floor = then - timedelta(seconds=rule.fresh_s) if rule.fresh_s else None
        if rule.fresh_s and case.first_below(case.order, rule.first) is None:
            continue
        if rule.since:
            floor = max((t for t in _reports(case, ref, rule.since) if t <= then), default=None)
            if floor is None:
                continue
        firsts = [
            case.first_below(part, rule.first)
            if floor is None
            else min((t for t in _reports(case, part, rule.first) if t >= floor), default=None)
            for part in parts or [case.order]
        ]
        first = None if None in firsts else max(t for t in firsts if t)
        closings = [t for t in (done_at, cancelled_at) if t is not None and t >= then]
        over = min([*closings, *([first] if first else [])], default=None)
        until = then + timedelta(seconds=rule.settle_s)
        if over is None or over > until:
            missing = [p for p, at in zip(parts, firsts, strict=False) if at is None]
            asked = {case.authority(rule.first, p) for p in missing} or case.asked(rule.first, case.order)
            yield Sight(ref, then, until, over, frozenset(asked), first is not None)


def _reports(case: Case, ref: Ref, milestone: str) -> set[datetime]:
    return {t for (m, b), ts in case.words.items() if m == milestone and b in case.near(ref) for t in ts}


def _duplicate(case: Case, rule: FindingRule, *_: Any) -> Iterator[Sight]:
    kind = case.book.milestones[rule.milestone].object
    for ref in (m for m in case.members if m[0] == rule.per):
        if kind == rule.per:
            said = [(t, ref) for t in sorted(set(case.words.get((rule.milestone, ref), [])))]
        else:
            below = set(case.below(ref))
            said = sorted(
                (t, b) for (m, b), t in case.reached.items() if m == rule.milestone and b in below and b[0] == kind
            )
            if len(said) > 1 and _parts_of_one_whole(case, rule.milestone, ref, said):
                continue
        if len(said) > 1:
            since = said[1][0]
            until = since + timedelta(seconds=rule.settle_s)
            asked = frozenset(case.asked(rule.milestone, ref))
            yield Sight(ref, since, until, None, asked, certain=not rule.settle_s)


def _parts_of_one_whole(case: Case, milestone: str, ref: Ref, said: list[tuple[datetime, Ref]]) -> bool:
    worth = [
        (e.at, e.key, e.attributes)
        for e, r in case.facts
        if r == ref
        and e.polarity == "reached"
        and "amount" in e.attributes
        and case.book.milestones[e.milestone].object == ref[0]
    ]
    parts = [case.event_of(milestone, base, at).attributes for at, base in said]
    if not worth or any("amount" not in p for p in parts):
        return False
    whole = max(worth, key=lambda w: w[:2])[2]
    one_currency = {p.get("currency", "") for p in parts} == {whole.get("currency", "")}
    return one_currency and sum(p["amount"] for p in parts) <= whole["amount"]


def _sync_late(case: Case, rule: FindingRule, *_: Any) -> Iterator[Sight]:
    for (milestone, ref), word in case.reached.items():
        if milestone != rule.milestone or rule.system == case.authority(rule.milestone, ref):
            continue
        back = [
            e.at
            for e, r in case.facts
            if e.milestone == milestone and e.polarity == "reversed" and ref in case.bases(milestone, r)
        ]
        near = case.near(ref)
        echoes = [
            e.at
            for e, r in case.facts
            if e.milestone == milestone
            and e.polarity == "reached"
            and e.kind == rule.system
            and near & set(case.bases(milestone, r))
            and (not back or e.at > max(back))
        ]
        echo = min(echoes, default=None)
        until = word + timedelta(seconds=rule.within_s)
        if echo is None or echo > until:
            yield Sight(ref, word, until, echo, frozenset({rule.system}), echo is not None)


def _diverging(case: Case, rule: FindingRule, *_: Any) -> Iterator[Sight]:
    said: dict[Ref, list[Any]] = {}
    for e, r in case.facts:
        if e.milestone == rule.fact and e.kind in rule.systems and e.polarity != "failed":
            for base in case.bases(rule.fact, r):
                said.setdefault(base, []).append(e)
    settle = timedelta(seconds=rule.settle_s)
    for ref, events in said.items():
        begun, last = None, None
        for moment in sorted({e.at for e in events}):
            views = {s: _view([e for e in events if e.kind == s and e.at <= moment]) for s in rule.systems}
            differs = _differs(list(views.values()))
            if differs and begun is None:
                begun = moment
            if not differs and begun is not None:
                if moment > begun + settle:
                    last = Sight(ref, begun, begun + settle, moment, frozenset(), True)
                begun = None
        if last:
            yield last
        if begun is not None:
            silent = frozenset(s for s, v in views.items() if v is None)
            yield Sight(ref, begun, begun + settle, None, silent, differs != {"status"})


def _view(events: list[Any]) -> dict[str, Any] | None:
    """Return what a system says of the fact now, None when it says that it did not happen."""
    view: dict[str, Any] | None = None
    for e in sorted(events, key=lambda e: (e.at, e.key)):
        if e.polarity == "reversed":
            view = None
        else:
            view = (view or {}) | {k: e.attributes[k] for k in FIELDS if k in e.attributes}
    return view


def _differs(views: list[dict[str, Any] | None]) -> set[str]:
    found = {"status"} if len({v is None for v in views}) > 1 else set()
    return found | {f for f in FIELDS if len({v[f] for v in views if v and f in v}) > 1}


_SEES = {
    "out_of_order": _out_of_order,
    "duplicate": _duplicate,
    "sync_late": _sync_late,
    "diverging": _diverging,
}

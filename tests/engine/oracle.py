"""A plain reading of the rules, one order at a time, with loops: what the compiled SQL must agree with.

Written apart from the product: it takes a parsed rulebook and a list of `Said` and knows nothing of tables. The
calendar arithmetic is the only thing shared; it has tests of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from rules.model import Book, Condition, Stage, When
from tests.engine import oracle_rules

Ref = tuple[str, str]
PLACES = ("company", "warehouse", "partner", "channel", "order_type")
RANK = ["failing", "late", "diverging", "unknown", "at_risk", "on_track"]


@dataclass(frozen=True)
class Said:
    """One event: who said what about which objects, with the links (child, parent, retract) and aliases it states."""

    key: str
    at: datetime
    kind: str
    milestone: str
    polarity: str
    on: tuple[Ref, ...]
    links: tuple[tuple[Ref, Ref, bool], ...] = ()
    attributes: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    aliases: tuple[tuple[Ref, Ref, bool, bool], ...] = ()  # name, object, weak, retract


@dataclass(frozen=True)
class Mark:
    """How far the feed of one connection has told, and for which orders it speaks; an empty scope is all of them."""

    kind: str
    until: datetime
    company: str = ""
    warehouse: str = ""
    partner: str = ""


@dataclass
class Verdict:
    """What the oracle says about one order."""

    state: str
    stage: str
    object_id: str
    priority: str
    value_at_risk: Decimal | None
    closed_at: datetime | None
    clocks: dict[tuple[str, str], tuple[Any, ...]]
    findings: dict[tuple[str, str, str], tuple[Any, ...]]


def number(value: str) -> int:
    """Return a 64-bit hash of a text: the key of an event, which decides between two of one instant."""
    return int.from_bytes(blake2b(value.encode(), digest_size=8).digest())


class Oracle:
    """Judges orders of one set of events by one rulebook as of a moment, where feeds have told up to their marks."""

    def __init__(self, book: Book, events: list[Said], as_of: datetime, marks: Sequence[Mark] = ()) -> None:
        self.book, self.now, self.marks = book, as_of, marks
        self.events = sorted({e.key: e for e in events if e.at <= as_of}.values(), key=lambda e: (e.at, e.key))
        self.goes_by = self._names()
        self.parents = self._links()

    def name(self, ref: Ref) -> Ref:
        """Return the name that an object goes by."""
        return self.goes_by.get(ref, ref)

    def _names(self) -> dict[Ref, Ref]:
        latest: dict[tuple[Ref, Ref], tuple[datetime, str, bool, bool]] = {}
        for e in self.events:
            for name, meant, weak, retract in e.aliases:
                said = (e.at, e.key, retract, weak)
                latest[name, meant] = max(latest.get((name, meant), said), said)
        stated = [(name, meant, weak) for (name, meant), (_, _, retract, weak) in latest.items() if not retract]
        candidates: dict[tuple[Ref, str], set[Ref]] = defaultdict(set)
        for name, meant, weak in stated:
            if weak:
                candidates[name, meant[1].rpartition(":")[0]].add(meant)
        settled = {name for name, _, weak in stated if not weak}
        chosen = [
            (n, m)
            for n, m, weak in stated
            if not weak or (n not in settled and len(candidates[n, m[1].rpartition(":")[0]]) == 1)
        ]
        groups: dict[Ref, set[Ref]] = {}
        for name, meant in chosen:
            joined = groups.get(name, {name}) | groups.get(meant, {meant})
            for ref in joined:
                groups[ref] = joined
        further = {name for name, _ in chosen}
        return {ref: min(group, key=lambda r: (r in further, ":" in r[1], r[1])) for ref, group in groups.items()}

    def _links(self) -> dict[Ref, set[Ref]]:
        latest: dict[tuple[Ref, Ref], tuple[datetime, str, bool]] = {}
        for e in self.events:
            for child, parent, retract in ((self.name(c), self.name(p), r) for c, p, r in e.links):
                if child == parent:
                    continue
                latest[child, parent] = max(latest.get((child, parent), (e.at, e.key, retract)), (e.at, e.key, retract))
        parents: dict[Ref, set[Ref]] = defaultdict(set)
        for (child, parent), (_, _, retract) in latest.items():
            if not retract:
                parents[child].add(parent)
        return parents

    def orders(self) -> list[Ref]:
        """Return every order that some event names."""
        named = {r for e in self.events for r in e.on} | {r for e in self.events for x in e.links for r in x[:2]}
        return sorted({self.name(r) for r in named if r[0] == "order"})

    def judge(self, order: Ref) -> Verdict | None:
        """Return the verdict on one order, None when nothing started it."""
        return Case(self, order).verdict()


class Case:
    """One order with what was said about it, as the loops of the oracle look at it."""

    def __init__(self, oracle: Oracle, order: Ref) -> None:
        self.o, self.book, self.now, self.order = oracle, oracle.book, oracle.now, order
        children: dict[Ref, set[Ref]] = defaultdict(set)
        for child, parents in oracle.parents.items():
            for parent in parents:
                children[parent].add(child)
        self.members = {order}
        todo = [order]
        while todo:
            for child in children[todo.pop()]:
                if child not in self.members:
                    self.members.add(child)
                    todo.append(child)
        self.above = {m: self._up(m) for m in self.members}
        self.facts = [
            (e, r) for e in oracle.events for r in sorted({oracle.name(x) for x in e.on}) if r in self.members
        ]
        self.attributes = self._attributes()
        self.own = {m: self._own(m) for m in self.members}
        self.reached, self.echoed, self.words, self.void = self._reached()

    def _up(self, ref: Ref) -> set[Ref]:
        seen, todo = {ref}, [ref]
        while todo:
            for parent in self.o.parents.get(todo.pop(), ()):
                if parent in self.members and parent not in seen:
                    seen.add(parent)
                    todo.append(parent)
        return seen

    def _attributes(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for own in (False, True):
            for e, _ in self.facts:
                if (self.book.milestones[e.milestone].object == "order") != own:
                    continue
                found.update({k: v for k, v in e.attributes.items() if own or k not in ("amount", "currency")})
        amount = found.get("amount")
        if amount is not None and found.get("currency", "EUR") != "EUR":
            stated = [
                e.at
                for e, _ in self.facts
                if "amount" in e.attributes and self.book.milestones[e.milestone].object == "order"
            ]
            rates = [
                r
                for r in self.book.value.rates
                if r.currency == found["currency"] and r.since <= stated[-1].date().isoformat()
            ]
            amount = amount * max(rates, key=lambda r: r.since).rate if rates else None
        found["reporting"] = amount
        found["priority"] = next(
            (p.name for p in self.book.priorities if p.when.any_of and self.holds(p.when, found)),
            self.book.priorities[-1].name,
        )
        return found

    def holds(self, when: When, attributes: dict[str, Any] | None = None) -> bool:
        values = self.attributes if attributes is None else attributes

        def one(c: Condition) -> bool:
            value = values.get("reporting" if c.attribute == "amount" else c.attribute)
            if c.op == "in":
                return (value or "") in c.values
            if c.op == "not_in":
                return (value or "") not in c.values
            if value is None or c.number is None:
                return False
            return {">=": value >= c.number, ">": value > c.number, "<=": value <= c.number, "<": value < c.number}[
                c.op
            ]

        return not when.any_of or any(all(one(c) for c in group) for group in when.any_of)

    def authority(self, milestone: str, ref: Ref) -> str:
        """Return whose word counts for a milestone on an object: by what was told of it, then of its order."""
        values = dict(self.attributes)
        if self.book.milestones[milestone].object != "order":
            values |= self.own[ref]
        for authority in self.book.milestones[milestone].authority:
            if self.holds(authority.when, values):
                return authority.kind
        return ""

    def asked(self, milestone: str, ref: Ref) -> set[str]:
        """Return all whose word can count for a milestone on an object or on the parts of it that are known."""
        parts = [p for p in self.below(ref) if p[0] == self.book.milestones[milestone].object]
        return {self.authority(milestone, p) for p in [ref, *parts]}

    def _own(self, ref: Ref) -> dict[str, str]:
        """Return what an object has for itself: last told of it, else last told of something that it lies under."""
        found: dict[str, str] = {}
        for itself in (False, True):
            for e, r in sorted(self.facts, key=lambda f: (f[0].at, f[0].key)):
                if r[0] != "order" and r in self.above[ref] and (r == ref) == itself:
                    found |= {k: e.attributes[k] for k in PLACES if e.attributes.get(k)}
        return found

    def bases(self, milestone: str, ref: Ref) -> list[Ref]:
        own = [a for a in self.above[ref] if a[0] == self.book.milestones[milestone].object]
        return own or [ref]

    def _reached(self) -> Any:
        told, heard, back, any_back = (defaultdict(list) for _ in range(4))
        for e, ref in self.facts:
            for base in self.bases(e.milestone, ref):
                word = self.authority(e.milestone, base) in ("", e.kind)
                at = (e.milestone, base)
                if e.polarity == "reached":
                    (told if word else heard)[at].append(e.at)
                elif e.polarity == "reversed":
                    any_back[at].append(e.at)
                    if word:
                        back[at].append(e.at)
        words = {k: sorted(t for t in v if not back[k] or t > max(back[k])) for k, v in told.items()}
        echoes = {k: sorted(t for t in v if not any_back[k] or t > max(any_back[k])) for k, v in heard.items()}
        reached = {k: v[0] for k, v in words.items() if v}
        echoed = {k: v[0] for k, v in echoes.items() if v}
        void = set()
        for member in self.members:
            own = [m for m in self.book.milestones.values() if m.object == member[0]]
            if any(any_back.get((m.name, member)) for m in own) and not any(
                (m.name, member) in reached or (m.name, member) in echoed for m in own
            ):
                void.add(member)
        return reached, echoed, words, void

    def below(self, ref: Ref) -> list[Ref]:
        return [m for m in self.members if ref in self.above[m]]

    def near(self, ref: Ref) -> set[Ref]:
        return set(self.below(ref)) | self.above[ref]

    def first_below(self, ref: Ref, milestone: str) -> datetime | None:
        """Return when a milestone was first reached on an object or below it."""
        return min((t for (n, b), t in self.reached.items() if n == milestone and ref in self.above[b]), default=None)

    def event_of(self, milestone: str, base: Ref, at: datetime) -> Said:
        """Return the event by which a milestone was reached."""
        told = [
            e
            for e, r in self.facts
            if (e.milestone, e.at, e.polarity) == (milestone, at, "reached")
            and base in self.bases(milestone, r)
            and self.authority(milestone, base) in ("", e.kind)
        ]
        return min(told, key=lambda e: number(e.key))

    def _complete(self, ref: Ref, milestone: str, per: str) -> datetime | None:
        parts = [m for m in self.below(ref) if m[0] == per and m not in self.void]
        times = [
            min(
                (t for (n, b), t in self.reached.items() if n == milestone and part in self.above.get(b, ())),
                default=None,
            )
            for part in parts
        ]
        if parts and self._short(ref, parts):
            return None
        if parts:
            return None if None in times else max(t for t in times if t)
        anywhere = [t for (n, b), t in self.reached.items() if n == milestone and ref in self.above[b]]
        return min(anywhere, default=None)

    def _short(self, ref: Ref, parts: list[Ref]) -> bool:
        """Whether the parts tell quantities that do not add up to that of the whole yet."""
        told = [self._quantity(part) for part in parts if part != ref]
        whole = self._quantity(ref)
        return whole is not None and bool(told) and None not in told and sum(q for q in told if q) < whole

    def _quantity(self, ref: Ref) -> Decimal | None:
        said = [
            (e.at, e.key, e.attributes["quantity"])
            for e, r in self.facts
            if r == ref
            and e.polarity == "reached"
            and "quantity" in e.attributes
            and self.book.milestones[e.milestone].object == ref[0]
        ]
        return max(said)[2] if said else None

    def _pauses(self, stage: Stage, ref: Ref, start: datetime) -> list[tuple[datetime, datetime | None]]:
        spans: list[tuple[datetime, datetime | None]] = []
        near = self.near(ref)
        for pause in stage.pauses:
            opens = sorted({t for (n, b), ts in self.words.items() if n == pause.start and b in near for t in ts})
            closes = sorted({t for (n, b), ts in self.words.items() if n == pause.end and b in near for t in ts})
            spans += [(o, next((c for c in closes if c >= o), None)) for o in opens]
        merged: list[tuple[datetime, datetime | None]] = []
        for low, high in sorted(((max(a, start), b) for a, b in spans), key=lambda s: (s[0], s[1] is None, s[1])):
            if high is not None and high <= low:
                continue
            if merged and (merged[-1][1] is None or low <= merged[-1][1]):
                last = merged[-1][1]
                merged[-1] = (merged[-1][0], None if last is None or high is None else max(last, high))
            else:
                merged.append((low, high))
        return merged

    def verdict(self) -> Verdict | None:
        process = self.book.process
        starts = [
            t
            for source in (self.reached, self.echoed)
            for (m, _), t in source.items()
            if m in process.start and not (source is self.echoed and (m, _) in self.reached)
        ]
        if not starts:
            return None
        dones = [self._complete(self.order, d.milestone, d.per) for d in process.done]
        done_at = max(d for d in dones if d) if dones and None not in dones else None
        cancelled_at = min((t for (m, _), t in self.reached.items() if m in process.cancelled), default=None)
        failures = self._failures()
        clocks, findings, worst, reopened = {}, {}, [], False
        for stage in self.book.stages:
            for ref in sorted(m for m in self.members if m[0] == stage.per):
                clock = self._clock(stage, ref, done_at, cancelled_at, failures)
                if clock is None:
                    continue
                key = (stage.id, ref[1])
                clocks[key] = (
                    clock["start"],
                    clock["end"],
                    clock["due"],
                    clock["state"],
                    clock["verdict"],
                    clock["used"],
                )
                for kind, (opened, resolved) in clock["findings"].items():
                    findings[stage.id, kind, ref[1]] = (opened, resolved)
                if clock["verdict"]:
                    worst.append(
                        (
                            RANK.index(clock["verdict"]),
                            clock["due"] or datetime.max.replace(tzinfo=self.now.tzinfo),
                            stage.id,
                            ref[1],
                            stage.end.milestone,
                        )
                    )
                reopened |= done_at is not None and clock["start"] > done_at and clock["end"] is None
        failing_to = {w[4] for w in worst if w[0] == 0}
        far = datetime.max.replace(tzinfo=self.now.tzinfo)
        for (milestone, ref), f in failures.items():
            findings[f"{milestone}.failed", "failing", ref[1]] = (f["since"], f["healed"])
            if f["healed"] is None and milestone not in failing_to:
                worst.append((0, far, "", ref[1], milestone))
        told = oracle_rules.findings(self, done_at, cancelled_at)
        for (rule, _, object_id), (_, resolved) in told.items():
            if resolved is None:
                worst.append((RANK.index("diverging"), far, "", object_id, rule))
        state, closed_at = "on_track", None
        if done_at is not None and not reopened:
            state, closed_at = "done", done_at
        elif cancelled_at is not None:
            state, closed_at = "cancelled", cancelled_at
        elif worst:
            state = RANK[min(worst)[0]]
        if closed_at is not None:
            findings = {k: (o, r or closed_at) for k, (o, r) in findings.items()}
        findings |= told
        value = self.attributes["reporting"]
        if value is not None and state not in ("failing", "late", "diverging", "unknown", "at_risk"):
            value = Decimal(0)
        top = min(worst) if worst and closed_at is None else (0, None, "", "", "")
        return Verdict(state, top[2], top[3], self.attributes["priority"], value, closed_at, clocks, findings)

    def _failures(self) -> dict[tuple[str, Ref], dict[str, Any]]:
        found: dict[tuple[str, Ref], list[datetime]] = defaultdict(list)
        for e, ref in self.facts:
            if e.polarity == "failed":
                found[e.milestone, ref].append(e.at)
        result = {}
        for (milestone, ref), times in found.items():
            told = sorted(
                e.at
                for e, r in self.facts
                if e.milestone == milestone
                and e.polarity == "reached"
                and any(self.authority(milestone, base) in ("", e.kind) for base in self.bases(milestone, r))
                and ref in self.above[r]
            )
            last = max(times)
            before = [t for t in told if t < last]
            result[milestone, ref] = {
                "healed": next((t for t in told if t > last), None),
                "since": min(t for t in times if not before or t > max(before)),
            }
        return result

    def passed(self, kinds: set[str], ref: Ref, moment: datetime) -> bool:
        """Whether every feed of these kinds that could tell of this object has told beyond a moment."""

        def fits(scope: str, name: str) -> bool:
            said = [(r, e.attributes[name]) for e, r in self.facts if e.attributes.get(name)]
            told = {v for r, v in said if ref in self.above[r]} or {v for _, v in said}
            return not scope or not told or scope in told

        return all(
            m.until > moment
            for m in self.o.marks
            if m.kind in kinds
            and fits(m.company, "company")
            and fits(m.warehouse, "warehouse")
            and fits(m.partner, "partner")
        )

    def _clock(self, stage: Stage, ref: Ref, done_at: Any, cancelled_at: Any, failures: Any) -> dict[str, Any] | None:
        if not self.holds(stage.when):
            return None
        near, below = self.near(ref), set(self.below(ref))
        begun = [t for (m, b), t in self.reached.items() if m == stage.start.milestone and b in near]
        echoes = [t for (m, b), t in self.echoed.items() if m == stage.start.milestone and b in near]
        if not begun and not echoes:
            return None
        provisional = not begun
        start = (max(begun) if stage.start.pick == "last" else min(begun)) if begun else min(echoes)
        ends = [t for (m, b), t in self.reached.items() if m == stage.end.milestone and b in below]
        to_echo = min((t for (m, b), t in self.echoed.items() if m == stage.end.milestone and b in below), default=None)
        if stage.end.pick == "complete":
            to = self._complete(ref, stage.end.milestone, self.book.milestones[stage.end.milestone].object)
        else:
            to = (max(ends) if stage.end.pick == "last" else min(ends)) if ends else None
        stops = [t for t in (done_at, cancelled_at) if t is not None and t >= start] + ([to] if to else [])
        heard = {
            m: {t for (n, b), ts in self.words.items() if n == m and b in near for t in ts}
            for m in self.book.milestones
        }
        resets = {t for m in stage.resets for t in heard[m] if t > start and not any(t >= s for s in stops)}
        start = max(resets, default=start)
        called_off = min(
            (t for m in stage.cancels for t in heard[m] if t >= start and (to is None or t < to)), default=None
        )
        budget, calendar_name = stage.budget, stage.calendar
        for tier in stage.tiers:
            if self.holds(tier.when):
                budget, calendar_name = tier.budget or budget, tier.calendar or calendar_name
                break
        calendar = self.book.calendars[calendar_name] if calendar_name else None

        def work(a: datetime, b: datetime) -> float:
            return calendar.working_seconds(a, b) if calendar else (b - a).total_seconds()

        def add(a: datetime, seconds: float) -> datetime:
            return calendar.add(a, seconds) if calendar else a + timedelta(seconds=seconds)

        pauses = self._pauses(stage, ref, start)

        def after(seconds: float) -> datetime | None:
            needed = seconds
            for low, high in pauses:
                if work(start, low) < needed:
                    if high is None:
                        return None
                    needed += work(low, high)
            return add(start, needed)

        if budget.until is not None:
            promised = self.attributes.get(budget.until)
            due = add(promised, budget.plus_s) if promised is not None and budget.plus_s else promised
            total = work(start, due) if due is not None else None
        else:
            total = budget.within_s
            due = after(total)
        closings = []
        if done_at is not None and start <= done_at:
            closings.append(done_at)
        if cancelled_at is not None:
            closings.append(max(cancelled_at, start))
        if called_off is not None:
            closings.append(called_off)
        closes = min(closings, default=None)
        end, state, disorder = None, "running", False
        if to is not None and (closes is None or to <= closes):
            end, state, disorder = max(to, start), "stopped", to < start
        elif closes is not None:
            end, state = closes, "ended"
        elif any(low <= self.now and (high is None or self.now < high) for low, high in pauses):
            state = "paused"
        used = None
        if end is not None:
            used = work(start, end) - sum(work(min(a, end), min(b, end) if b else end) for a, b in pauses)
        running = state == "running"
        past = running and due is not None and due < self.now
        overdue = due is not None and (
            due < self.now if end is None else state == "ended" and due < end and end != called_off
        )
        passed = overdue and self.passed(self.asked(stage.end.milestone, ref), ref, max(due, to_echo or due))
        fails = end is None and any(
            f["healed"] is None and m == stage.end.milestone and r in near for (m, r), f in failures.items()
        )
        risky = False
        if running and stage.at_risk is not None and total is not None:
            at_risk_at = after(float(stage.at_risk) * total)
            risky = at_risk_at is not None and at_risk_at <= self.now
        if fails:
            verdict = "failing"
        elif past and (provisional or not passed):
            verdict = "unknown"
        elif past and to_echo is not None:
            verdict = "diverging"
        elif past:
            verdict = "late"
        elif disorder:
            verdict = "diverging"
        elif running and risky:
            verdict = "at_risk"
        else:
            verdict = "on_track" if end is None else ""
        late_cancelled = cancelled_at is not None and start > cancelled_at
        findings: dict[str, Any] = {}
        if not provisional and due is not None and not late_cancelled:
            if past and passed and to_echo is not None:
                findings["diverging"] = (due, None)
            elif passed or (state == "stopped" and end > due):
                findings["late"] = (due, end)
        if disorder or late_cancelled:
            findings["out_of_order"] = (start, None)
        whole = state == "stopped" and not disorder and not provisional
        if stage.not_before_s and whole and (end - start).total_seconds() < stage.not_before_s:
            findings["too_fast"] = (end, end)
        return {
            "start": start,
            "end": end,
            "due": due,
            "state": state,
            "verdict": verdict,
            "used": used,
            "findings": findings,
        }

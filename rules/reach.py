"""How far a change of the rulebook reaches: which verdicts two books may disagree on, and in which orders.

Everything outside of the answer is the same under both books, so a backtest need not look at it. Where this module
does not know what a part of the book means for verdicts, it answers "every order".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from rules.compile.authority import configured
from rules.model import Book, FindingRule, Milestone, Stage, When

# What people read of a rule, and what moves states of orders but no verdict.
_SAID: dict[str, Any] = {"label": "", "owner": "", "runbook": "", "severity": "", "where": ""}
_HARMLESS: dict[str, Any] = {"at_risk": None, "odds": None}
# Parts of a book whose meaning for verdicts is looked at below, and parts that have none.
_READ = ("process", "milestones", "calendars", "stages", "findings", "feeds", "priorities", "value")
_NO_VERDICT = (
    "hash",
    "score",
    "targets",
    "actions",
    "examples",
    "routes",
    "receivers",
    "inhibitions",
    "warnings",
    "text",
)
Kinds = frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Reach:
    """What two books may disagree on.

    rules: those whose meaning differs. limits_only: nothing but how long their clocks may run, and on which calendar.
    milestones: only orders with a fact of one of these can differ; None: every order can.
    """

    rules: tuple[str, ...]
    limits_only: bool
    milestones: frozenset[str] | None

    @property
    def nothing(self) -> bool:
        """Whether both books give the same verdicts on every order."""
        return self.milestones is not None and not self.milestones


def reach(old: Book, new: Book, kinds: Kinds, systems: Mapping[str, str]) -> Reach:
    """Return what may differ between the verdicts of two books.

    kinds: the system kinds with a connection, None when none is configured. systems: the kind of each connection.
    """
    rules = sorted(_differing(old, new, kinds, systems))
    every = {s.id for b in (old, new) for s in b.stages} | {f.id for b in (old, new) for f in b.findings}
    if old.process != new.process or _unknown(old, new):
        return Reach(tuple(sorted(every)), False, None)
    moved = _moved_milestones(old, new, kinds)
    process = {*old.process.start, *old.process.cancelled, *(d.milestone for d in old.process.done)}
    touching = (
        every if moved & process else {r for r in every if moved & {m for b in (old, new) for m in _mentioned(b, r)}}
    )
    limits = not moved and all(_same_but_limits(old, new, rule) for rule in rules)
    facts = {m for rule in {*rules, *touching} for book in (old, new) for m in _needed(book, rule)}
    return Reach(tuple(sorted({*rules, *touching, *(f"{m}.failed" for m in moved)})), limits, frozenset(facts | moved))


def same_clocks(one: Book, other: Book, stages: Collection[str], kinds: Kinds) -> bool:
    """Return whether the clocks of these stages begin, stand still and end alike under both books, limits aside."""
    return (
        one.process == other.process
        and not _unknown(one, other)
        and not _moved_milestones(one, other, kinds)
        and all(_same_but_limits(one, other, stage) for stage in stages)
    )


def _unknown(old: Book, new: Book) -> bool:
    known = (*_READ, *_NO_VERDICT)
    return any(getattr(old, f.name) != getattr(new, f.name) for f in fields(Book) if f.name not in known)


def _differing(old: Book, new: Book, kinds: Kinds, systems: Mapping[str, str]) -> Iterator[str]:
    for part in ("stages", "findings"):
        before = {r.id: _meaning(old, r, kinds, systems) for r in getattr(old, part)}
        after = {r.id: _meaning(new, r, kinds, systems) for r in getattr(new, part)}
        yield from (rule for rule in before.keys() | after.keys() if before.get(rule) != after.get(rule))


def _meaning(book: Book, rule: Stage | FindingRule, kinds: Kinds, systems: Mapping[str, str]) -> tuple[object, ...]:
    """Return all that a verdict of this rule depends on besides the milestones and the process."""
    plain = replace(rule, **_SAID)
    if isinstance(plain, Stage):
        plain = replace(plain, **_HARMLESS)
        named = {plain.calendar, *(t.calendar for t in plain.tiers)}
        awaited = book.milestones.get(plain.end.milestone)
        heard = {a.kind for a in configured(awaited, kinds).authority} if awaited else set()
        gates = [f for f in _feeds(book) if systems.get(f[0].connection) in heard]
        return plain, _calendars(book, named), _context(book, _whens(plain)), gates
    return plain, _calendars(book, book.calendars), _context(book, _whens(plain)), _feeds(book)


def _calendars(book: Book, names: Iterable[str | None]) -> list[str]:
    return sorted(book.calendars[n].key for n in names if n in book.calendars)


def _feeds(book: Book) -> list[tuple[Any, str]]:
    return [(f, book.calendars[f.calendar].key if f.calendar in book.calendars else "") for f in book.feeds]


def _whens(rule: Stage | FindingRule) -> list[When]:
    return [rule.when, *(t.when for t in rule.tiers)] if isinstance(rule, Stage) else [rule.when]


def _context(book: Book, whens: Iterable[When]) -> tuple[object, ...]:
    """Return what the attributes that matchers read are made from: priority of its classes, amount of the rates."""
    read = {c.attribute for w in whens for group in w.any_of for c in group}
    if "priority" in read:
        read |= {c.attribute for p in book.priorities for group in p.when.any_of for c in group}
    return (
        book.priorities if "priority" in read else (),
        (book.value.currency, book.value.rates) if "amount" in read else (),
    )


def _moved_milestones(old: Book, new: Book, kinds: Kinds) -> frozenset[str]:
    def meaning(book: Book, name: str) -> object:
        milestone = book.milestones.get(name)
        if milestone is None:
            return None
        plain = replace(configured(milestone, kinds), after=(), means="")
        return plain, _context(book, [a.when for a in plain.authority])

    return frozenset(n for n in {**old.milestones, **new.milestones} if meaning(old, n) != meaning(new, n))


def _same_but_limits(old: Book, new: Book, rule: str) -> bool:
    one, other = old.stage(rule), new.stage(rule)
    if one is None or other is None or one.cancels:  # a clock that was called off is never late, whatever its limit
        return False
    whens = [*_whens(one), *_whens(other)]
    return _without_limits(one) == _without_limits(other) and _context(old, whens) == _context(new, whens)


def _without_limits(stage: Stage) -> Stage:
    told: dict[str, Any] = {**_SAID, **_HARMLESS, "calendar": None, "tiers": ()}
    return replace(stage, budget=type(stage.budget)(), **told)


def _rule(book: Book, rule: str) -> Stage | FindingRule | None:
    return book.stage(rule) or next((f for f in book.findings if f.id == rule), None)


def _mentioned(book: Book, rule: str) -> set[str]:
    """Return every milestone of the book that the rule names."""
    found = _rule(book, rule)
    return _names(found, book.milestones) if found is not None else set()


def _needed(book: Book, rule: str) -> set[str]:
    """Return milestones without a fact of which the rule says nothing about an order."""
    found = _rule(book, rule)
    if isinstance(found, Stage):
        return {found.start.milestone}
    return _names(found, book.milestones) if found is not None else set()


def _names(value: object, known: Mapping[str, Milestone]) -> set[str]:
    if isinstance(value, str):
        return {value} & known.keys()
    if isinstance(value, tuple | list):
        return {n for v in value for n in _names(v, known)}
    if hasattr(value, "__dataclass_fields__"):
        return {n for f in value.__dataclass_fields__ for n in _names(getattr(value, f), known)}
    return set()

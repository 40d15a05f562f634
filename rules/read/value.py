"""priorities and value: which orders come first, and what they are worth."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from rules.model import Phase, Priority, Rate, Score, Value
from rules.section import Section, shown
from rules.vocabulary import MEANINGS

_MOST_POINTS = 1000
_CURRENCY = re.compile(r"[A-Z]{3}")


def read_priorities(book: Section) -> tuple[Priority, ...]:
    """Return the classes, the most urgent first; the last one takes what no other does."""
    return tuple(
        Priority(section.identifier("name"), section.when()) for section in book.sections("priorities", "priority")
    )


def read_value(book: Section) -> Value:
    """Return what figures are made of; without any, amounts are in EUR and have no rates."""
    section = book.section("value", "value")
    if section is None:
        return Value()
    currency = _currency(section, "EUR")
    rates: list[Rate] = []
    for entry in section.sections("rates", "rate"):
        rate = Rate(_currency(entry), entry.number("rate") or _missing(entry, "rate"), _since(entry))
        if rate.currency == currency:
            entry.report("currency", f"{currency} is the reporting currency itself", "drop this rate")
        elif any((r.currency, r.since) == (rate.currency, rate.since) for r in rates):
            entry.report("since", f"a second rate of {rate.currency} from {rate.since}", "keep one of them")
        rates.append(rate)
    return Value(
        currency,
        tuple(rates),
        section.number("cost_per_touch"),
        section.number("minutes_per_touch"),
        section.percent("cost_of_capital"),
        section.duration("baseline", least=1),
        section.text("calendar") or None,
        _means(section),
        _phases(section),
        section.duration("horizon", least=1),
    )


def _means(value: Section) -> dict[str, tuple[str, ...]]:
    """Return which milestones have which meaning; those of the shipped book where nothing is written."""
    section = value.section("means", "means")
    if section is None:
        return dict(MEANINGS)
    return {name: section.texts(name) if section.has(name) else usual for name, usual in MEANINGS.items()}


def _phases(value: Section) -> tuple[Phase, ...]:
    phases: list[Phase] = []
    taken: dict[str, str] = {}
    for name, path, stages in value.named("phases"):
        listed = stages if isinstance(stages, list) else [stages]
        if not listed or not all(isinstance(s, str) for s in listed):
            value.document.report(path, f"{name} lists no stages", f"write {name}: [one-stage, another]")
            continue
        for stage in listed:
            if stage in taken:
                value.document.report(path, f"{stage} is in the phase {taken[stage]} already", "keep it in one")
            taken.setdefault(stage, name)
        phases.append(Phase(name, tuple(listed)))
    return tuple(phases)


def read_score(book: Section) -> Score:
    """Return the weights of the score; a term that is not written has its default, 0 leaves it out."""
    section = book.section("score", "score")
    if section is None:
        return Score()
    tiers = {name: _points(section, "tier", value) for name, _, value in section.named("tier")}
    weights = {
        key: _points(section, key, section.raw(key))
        for key in ("value", "promise", "cash", "ageing", "odds")
        if section.has(key)
    }
    return Score(tiers=tiers, **weights)


def _points(section: Section, key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or not 0 <= value <= _MOST_POINTS:
        section.report(key, f"{shown(value)} are no points from 0 to {_MOST_POINTS}", f"write for example {key}: 20")
        return 0.0
    return float(value)


def _missing(section: Section, key: str) -> Decimal:
    if not section.has(key):
        section.report(key, f"{key} is missing", 'write for example rate: "0.92"')
    return Decimal(1)


def _currency(section: Section, default: str = "") -> str:
    code = section.text("currency", default, required=not default)
    if code and not _CURRENCY.fullmatch(code):
        section.report("currency", f"{code!r} is no currency code", "write its three letters, for example USD")
    return code


def _since(section: Section) -> str:
    text = section.text("since", required=True)
    try:
        return date.fromisoformat(text).isoformat() if text else ""
    except ValueError:
        section.report("since", f"{text!r} is no date", "write YYYY-MM-DD")
        return ""

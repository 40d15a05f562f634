"""stages: promises from one milestone to another within a time."""

from __future__ import annotations

from decimal import Decimal

from rules.model import Anchor, Budget, Pause, Stage, Tier
from rules.section import Section
from rules.vocabulary import OBJECT_TYPES, TIME_ATTRIBUTES

SEVERITIES = ("info", "warning", "critical")
START_PICKS = ("first", "last")
END_PICKS = ("first", "last", "complete")


def read_stages(book: Section) -> tuple[Stage, ...]:
    """Return the stages in the order written."""
    return tuple(_stage(section) for section in book.sections("stages", "stage"))


def label_of(rule_id: str) -> str:
    """Return a label for a rule without one: 'ship-to-invoice' is 'Ship to invoice'."""
    text = rule_id.replace("-", " ").replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def _stage(section: Section) -> Stage:
    stage_id = section.identifier("id")
    budget = read_budget(section)
    if budget is None and not section.has("until"):
        section.report("within", "a stage needs a time", "write within: 2h, or until: promised_at")
    at_risk, odds = _at_risk(section)
    return Stage(
        id=stage_id,
        start=_anchor(section, "from", START_PICKS),
        end=_anchor(section, "to", END_PICKS),
        budget=budget or Budget(within_s=0),
        per=section.choice("per", OBJECT_TYPES, "order"),
        calendar=section.text("calendar") or None,
        not_before_s=section.duration("not_before", least=1),
        pauses=tuple(
            Pause(pause.text("from", required=True), pause.text("to", required=True))
            for pause in section.sections("pause", "pause")
        ),
        resets=section.texts("reset"),
        cancels=section.texts("cancel"),
        at_risk=at_risk,
        odds=odds,
        when=section.when(),
        tiers=tuple(_tier(tier) for tier in section.sections("tiers", "tier")),
        owner=section.text("owner"),
        runbook=section.text("runbook"),
        severity=section.choice("severity", SEVERITIES),
        label=section.text("label") or label_of(stage_id),
        where=section.where,
    )


def _anchor(section: Section, key: str, picks: tuple[str, ...]) -> Anchor:
    if isinstance(section.raw(key), dict):
        entry = section.section(key, "anchor")
        assert entry is not None
        return Anchor(entry.text("milestone", required=True), entry.choice("pick", picks, "first"))
    return Anchor(section.text(key, required=True))


def read_budget(section: Section) -> Budget | None:
    """Return the time a stage or tier sets, or None when it sets none."""
    within = section.duration("within", least=1)
    until = section.choice("until", TIME_ATTRIBUTES) or None
    plus = section.duration("plus", signed=True)
    if section.has("within") and section.has("until"):
        section.report("until", "within and until are two different times", "keep one of them")
    if section.has("plus") and not section.has("until"):
        section.report("plus", "plus belongs to until", f"write until: {TIME_ATTRIBUTES[0]} beside it")
    if until:
        return Budget(until=until, plus_s=plus or 0)
    return Budget(within_s=within or 0) if section.has("within") else None


def _at_risk(section: Section) -> tuple[Decimal | None, Decimal | None]:
    if not isinstance(section.raw("at_risk"), dict):
        return section.percent("at_risk"), None
    entry = section.section("at_risk", "at_risk")
    assert entry is not None
    return None, entry.percent("odds")


def _tier(section: Section) -> Tier:
    budget, calendar = read_budget(section), section.text("calendar") or None
    if section.value and not any(section.has(key) for key in ("within", "until", "calendar")):
        section.report(None, "the tier changes nothing", "set within, until or calendar")
    return Tier(section.when(), budget, calendar)

"""findings: rules about sequence, duplicates, divergence and sync lag."""

from __future__ import annotations

from typing import Any

from rules.document import Path
from rules.errors import closest
from rules.model import FindingRule
from rules.read.stages import SEVERITIES, label_of
from rules.section import Section
from rules.vocabulary import FINDING_KINDS, OBJECT_TYPES

KINDS = ("out_of_order", "diverging", "sync_late", "duplicate")


def read_findings(book: Section) -> tuple[FindingRule, ...]:
    """Return the finding rules in the order written."""
    found = (_finding(book, path, value) for path, value in book.items("findings"))
    return tuple(rule for rule in found if rule is not None)


def _finding(book: Section, path: Path, value: Any) -> FindingRule | None:
    kind = value.get("kind") if isinstance(value, dict) else None
    if kind not in KINDS:
        what = f"{kind!r} is no kind of finding rule" if kind is not None else "kind is missing"
        hint = closest(str(kind), KINDS)
        if kind in FINDING_KINDS:
            hint = (
                "a feed says it with quiet_after" if kind == "feed_late" else "a stage finds it; write one under stages"
            )
        book.document.report((*path, "kind") if isinstance(value, dict) else path, what, hint)
        return None
    section = Section(book.document, path, value, f"finding {kind}")
    rule_id = section.identifier("id")
    section.raw("kind")

    def text(key: str) -> str:
        return section.text(key, required=True) if key in value or key in _REQUIRED[kind] else ""

    if kind == "out_of_order" and "since" in value and "fresh" in value:
        section.report("fresh", "since and fresh are two different moments", "keep one of them")
    return FindingRule(
        id=rule_id,
        kind=kind,
        first=text("first"),
        then=text("then"),
        since=text("since"),
        fresh_s=(section.duration("fresh", least=1) or 0) if kind == "out_of_order" else 0,
        fact=text("fact"),
        systems=section.texts("systems", required=True) if kind == "diverging" else (),
        milestone=text("milestone"),
        per=section.choice("per", OBJECT_TYPES, required=True) if kind == "duplicate" else "",
        system=text("system"),
        within_s=_within(section) if kind == "sync_late" else 0,
        settle_s=(section.duration("settle") or 0) if kind != "sync_late" else 0,
        when=section.when(),
        owner=section.text("owner"),
        runbook=section.text("runbook"),
        severity=section.choice("severity", SEVERITIES),
        label=section.text("label") or label_of(rule_id),
        where=section.where,
    )


_REQUIRED = {
    "out_of_order": ("first", "then"),
    "diverging": ("fact",),
    "sync_late": ("milestone", "system"),
    "duplicate": ("milestone",),
}


def _within(section: Section) -> int:
    if not section.has("within"):
        section.report("within", "within is missing", "write within: 15m")
    return section.duration("within", least=1) or 0

"""examples: given events and what the rules are expected to say about them as of a moment."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rules.document import Path
from rules.model import Example
from rules.section import Section
from rules.vocabulary import CLOSED_STATES, FINDING_KINDS, ID_FIELDS, OPEN_STATES

_AT_HINT = "write an instant with its offset, for example 2026-11-23T09:00:00Z"


def read_examples(book: Section) -> tuple[Example, ...]:
    """Return the examples of every stage and finding rule, then those of the whole book.

    Of a rule's own example only its findings are compared; expect is always {rule, findings, states}.
    """
    found = []
    for key in ("stages", "findings"):
        for path, value in book.items(key):
            if not isinstance(value, dict) or not isinstance(value.get("examples"), list):
                if isinstance(value, dict) and value.get("examples") is not None:
                    book.document.report((*path, "examples"), "examples is no list", "write one `- ` an example")
                continue
            rule = str(value.get("id", ""))
            for i, item in enumerate(value["examples"]):
                found.append(_example(Section(book.document, (*path, "examples", i), item, "example"), rule))
    found.extend(_example(section, None) for section in book.sections("examples", "example"))
    return tuple(found)


def _example(section: Section, rule: str | None) -> Example:
    name = section.text("name", required=True)
    as_of = _instant(section, "as_of")
    given = tuple(_given(section, path, value) for path, value in section.items("given"))
    if not given:
        section.report("given", "an example needs events", "write given: [{milestone: order_captured, at: ...}]")
    return Example(name, as_of, given, _expect(section, rule), section.where)


def _given(section: Section, path: Path, value: Any) -> dict[str, Any]:
    entry = Section(section.document, path, value, "given")
    entry.text("milestone", required=True)
    at = _instant(entry, "at")
    if not any(entry.has(key) for key in ID_FIELDS):
        entry.report(None, "the event names no object", "name one, for example order_id: SO-1")
    return {**entry.value, "at": at}


def _expect(section: Section, rule: str | None) -> dict[str, Any]:
    if not section.has("expect"):
        section.report("expect", "expect is missing", "write expect: [] when nothing should be found")
    if isinstance(section.raw("expect"), list):
        findings = [_expected(section, path, value, rule) for path, value in section.items("expect")]
        return {"rule": rule, "findings": findings, "states": {}}
    entry = section.section("expect", "expect")
    if entry is None:
        return {"rule": rule, "findings": [], "states": {}}
    findings = [_expected(entry, path, value, rule) for path, value in entry.items("findings")]
    states: dict[str, str] = {}
    for order_id, path, state in entry.named("states"):
        if state not in OPEN_STATES + CLOSED_STATES:
            entry.document.report(path, f"{state!r} is no state", f"known are {', '.join(OPEN_STATES + CLOSED_STATES)}")
        states[order_id] = str(state)
    return {"rule": rule, "findings": findings, "states": states}


def _expected(section: Section, path: Path, value: Any, rule: str | None) -> dict[str, str]:
    entry = Section(section.document, path, value, "expected")
    named = entry.text("rule", rule or "", required=rule is None)
    return {
        "rule": named,
        "kind": entry.choice("kind", FINDING_KINDS, required=True),
        "object": entry.text("object", required=True),
    }


def _instant(section: Section, key: str) -> str:
    text = section.text(key, required=True)
    try:
        aware = datetime.fromisoformat(text).utcoffset() is not None if text else True
    except ValueError:
        aware = False
    if not aware:
        section.report(key, f"{text!r} is no instant", _AT_HINT)
    return text

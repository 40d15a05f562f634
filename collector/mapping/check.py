"""The tests inside mapping files, run: each through decoding, matching, mapping and the door's own validation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from collector.canonical import canonical, split_type
from collector.decode import decode
from collector.mapping.context import Context
from collector.mapping.mapping_set import MappingSet, Outcome, System, structured
from collector.mapping.model import Example, Mapped, MappingFile
from collector.rejection import Rejection
from collector.senders import Sender

_SENDER = Sender(True, "", "", "", frozenset(), b'"connection":""')
_NEVER = datetime.max.replace(tzinfo=UTC)  # a test's message may be of any time


@dataclass(frozen=True, slots=True)
class Result:
    """One test: where it stands, its name, and what went wrong, '' when it holds."""

    where: str
    name: str
    problem: str


def check(mappings: MappingSet, only: str | None = None) -> Iterator[Result]:
    """Yield the result of each test of all sets, or of one. Raises MappingsError for a set that does not exist."""
    for system in [mappings.select(only)] if only else mappings.systems.values():
        for mapping in system.mappings:
            for example in mapping.examples:
                yield Result(example.where, f"{mapping.name}: {example.name}", problem(system, mapping, example))


def context_of(example: Example, system: str) -> Context:
    """Return the surroundings of a test's message."""
    given = example.connection
    kind = str(given.get("kind", "erp"))
    name = str(given.get("name", system))
    codes = given.get("codes") or {}
    return Context(
        connection=name,
        kind=kind,
        source=str(given.get("source", f"/{kind}/{name}")),
        received_at=example.received_at,
        zone=str(given.get("zone", "UTC")),
        currency=str(given.get("currency", "")),
        company=str(given.get("company", "")),
        codes={table: {str(k): str(v) for k, v in words.items()} for table, words in codes.items()},
        headers=example.headers,
        query=example.query,
    )


def problem(system: System, mapping: MappingFile, example: Example) -> str:
    """Return what is wrong with a test, '' when it holds."""
    outcomes = list(system.outcomes(example.body, context_of(example, system.name)))
    wrong = next((o for o in outcomes if o.mapping and o.mapping != mapping.label), None)
    if wrong is not None:
        return f"{wrong.mapping} matched instead"
    refused = next((o for o in outcomes if o.reason), None)
    if example.quarantine:
        if refused is None:
            told = next((told for o in outcomes for m in o.events if (told := invalid(m))), "")
            if told.startswith((f"{example.quarantine}: ", f"{example.quarantine} for ")):
                return ""
            return f"it ends in events, not in quarantine with {example.quarantine}"
        return "" if refused.reason == example.quarantine else f"{refused.reason} ({refused.detail})"
    if refused is not None:
        return f"{refused.reason}: {refused.detail}"
    if example.ignored:
        return "" if all(o.ignored for o in outcomes) else f"it gives {_said(outcomes)}"
    events = [mapped for outcome in outcomes for mapped in outcome.events]
    for mapped in events:
        if told := invalid(mapped):
            return told
    return difference(example.expect, events)


def invalid(mapped: Mapped) -> str:
    """Return why the events door would not take an event, '' if it does."""
    raw = structured(mapped)
    try:
        event = decode(raw)
        milestone, _ = split_type(event.type)
        line = canonical(event, raw, _SENDER, frozenset({milestone}), _NEVER)
    except Rejection as refused:
        return f"{refused.code}: {refused.detail}"
    return line.reason and f"{line.reason} for {mapped.event['type']}"


def difference(expected: Sequence[Mapping[str, Any]], events: Sequence[Mapped]) -> str:
    """Return how events differ from what is expected of each: fields of theirs, in any order; '' if they do not."""
    left = [facts(mapped) for mapped in events]
    for wanted in expected:
        plain = {field: _plain(value) for field, value in wanted.items()}
        found = next((fact for fact in left if plain.items() <= fact.items()), None)
        if found is None:
            near = [f for f in left if f["milestone"] == plain.get("milestone")] or left
            return f"expected {plain}, got {near or 'nothing'}"
        left.remove(found)
    return f"also gives {left}" if left else ""


def facts(mapped: Mapped) -> dict[str, Any]:
    """Return an event flat, as tests write it: milestone, polarity, time and the fields of its data, lists as text."""
    milestone, polarity = split_type(mapped.event["type"])
    found: dict[str, Any] = {"milestone": milestone, "polarity": polarity, "time": mapped.event["time"]}
    for field, value in mapped.event["data"].items():
        found[field] = _plain(value)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(map(_plain, value))
    if isinstance(value, dict):
        return " ".join(str(value[k]) for k in ("from", "relation", "to") if k in value) + (
            " retract" if value.get("retract") else ""
        )
    return value if value is None else str(value)


def _said(outcomes: Sequence[Outcome]) -> str:
    return ", ".join(m.event["type"] for o in outcomes for m in o.events) or "nothing"

"""process and milestones: what can happen to an order, whose word counts, and when it is over."""

from __future__ import annotations

from typing import Any

from rules.document import Path
from rules.model import Authority, Done, Milestone, Process
from rules.section import Section
from rules.vocabulary import OBJECT_TYPES


def read_process(book: Section, milestones: dict[str, Milestone]) -> Process:
    """Return the process; `done` entries without `per` are asked of the milestone's own objects."""
    section = book.section("process", "process")
    if section is None:
        book.report(None, "process is missing", "write process: {start: [order_captured], done: [payment_applied]}")
        return Process((), ())
    done = tuple(
        entry for path, value in section.items("done") if (entry := _done(section, path, value, milestones)) is not None
    )
    if not done and not section.items("done"):
        section.report("done", "done is missing", "name the milestones that finish an order")
    return Process(section.texts("start", required=True), done, section.texts("cancelled"))


def _done(section: Section, path: Path, value: Any, milestones: dict[str, Milestone]) -> Done | None:
    if isinstance(value, str):
        known = milestones.get(value)
        return Done(value, known.object if known else "order")
    entry = Section(section.document, path, value, "done")
    name = entry.text("milestone", required=True)
    known = milestones.get(name)
    per = entry.choice("per", OBJECT_TYPES, known.object if known else "order")
    return Done(name, per) if name else None


def read_milestones(book: Section) -> dict[str, Milestone]:
    """Return the milestones by name, in the order written."""
    found = {}
    for name, path, value in book.named("milestones"):
        section = Section(book.document, path, value, "milestone")
        found[name] = Milestone(
            name,
            section.choice("object", OBJECT_TYPES, "order", required=True),
            _authorities(section),
            section.texts("after"),
            section.text("means"),
        )
    return found


def _authorities(section: Section) -> tuple[Authority, ...]:
    value = section.raw("authority")
    if value is None:
        return ()
    if isinstance(value, str):
        return (Authority(value),)
    found = []
    for path, item in section.items("authority"):
        if isinstance(item, str):
            found.append(Authority(item))
            continue
        entry = Section(section.document, path, item, "authority")
        kind = entry.text("kind", required=True)
        found.append(Authority(kind, entry.when()))
    return tuple(found)

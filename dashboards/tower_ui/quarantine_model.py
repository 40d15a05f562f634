"""What the Quarantine page says: groups by reason, what each reason asks for, and what acts came to. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from dashboards.tower_ui import fmt


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason in words: what happened, what to do about it, and whether another try can help."""

    title: str
    todo: str
    helps: bool = True


REASONS: dict[str, Reason] = {
    "unknown_milestone": Reason(
        "The rulebook has no such milestone",
        "Add the milestone to the rulebook, or mend the sender's type; then replay.",
    ),
    "no_object": Reason(
        "It names no object",
        "The sender must name an order, a shipment or another object.",
        helps=False,
    ),
    "future_time": Reason(
        "Its time lies ahead",
        "Check the sender's clock and zone. Once its time has come, a replay takes it.",
    ),
    "conflict": Reason(
        "Another body has the same id",
        "One of the two counts, whatever came first. Ask the sender why one id says two things; then let it go.",
        helps=False,
    ),
    "undecodable": Reason(
        "It cannot be read",
        "Compare the place it names with the mapping's decode block; mend, look with a dry run, replay.",
    ),
    "unmapped_payload": Reason(
        "No mapping knows it",
        "Write a mapping for it, or one that ignores it, into the connection's set; look with a dry run, replay.",
    ),
    "mapping_failed": Reason(
        "Its mapping failed",
        "Mend the mapping at the place it names; look with a dry run, replay.",
    ),
    "contract": Reason(
        "It breaks its contract",
        "Accept the new version under the connection's contracts, or send it back to the sender.",
    ),
    "batch_control_total": Reason(
        "Its totals do not agree",
        "Ask for the whole file again: no part of it was taken.",
        helps=False,
    ),
    "unresolved": Reason(
        "It says too little",
        "It only points at something else. Let the sender tell the state itself, or tie it by hand.",
    ),
    "store_refused": Reason("The store refused it", "Read what the store says of it; mend, then replay."),
}

# What a tower says of one message after an act on many.
RESULTS: dict[str, str] = {
    "taken": "taken",
    "held": "still of no use",
    "gone": "settled before",
    "no_body": "without a body",
    "discarded": "let go",
}


def reason(code: str) -> Reason:
    """Return a reason in words; one that this page does not know is told by its code."""
    return REASONS.get(code) or Reason(fmt.words(code), "Read the detail, mend the cause, then replay.")


@dataclass(frozen=True, slots=True)
class GroupView:
    """Messages of one connection held for one reason."""

    code: str
    connection: str
    count: int
    first_at: datetime | None
    last_at: datetime | None
    readable: int
    mappings: tuple[str, ...]
    types: tuple[str, ...]
    sample_id: str
    detail: str


@dataclass(frozen=True, slots=True)
class HeldView:
    """One message in a list."""

    id: str
    code: str
    connection: str
    received_at: datetime | None
    what: str
    detail: str
    native: bool
    state: str
    note: str


def read_groups(body: Mapping[str, Any]) -> list[GroupView]:
    """Return the groups of an answer, the largest first."""
    return [
        GroupView(
            str(g.get("reason") or ""), str(g.get("connection") or ""), int(g.get("count") or 0),
            fmt.instant(g.get("first_at")), fmt.instant(g.get("last_at")), int(g.get("readable") or 0),
            tuple(map(str, g.get("mappings") or ())), tuple(map(str, g.get("types") or ())),
            str(g.get("sample_id") or ""), str(g.get("sample_detail") or ""),
        )
        for g in body.get("groups") or ()
        if isinstance(g, Mapping)
    ]  # fmt: skip


def read_held(body: Mapping[str, Any]) -> list[HeldView]:
    """Return the messages of an answer as it lists them."""
    return [read_one(row) for row in body.get("quarantine") or () if isinstance(row, Mapping)]


def read_one(row: Mapping[str, Any]) -> HeldView:
    """Return one message."""
    what = str(row.get("type") or "") or str(row.get("event_id") or "")
    return HeldView(
        str(row.get("id") or ""), str(row.get("reason") or ""), str(row.get("connection") or ""),
        fmt.instant(row.get("received_at")), what, str(row.get("detail") or ""), bool(row.get("raw_id")),
        str(row.get("state") or "open"), str(row.get("note") or ""),
    )  # fmt: skip


def total(groups: Sequence[GroupView]) -> int:
    """Return how many messages there are in all."""
    return sum(g.count for g in groups)


def pretty(text: str) -> tuple[str, str]:
    """Return a body as people read it, with the language to colour it in."""
    start = text.lstrip("\ufeff \r\n\t")[:1]
    if start in ("{", "["):
        try:
            return msgspec.json.format(text.lstrip("\ufeff"), indent=2), "json"  # numbers stay as they were written
        except (msgspec.MsgspecError, RecursionError):
            return text, "json"
    if start == "<":
        return text, "xml"
    if text.startswith(("ISA", "\ufeffISA")) and "~" in text and "\n" not in text.strip():
        return text.replace("~", "~\n"), "text"
    if text.startswith(("UNA", "UNB")) and "\n" not in text.strip():
        return text.replace("'", "'\n"), "text"
    return text, "text"


def came_to(items: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Return what acts on some messages came to, in one line, with its tone."""
    counts = Counter(str(i.get("result") or "") for i in items)
    said = ", ".join(f"{n:,} {RESULTS.get(result, result)}" for result, n in counts.most_common())
    good = counts["taken"] + counts["discarded"]
    return said or "Nothing was done", "good" if good == len(items) else "bad" if not good else "mixed"

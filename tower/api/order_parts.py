"""The sections of one order's page, from rows to JSON. Pure; the rows come from tower/api/order.py."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from rules.model import Book
from rules.odds import SEGMENT_ATTRIBUTES, Curves, segment_of
from rules.vocabulary import ALIASES
from tower.api.jeopardy_rows import Clock, Failing, jeopardy_of, told
from tower.api.order_rows import used_seconds
from tower.api.wire import instant, plain

Row = dict[str, Any]


def objects_of(order_id: str, links: list[Row]) -> list[Row]:
    """Return every object of the order once, the order first."""
    found: dict[tuple[str, str], None] = {("order", order_id): None}
    for link in (link for link in links if link["relation"] not in ALIASES):
        found[link["parent_type"], link["parent_id"]] = None
        found[link["child_type"], link["child_id"]] = None
    return [{"object_type": kind, "object_id": name} for kind, name in found]


def names_of(links: list[Row]) -> list[str]:
    """Return the further names of the order itself."""
    return [link["child_id"] for link in links if link["relation"] in ALIASES and link["child_type"] == "order"]


def milestones_of(facts: list[Row]) -> list[Row]:
    """Return each milestone reached on each object, by time.

    The authority's earliest report after its latest reversal makes it true; the others are echoes, each system's
    earliest, with sync_lag_s = the slowest echo minus the authority. Only echoes so far: provisional, in the words of
    the earliest. What was taken back does not appear.
    """
    told: dict[tuple[str, str, str, str], list[Row]] = {}
    for fact in facts:
        if fact["polarity"] in ("reached", "reversed"):
            for (object_type, object_id), authority in zip(fact["bases"], fact["authorities"], strict=True):
                told.setdefault((fact["milestone"], object_type, object_id, authority), []).append(fact)
    rows = [row for key, reports in told.items() if (row := _milestone(key, reports)) is not None]
    return sorted(rows, key=lambda r: (r["occurred_at"], r["milestone"], r["object_id"]))


def _milestone(key: tuple[str, str, str, str], reports: list[Row]) -> Row | None:
    authority = key[3]
    words = [r for r in reports if authority in ("", r["system"])]
    word_back = max((r["occurred_at"] for r in words if r["polarity"] == "reversed"), default=None)
    any_back = max((r["occurred_at"] for r in reports if r["polarity"] == "reversed"), default=None)
    said = [r for r in words if r["polarity"] == "reached" and (word_back is None or r["occurred_at"] > word_back)]
    heard: dict[str, Row] = {}
    for report in reports:
        standing = report["polarity"] == "reached" and (any_back is None or report["occurred_at"] > any_back)
        if standing and authority not in ("", report["system"]):
            heard.setdefault(report["system"], report)
    if not said and not heard:
        return None
    main = said[0] if said else min(heard.values(), key=lambda r: (r["occurred_at"], r["event_id"]))
    echoes = [
        {
            "system": system,
            "occurred_at": instant(echo["occurred_at"]),
            "received_at": instant(echo["received_at"]),
            "lag_s": _lag(echo, main) if said else None,
        }
        for system, echo in heard.items()
    ]
    return {
        "milestone": key[0],
        "object_type": key[1],
        "object_id": key[2],
        "occurred_at": instant(main["occurred_at"]),
        "received_at": instant(main["received_at"]),
        "system": main["system"],
        "authority": authority,
        "provisional": not said,
        "echoes": echoes,
        "sync_lag_s": max((_lag(e, main) for e in heard.values()), default=None) if said else None,
    }


def _lag(echo: Row, main: Row) -> int:
    return int((echo["occurred_at"] - main["occurred_at"]).total_seconds())


def events_of(facts: list[Row]) -> list[Row]:
    """Return every fact as it was heard, the latest first."""
    names = ("event_id", "milestone", "polarity", "object_type", "object_id", "occurred_at", "received_at", "system",
             "connection", "source", "error", "reason", "trace_id", "raw_id", "mapping")  # fmt: skip
    return [{name: plain(fact[name]) for name in names} for fact in reversed(facts)]


class Predicted(NamedTuple):
    """What the odds of an order's clocks are read from: its row, the curves in force, and since when it fails."""

    row: Row
    curves: Curves
    failing: Failing


def clocks_of(clocks: list[Row], book: Book, now: datetime, predicted: Predicted) -> list[Row]:
    """Return the clocks; used_s of one that runs or pauses is counted up to now, overdue_s likewise."""
    order, open_ = predicted.row, predicted.row["closed_at"] is None
    segment = segment_of([order[name] for name in SEGMENT_ATTRIBUTES])
    rows: list[Row] = []
    for clock in clocks:
        row = {name: plain(value) for name, value in clock.items() if name != "provisional"}
        row["provisional"] = bool(clock["provisional"])
        if clock["used_s"] is None:
            row["used_s"] = used_seconds(book, clock["calendar"], clock["started_at"], now, clock["pauses"])
        late = clock["state"] == "running" and clock["due_at"] is not None
        row["overdue_s"] = max(0, int((now - clock["due_at"]).total_seconds())) if late else 0
        seen = Clock(
            order["order_no"], clock["stage"], segment, clock["state"] if open_ else "", clock["verdict"],
            row["used_s"], clock["budget_s"], clock["due_at"], clock["calendar"], clock["to_milestone"],
        )  # fmt: skip
        found = jeopardy_of(seen, book, predicted.curves, predicted.failing, now)
        rows.append({**row, **told(found, seen, book)})
    return rows


def findings_of(findings: list[Row]) -> list[Row]:
    """Return the findings with their evidence as an object."""
    return [{**plain(finding), "evidence": msgspec.json.decode(finding["evidence"] or "{}")} for finding in findings]

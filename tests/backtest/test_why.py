"""Every verdict that is stored comes again from its evidence, and from SQL that can be run as it is."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

from rules.compile import compile_book
from rules.compile.script import statements
from tests.backtest.conftest import CONNECTIONS, Live, book
from tests.engine.world import NOW
from tower.engine.cycle import EVERYTHING_KNOWN
from tower.engine.feeds import feed_states, gating
from tower.engine.why import explain

_STORED = (
    "SELECT order_id, rule, kind, object_id, opened_at, resolved_at, evidence FROM breaches FINAL "
    "WHERE state != 'retracted' AND order_no != 0 ORDER BY ALL"
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


BOOK = book()


def open_seconds(calendar: str, start: datetime, end: datetime) -> float:
    found = BOOK.calendars.get(calendar)
    return found.working_seconds(start, end) if found else (end - start).total_seconds()


def test_every_finding_has_evidence_that_adds_up(live: Live) -> None:
    with live.store.reader() as client:
        stored = client.query(_STORED).result_rows
        known = {
            f"{ev:016X}".lower().lstrip("0") for (ev,) in client.query("SELECT DISTINCT ev FROM case_facts").result_rows
        }
    kinds: dict[str, int] = defaultdict(int)
    for _, rule, kind, _, opened_at, resolved_at, text in stored:
        evidence = json.loads(text)
        kinds[kind] += 1
        # A system whose silence is the finding has no event to show; another one has.
        told = {evidence[k].lstrip("0") for k in ("from_event", "to_event")} - {""}
        assert told and told <= known, (rule, kind)
        assert at(evidence["due_at"]) == opened_at
        stage = BOOK.stage(rule)
        if kind == "late" and stage is not None and evidence["budget_s"] is not None and not stage.budget.until:
            start, budget = at(evidence["started_at"]), evidence["budget_s"]
            if any(t.budget and t.budget.until for t in stage.tiers):
                continue  # a deadline that an attribute gives has no budget of its own
            stood = sum(
                open_seconds(evidence["calendar"], max(at(p["start"]), start), min(at(p["end"]) if p["end"] else opened_at, opened_at))
                for p in evidence["pauses"] if at(p["start"]) < opened_at
            )  # fmt: skip
            assert open_seconds(evidence["calendar"], start, opened_at) - stood == budget, (rule, evidence)
            assert resolved_at is None or evidence["used_s"] is None or evidence["used_s"] >= budget
    assert kinds.keys() >= {"late", "failing", "diverging", "out_of_order"}


def test_the_script_of_a_look_gives_every_finding_again(live: Live) -> None:
    """All orders in one script, statement by statement, as any client would run it."""
    moment = NOW + timedelta(milliseconds=1)
    with live.store.apart({}) as client:
        stored = client.query(_STORED).result_rows
        feeds = gating(feed_states(client, book(), CONNECTIONS, moment))
        marks: list[Any] = [(f.connection, f.kind, f.company, f.warehouse, f.partner, f.gate) for f in feeds]
        orders = sorted({row[0] for row in stored})
        *before, last = statements(compile_book(book(), CONNECTIONS.kinds), orders, marks, moment, EVERYTHING_KNOWN)
        for statement in before:
            client.command(statement)
        found = client.query(last)
    place = [found.column_names.index(n) for n in ("order_id", "rule", "kind", "object_id", "opened_at", "resolved_at")]
    key = lambda row: tuple(str(v) for v in row)  # noqa: E731 - instants beside nothing
    assert sorted((tuple(row[i] for i in place) for row in found.result_rows), key=key) == sorted(
        (tuple(r[:6]) for r in stored), key=key
    )


def test_one_look_explains_one_finding_of_each_kind(live: Live) -> None:
    """The orders with most kinds of findings first, all their rules at once; the first of them by its rule alone too."""
    with live.store.reader() as client:
        stored = client.query(f"SELECT order_id, rule, kind, object_id, evidence FROM ({_STORED})").result_rows
    kinds: dict[str, set[str]] = defaultdict(set)
    for order_id, _, kind, _, _ in stored:
        kinds[order_id].add(kind)
    looks, left = [], {kind for of_order in kinds.values() for kind in of_order}
    while left:
        most = max(sorted(kinds), key=lambda order_id: len(kinds[order_id] & left))
        looks.append((most, None))
        left -= kinds[most]
    first = looks[0][0]
    looks.append((first, next(rule for order_id, rule, *_ in stored if order_id == first)))
    for order_id, rule in looks:
        told = explain(
            live.store, book(), CONNECTIONS, order_id, rule, NOW + timedelta(milliseconds=1), EVERYTHING_KNOWN
        )
        assert {(f["rule"], f["kind"], f["object_id"]): f["evidence"] for f in told["findings"]} == {
            (r, kind, object_id): json.loads(text)
            for order, r, kind, object_id, text in stored
            if order == order_id and rule in (r, None)
        }
        keys = {f["evidence"][k] for f in told["findings"] for k in ("from_event", "to_event")} - {""}
        assert keys <= {e["key"] for e in told["events"]}
        assert f"order_id IN ('{order_id}')" in told["script"]
        assert {f["connection"] for f in told["feeds"]} == {"erp", "wms"}

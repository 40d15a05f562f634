"""Survival curves: the store's are the textbook's, on made-up histories with calendars, pauses, ends and actions."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from rules.odds import Curves, segment_of
from tests.engine.survival import dwell, kaplan_meier, share_at
from tests.engine.world import BOOK, NOW, histories, line
from tests.stores import Shelf
from tower.engine import workspace
from tower.engine.books import compiled_for, record_book
from tower.engine.curves import WINDOW, build, read_curves
from tower.engine.cycle import run_cycle
from tower.model.connections import Connections
from tower.store.client import Store

_LEAST = 8  # the histories are small
_CLOCKS = """
SELECT order_no, priority, order_type, warehouse, rule, object, state, started_at, stopped_at, budget_s, calendar, pauses
FROM (SELECT * FROM orders FINAL WHERE on_board)
ARRAY JOIN clocks.rule AS rule, clocks.object AS object, clocks.state AS state, clocks.started_at AS started_at,
    clocks.stopped_at AS stopped_at, clocks.budget_s AS budget_s, clocks.calendar AS calendar, clocks.pauses AS pauses,
    clocks.provisional AS provisional
WHERE NOT provisional
ORDER BY order_no, rule, object
"""
_FAILURES = """
SELECT order_no, rule, object, opened_at, resolved_at, closed_at, b.state AS state
FROM (SELECT * FROM breaches FINAL WHERE kind = 'failing') AS b
LEFT JOIN (SELECT order_no, closed_at FROM orders FINAL) AS o USING (order_no)
"""


@dataclass
class Judged:
    """A store with judged histories, its clocks, and the first action of some of them."""

    store: Store
    clocks: list[dict[str, Any]]
    failures: list[dict[str, Any]]
    treated: dict[tuple[int, int, str], datetime]
    curves: Curves


@pytest.fixture(scope="module")
def judged(shelf: Shelf) -> Iterator[Judged]:
    """Judge some hundred small cases, take action on a few of their clocks and fit the curves."""
    compiled = compiled_for(BOOK, None)
    with shelf.lend() as store, store.writer("engine") as client:
        record_book(client, compiled, NOW)
        workspace.prepare(client, compiled)
        said = histories(11, 260)
        client.raw_insert("events", insert_block=b"\n".join(line(s, NOW) for s in said), fmt="JSONEachRow")
        run_cycle(client, compiled, Connections(), NOW, "test", everything=False)
        clocks = list(client.query(_CLOCKS).named_results())
        treated = _treat(client, clocks)
        build(client, BOOK, NOW, least=_LEAST)
        failures = list(client.query(_FAILURES).named_results())
        yield Judged(store, clocks, failures, treated, read_curves(client, NOW))


def _treat(client: Any, clocks: list[dict[str, Any]]) -> dict[tuple[int, int, str], datetime]:
    """Send an action for one clock in twelve, at whole seconds after it started."""
    rng = random.Random(5)
    treated = {
        (c["order_no"], c["object"], c["rule"]): c["started_at"] + timedelta(minutes=rng.randrange(1, 2000))
        for c in clocks
        if rng.random() < 1 / 12
    }
    rows = [[f"a{i}", f"i{i}", *key, at, 1] for i, (key, at) in enumerate(treated.items())]
    names = ["action_id", "item_id", "order_no", "object", "stage", "sent_at", "revision"]
    client.insert("action_items", rows, column_names=names)
    return {key: at for key, at in treated.items() if at <= NOW}


def _expected(judged: Judged, now: datetime = NOW) -> dict[tuple[str, str], list[tuple[int, bool]]]:
    """Return (how long, stopped) of the clocks of each stage and segment, by (rule, segment)."""
    groups: dict[tuple[str, str], list[tuple[int, bool]]] = defaultdict(list)
    for clock in judged.clocks:
        if now - WINDOW <= clock["started_at"] <= now:
            key = (clock["order_no"], clock["object"], clock["rule"])
            seen = dwell(clock, BOOK.calendars, judged.treated.get(key), now)
            for segment in ("", segment_of([clock["priority"], clock["order_type"], clock["warehouse"]])):
                groups[clock["rule"], segment].append(seen)
    return groups


def test_every_curve_is_the_textbooks(judged: Judged) -> None:
    """Every stage and every segment with enough cases; the share at each time, and how many still ran."""
    expected = {
        key: dwells
        for key, dwells in _expected(judged).items()
        if not key[1] or sum(ended for _, ended in dwells) >= _LEAST
    }
    found = {key: c for key, c in judged.curves.by_key.items() if not key[0].endswith(".failed")}
    assert set(found) == set(expected)
    assert sum(bool(segment) for _, segment in found) > 2
    for key, curve in found.items():
        points = kaplan_meier(expected[key])
        assert (curve.cases, curve.ended) == (len(expected[key]), sum(e for _, e in expected[key]))
        assert curve.ends_ms == points[-1][0]
        watched = {at: running for at, _, running in points}
        for at, alive, running in zip(curve.at_ms, curve.alive, curve.watched, strict=True):
            assert alive == pytest.approx(share_at(points, at), abs=1e-9)
            assert running == watched[at]
        assert len(curve.at_ms) > 200 or all(
            curve.outlasts(at) == pytest.approx(share, abs=1e-9) for at, share, _ in points
        )


def test_the_histories_hold_every_kind_of_clock(judged: Judged) -> None:
    """Else the comparison would prove little: stopped, ended, running and paused ones, on calendars, with actions."""
    assert {c["state"] for c in judged.clocks} == {"stopped", "ended", "running", "paused"}
    assert {c["calendar"] for c in judged.clocks} == {"", "office", "night"}
    assert len(judged.treated) > 20


def test_a_failure_counts_until_it_heals_and_is_cut_off_by_the_end_of_its_order(judged: Judged) -> None:
    groups: dict[str, list[tuple[int, bool]]] = defaultdict(list)
    first: dict[tuple[int, int], datetime] = {}
    for (order_no, thing, _), at in judged.treated.items():
        first[order_no, thing] = min(at, first.get((order_no, thing), at))
    for f in judged.failures:
        if f["state"] == "retracted":
            continue
        until = min(f["resolved_at"] or NOW, NOW)
        healed = f["state"] == "resolved" and f["closed_at"] != f["resolved_at"]
        treated_at = first.get((f["order_no"], f["object"]))
        if treated_at is not None and treated_at < until:
            until, healed = treated_at, False
        groups[f["rule"]].append((max(0, int((until - f["opened_at"]).total_seconds() * 1000)), healed))
    found = {rule: c for (rule, _), c in judged.curves.by_key.items() if rule.endswith(".failed")}
    assert set(found) == set(groups)
    for rule, dwells in groups.items():
        assert (found[rule].cases, found[rule].ended) == (len(dwells), sum(e for _, e in dwells))
        points = kaplan_meier(dwells)
        assert all(found[rule].outlasts(t) == pytest.approx(s, abs=1e-9) for t, s, _ in points)


def test_a_look_back_uses_the_curves_of_then(judged: Judged) -> None:
    """What is fitted later changes no odds of before; before the first there are none."""
    later = NOW + timedelta(hours=1)
    with judged.store.writer("engine") as client:
        build(client, BOOK, later, least=_LEAST)
        build(client, BOOK, later, least=_LEAST)  # once more changes nothing
        assert read_curves(client, later).built_at == later
        assert read_curves(client, later - timedelta(milliseconds=1)) == judged.curves
        assert read_curves(client, NOW - timedelta(milliseconds=1)) == Curves(None, {})
        assert client.query("SELECT count() FROM curves FINAL").result_rows[0][0] == 2 * len(judged.curves.by_key)

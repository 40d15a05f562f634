"""The compiled SQL agrees with a plain reading of the rules, however the events arrive."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from rules.compile import compile_book
from tests.amount import SEEDS
from tests.engine.oracle import Oracle, Said
from tests.engine.world import BOOK, MOMENTS, histories, line
from tower.engine import workspace
from tower.engine.books import record_calendars
from tower.engine.cycle import run_cycle
from tower.model.connections import Connections
from tower.store.client import Store

COMPILED = compile_book(BOOK)
CASES = int(os.environ.get("O2C_HISTORIES", "120"))


def run(store: Store, batches: list[list[Said]], end: datetime) -> dict[str, Any]:
    """Feed the batches with a tick after each, the last one at the end, and return every answer."""
    with store.writer() as client:
        record_calendars(client, BOOK)
        workspace.prepare(client, COMPILED)
        for number, batch in enumerate(batches, 1):
            if batch:
                body = b"\n".join(line(said, end) for said in batch)
                client.raw_insert("events", insert_block=body, fmt="JSONEachRow")
            now = end - timedelta(hours=3 * (len(batches) - number))
            run_cycle(client, COMPILED, Connections(), now, "test", everything=False)
        rows = client.query(
            "SELECT order_id, state, stage, object_id, priority, value_at_risk, closed_at, clocks.rule, clocks.object_id, "
            "clocks.started_at, clocks.stopped_at, clocks.due_at, clocks.state, clocks.verdict, clocks.used_s "
            "FROM orders FINAL WHERE on_board"
        ).result_rows
        breaches = client.query(
            "SELECT order_id, rule, kind, object_id, opened_at, resolved_at, state FROM breaches FINAL WHERE state != 'retracted'"
        ).result_rows
    found: dict[str, Any] = {}
    for row in rows:
        clocks = {(r, o): rest for r, o, *rest in zip(*row[7:15], strict=True)}
        found[row[0]] = (*row[1:7], {k: tuple(v) for k, v in clocks.items()}, {})
    for order_id, rule, kind, object_id, opened, resolved, state in breaches:
        assert (state == "open") == (resolved is None)
        found[order_id][7][rule, kind, object_id] = (opened, resolved)
    return found


def expected(events: list[Said], end: datetime) -> dict[str, Any]:
    """Return what the oracle says, in the shape of `run`."""
    oracle = Oracle(BOOK, events, end)
    found: dict[str, Any] = {}
    for order in oracle.orders():
        v = oracle.judge(order)
        if v is not None:
            value = None if v.value_at_risk is None else Decimal(v.value_at_risk).quantize(Decimal("0.000001"))
            found[order[1]] = (v.state, v.stage, v.object_id, v.priority, value, v.closed_at, v.clocks, v.findings)
    return found


def differences(left: dict[str, Any], right: dict[str, Any]) -> list[str]:
    """Return the first few places where two sets of answers differ."""
    wrong = [f"{k}: only on one side" for k in left.keys() ^ right.keys()]
    names = ("state", "stage", "object", "priority", "value", "closed", "clocks", "findings")
    for key in sorted(left.keys() & right.keys()):
        for name, a, b in zip(names, left[key], right[key], strict=True):
            if a == b:
                continue
            if isinstance(a, dict):
                wrong += [
                    f"{key} {name} {k}: {a.get(k)} / {b.get(k)}"
                    for k in sorted(a.keys() | b.keys())
                    if a.get(k) != b.get(k)
                ]
            else:
                wrong.append(f"{key} {name}: {a} / {b}")
    return wrong[:8]


@settings(
    max_examples=SEEDS, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(seed=st.integers(0, 2**32), cuts=st.lists(st.floats(0, 1), max_size=2))
@example(seed=1, cuts=[0.5])  # a payment heard in the same batch as the link that ties its old invoice to an order
def test_sql_agrees_with_the_oracle_in_any_order_of_arrival(
    make_store: Callable[[], Store], seed: int, cuts: list[float]
) -> None:
    """Any permutation, duplication and re-batching gives the oracle's states, clocks, findings and links."""
    end = MOMENTS[seed % len(MOMENTS)]
    events = histories(seed, CASES, end)
    rng = random.Random(seed + 1)
    arriving = [*events, *rng.sample(events, k=len(events) // 5)]
    rng.shuffle(arriving)
    edges = [0, *sorted(int(c * len(arriving)) for c in cuts), len(arriving)]
    batches = [arriving[a:b] for a, b in pairwise(edges)]
    assert differences(run(make_store(), batches, end), expected(events, end)) == []

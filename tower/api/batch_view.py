"""One action as a batch: its waves, counters that add up, what was said about it, and what has arrived since."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec

from rules.vocabulary import ACTION_ITEM_STATES
from tower.actions.batch import UNSENT
from tower.actions.batches import broken_targets, read_batches, read_counts
from tower.api.context import ApiContext
from tower.api.order_query import MAX_LIMIT, OrderFilter
from tower.api.wire import instant
from tower.model.scope import Scope
from tower.store.sql import load

_SHOWN = 20


def progress_of(counts: Mapping[str, int]) -> dict[str, int]:
    """Return total and each part of it: what waits to be sent, then by state. The parts add up to the total."""
    states = [s for s in ACTION_ITEM_STATES if s not in UNSENT]
    waiting = sum(counts.get(s, 0) for s in UNSENT)
    return {"total": sum(counts.values()), "waiting": waiting, **{s: counts.get(s, 0) for s in states}}


def batch_of(context: ApiContext, action_id: str, scope: Scope | None) -> dict[str, Any]:
    """Return the part of an action's page that tells of its batch; empty for one from before there were batches."""
    with context.store.reader() as client:
        found = read_batches(client, [action_id]).get(action_id)
        if found is None:
            return {}
        counts = read_counts(client, [action_id]).get(action_id, {})
    frozen, steps = found
    return {
        "least_verified": frozen.least_verified if frozen.ramped else None,
        "waves": [{"wave": n + 1, **progress_of(counts.get(n, {}))} for n in range(len(frozen.waves))],
        "steps": [
            {"step": s.step, "by": s.actor, "reason": s.reason, "wave": s.wave + 1, "at": instant(s.at)} for s in steps
        ],
        "filter": msgspec.json.decode(frozen.filter) if frozen.filter else None,
        "arrived_since": _arrived(context, frozen.filter, frozenset(frozen.orders), scope) if frozen.filter else None,
    }


def select_orders(context: ApiContext, wanted: OrderFilter, scope: Scope | None) -> list[tuple[str, str]]:
    """Return (order_id, version) of what a filter selects at this moment, one more than a batch may hold at most."""
    clauses, values = wanted.clauses()
    if scope is not None:
        kept, limits = scope.clauses()
        clauses, values = clauses + kept, values | limits
    text = load("action_select").replace("$where", "\n    AND ".join(clauses))
    with context.store.reader() as client:
        rows = client.query(text, parameters={**values, "limit": MAX_LIMIT + 1}).result_rows
    return [(str(order_id), str(version)) for order_id, version in rows]


def targets_told(context: ApiContext, names: list[str], scope: Scope | None) -> list[dict[str, Any]]:
    """Return how each target of a batch is: its breaker, items of the last hour that ended well and badly, under way.

    For a caller with a scope the names alone: the counts would tell of orders that do not exist for it.
    """
    if scope is not None:
        return [{"target": name} for name in names]
    with context.store.reader() as client:
        values = {"targets": names, "since": context.clock() - timedelta(hours=1)}
        found = client.query(load("batch_targets"), parameters=values)
        broken = broken_targets(client)
    told = {row[0]: dict(zip(found.column_names, row, strict=True)) for row in found.result_rows}
    none = {"verified": 0, "unwell": 0, "under_way": 0}
    return [{"target": name, "breaker_open": name in broken, **none, **told.get(name, {})} for name in names]


def _arrived(context: ApiContext, text: str, frozen: frozenset[str], scope: Scope | None) -> dict[str, Any]:
    """Return the orders that the filter selects now and did not select at the click; they are not acted upon."""
    wanted = OrderFilter.model_validate_json(text)
    new = [order_id for order_id, _ in select_orders(context, wanted, scope) if order_id not in frozen]
    return {"orders": len(new), "first": new[:_SHOWN]}

"""Made-up histories of stuck orders with a planted effect of acting on them, through the real tables.

How long something stays stuck by itself depends on its value; so does whether somebody acts on it: who compares all acts
with all the rest is misled. After an act the rate at which things move is `boost` times what it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from tower.store.client import Store

START = datetime(2026, 10, 5, tzinfo=UTC)  # a Monday
WEEKS = 6
HORIZON_S = 24 * 3600.0
AMOUNTS = np.array([500.0, 5_000.0, 50_000.0])
MEAN_S = np.array([4.0, 9.0, 20.0]) * 3600
ACTED_ON = np.array([0.25, 0.45, 0.65])
ACT_AFTER_S = 2.5 * 3600


@dataclass(frozen=True)
class Made:
    """One stage's history. truth: seconds an act wins within the horizon, on average over the acts that were made."""

    stage: str
    rows: list[dict[str, Any]]
    truth: float


def history(stage: str, seed: int, spells: int, boost: float = 1.0, selfheal: float = 1.0) -> Made:
    """Return so many spells of a stage. selfheal multiplies how fast things move by themselves."""
    rng = np.random.default_rng(seed)
    band = rng.integers(0, 3, spells)
    mean = MEAN_S[band] / selfheal
    opened = rng.uniform(0, WEEKS * 7 * 86400, spells)
    alone = rng.exponential(mean)
    after = rng.exponential(ACT_AFTER_S, spells)
    acted = (rng.random(spells) < ACTED_ON[band]) & (after < alone)
    # An exponential wait has no memory: what is left of it at the act is as long as a whole one.
    ends = np.where(acted, after + rng.exponential(mean / boost), alone)
    rows = [
        {
            "order": f"{stage}-{i}", "stage": stage, "amount": float(AMOUNTS[band[i]] * (1 + i % 7 / 10)),
            "system": ("erp", "wms")[i % 2], "opened": START + timedelta(seconds=float(opened[i])),
            "end": START + timedelta(seconds=float(opened[i] + ends[i])),
            "acted": START + timedelta(seconds=float(opened[i] + after[i])) if acted[i] else None,
        }
        for i in range(spells)
    ]  # fmt: skip
    waits = [_limited(m) - _limited(m / boost) for m in mean[acted]]
    return Made(stage, rows, float(np.mean(waits)) if waits else 0.0)


def _limited(mean_s: float) -> float:
    """Return the mean of an exponential wait that is cut off at the horizon."""
    return mean_s * (1 - np.exp(-HORIZON_S / mean_s))


def write(store: Store, histories: list[Made], first: int = 1) -> None:
    """Put histories into orders, breaches and action_items, as the engine would."""
    rows = [row for made in histories for row in made.rows]
    orders, breaches, items = [], [], []
    for number, row in enumerate(rows, first):
        opened, end = row["opened"], row["end"]
        orders.append(
            [number, row["order"], 1, "done", end, opened, row["amount"], "EUR", [row["stage"]], [number], [opened],
             [end], ["stopped"], [row["system"]], end]
        )  # fmt: skip
        breaches.append([number, row["order"], row["stage"], "late", number, "resolved", opened, opened, end, end])
        if row["acted"] is not None:
            state = "verified" if (end - row["acted"]).total_seconds() < HORIZON_S else "no_effect"
            items.append(
                [f"a{number}", f"i{number}", "retry", number, row["order"], number, row["stage"], state, "ana",
                 row["acted"], row["acted"], min(end, row["acted"] + timedelta(seconds=HORIZON_S)), 1]
            )  # fmt: skip
    with store.writer() as client:
        client.insert("orders", orders, column_names=[
            "order_no", "order_id", "on_board", "state", "closed_at", "started_at", "reporting_amount", "currency",
            "clocks.rule", "clocks.object", "clocks.started_at", "clocks.stopped_at", "clocks.state", "clocks.system",
            "judged_at"])  # fmt: skip
        client.insert("breaches", breaches, column_names=[
            "order_no", "order_id", "rule", "kind", "object", "state", "opened_at", "detected_at", "resolved_at",
            "updated_at"])  # fmt: skip
        client.insert("action_items", items, column_names=[
            "action_id", "item_id", "kind", "order_no", "order_id", "object", "stage", "state", "requested_by",
            "requested_at", "noted_at", "finished_at", "revision"])  # fmt: skip

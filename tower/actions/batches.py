"""Batches in the store: frozen at the click, moved by steps, and asked by the engine before it sends anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from clickhouse_connect.driver.client import Client

from rules.vocabulary import STUCK_STATES
from tower.actions.batch import UNSENT, Frozen, Step, Turn, forgiven, state_of, turn_of
from tower.actions.item import ENGINE, Item
from tower.store.audit import Audit, Entry
from tower.store.client import Store
from tower.store.sql import load


def freeze(client: Client, frozen: Frozen, ranked: Sequence[str], now: datetime) -> None:
    """Store a batch and which wave each of its items goes with; ranked: item ids, the first one first."""
    waves = [wave for wave, size in enumerate(frozen.waves) for _ in range(size)]
    rows = [[frozen.action_id, i, n, waves[n], now] for n, i in enumerate(ranked)]
    if rows:
        client.insert("batch_items", rows, column_names=["action_id", "item_id", "rank", "wave", "frozen_at"])
    head = [frozen.action_id, frozen.safety, frozen.least_verified, list(frozen.waves), frozen.filter,
            list(frozen.orders), now]  # fmt: skip
    names = ["action_id", "safety", "least_verified", "waves", "filter", "orders", "frozen_at"]
    client.insert("batches", [head], column_names=names)


def read_batches(client: Client, action_ids: Sequence[str]) -> dict[str, tuple[Frozen, list[Step]]]:
    """Return what was frozen and what was said since, by action. An action from before there were batches has none."""
    ids = {"action_ids": list(action_ids)}
    steps: dict[str, list[Step]] = {}
    for action_id, *values in client.query(load("batch_steps"), parameters=ids).result_rows:
        steps.setdefault(action_id, []).append(Step(*values))
    heads = client.query(load("batch_heads"), parameters=ids).result_rows
    frozen = (Frozen(r[0], r[1], r[2], tuple(r[3]), r[4], tuple(r[5])) for r in heads)
    return {f.action_id: (f, steps.get(f.action_id, [])) for f in frozen}


def read_counts(client: Client, action_ids: Sequence[str]) -> dict[str, dict[int, dict[str, int]]]:
    """Return how many items of each wave are in each state, by action."""
    counts: dict[str, dict[int, dict[str, int]]] = {}
    rows = client.query(load("batch_counts"), parameters={"action_ids": list(action_ids)}).result_rows
    for action_id, wave, state, count in rows:
        counts.setdefault(action_id, {}).setdefault(wave, {})[state] = count
    return counts


def add_step(client: Client, action_id: str, earlier: Sequence[Step], step: Step) -> None:
    """Store what was said."""
    row = [action_id, len(earlier) + 1, step.step, step.actor, step.reason, step.wave, step.at]
    client.insert("batch_steps", [row], column_names=["action_id", "seq", "step", "actor", "reason", "wave", "at"])


def step_entry(action_id: str, number: int, step: Step) -> Entry:
    """Return the audit entry of a step; number: which one of its batch it is."""
    return Entry(step.actor, step.step, f"{action_id}/step/{number}", step.reason, {"wave": step.wave + 1})


class Batches:
    """What the engine asks: whose turn is it? Nothing is remembered here; a restart reads the same tables."""

    def __init__(self, store: Store, audit: Audit) -> None:
        self._store = store
        self._audit = audit

    def ready(self, live: list[Item], now: datetime) -> tuple[list[Item], list[Item]]:
        """Return the items without those that have to wait for their turn, and those that nobody needs any more.

        A batch whose share is not reached, or whose target's breaker is open, is stopped here, audited first.
        An approved item goes like one that needed no approval. What has waited goes only if it is still stuck.
        """
        waiting = [i for i in live if i.state in UNSENT]
        if not waiting:
            return live, []
        with self._store.reader() as client:
            ids = sorted({i.action_id for i in waiting})
            batches, counts = read_batches(client, ids), read_counts(client, ids)
            rows = client.query(load("batch_waiting"), parameters={"action_ids": ids}).result_rows
            placed = {str(item_id): int(wave) for item_id, wave in rows}
            broken = broken_targets(client)
        turns: dict[str, int] = {}
        for action_id, (frozen, steps) in batches.items():
            state = state_of(frozen.safety, steps)
            turn = turn_of(frozen, counts.get(action_id, {}), forgiven(steps))
            if state == "running" and frozen.ramped:
                targets = {i.target for i in waiting if i.action_id == action_id}
                hit = sorted(targets & broken.keys())
                turn = Turn(turn.wave, broken[hit[0]]) if hit else turn
                if turn.stop:
                    self._stop(action_id, steps, turn, now)
                    state = "stopped"
            turns[action_id] = turn.wave if state == "running" else -1
        held = {i.item_id for i in waiting if i.action_id in turns and placed.get(i.item_id, 0) > turns[i.action_id]}
        going = [i for i in waiting if i.item_id not in held]
        waited = {a for a, (frozen, steps) in batches.items() if frozen.ramped or steps}
        gone = self._gone([i for i in going if i.action_id in waited])
        out = held | {i.item_id for i in gone}
        passed = [replace(i, state="requested") if i.state == "approved" else i for i in live if i.item_id not in out]
        return passed, gone

    def _stop(self, action_id: str, steps: list[Step], turn: Turn, now: datetime) -> None:
        step = Step("stop", ENGINE, turn.stop, turn.wave, now)
        self._audit.append([step_entry(action_id, len(steps) + 1, step)], now)
        with self._store.writer() as client:
            add_step(client, action_id, steps, step)

    def _gone(self, items: list[Item]) -> list[Item]:
        """Return those whose order has moved on while they waited, with that as their detail."""
        if not items:
            return []
        parameters = {"order_nos": sorted({i.order_no for i in items}), "stuck": list(STUCK_STATES)}
        with self._store.reader() as client:
            stuck = set(client.query(load("batch_still_stuck"), parameters=parameters).result_rows)
        said = "the order is no longer stuck there, or somebody holds it; nothing was sent"
        sent = [i for i in items if not i.by_hand]
        return [replace(i, detail=said) for i in sent if (i.order_no, i.stage, i.object) not in stuck]


def broken_targets(client: Client) -> dict[str, str]:
    """Return the targets whose breaker is open, each with a sentence that says so and why."""
    rows = client.query(load("batch_broken")).result_rows
    return {name: f"the breaker of target {name} is open: {said}" for name, said in rows}

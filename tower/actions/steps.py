"""What people may say about a batch after the click: approve, pause, resume, cancel. A refusal says why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from clickhouse_connect.driver.client import Client

from tower.actions.batch import Frozen, Step, forgiven, state_of, turn_of
from tower.actions.batches import add_step, read_batches, read_counts, step_entry
from tower.actions.item import COLUMNS, Item, read_items, write_items
from tower.model.problem import Problem
from tower.store.audit import Entry
from tower.store.client import Store
from tower.store.sql import load

STEPS = ("approve", "pause", "resume", "cancel")
_FROM = {"approve": ("requested",), "pause": ("running",), "resume": ("paused", "stopped"),
         "cancel": ("requested", "running", "paused", "stopped")}  # fmt: skip
_IS = {"requested": "waits for an approval", "running": "is running", "paused": "is paused", "stopped": "has stopped",
       "cancelled": "is cancelled", "done": "is done: nothing is left to be sent"}  # fmt: skip
Record = Callable[[Sequence[Entry]], None]


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody says about an action."""

    step: str
    actor: str
    reason: str
    at: datetime


def take_step(store: Store, record: Record, action_id: str, requested_by: str, said: Said) -> int:
    """Take the step, audited first, and return how many unsent items it is about. Raises Problem when it cannot be.

    What is on the wire runs to its end in any case.
    """
    with store.reader() as client:
        frozen, steps, unsent = _read(client, action_id)
    _check(frozen, steps, unsent, requested_by, said)
    if not unsent:
        return 0
    with store.reader() as client:
        turn = turn_of(frozen, read_counts(client, [action_id]).get(action_id, {}), forgiven(steps))
    step = Step(said.step, said.actor, said.reason, turn.wave, said.at)
    record([step_entry(action_id, len(steps) + 1, step)])
    with store.writer() as client:
        frozen, now_steps, unsent = _read(client, action_id)
        if len(now_steps) != len(steps):
            last = now_steps[-1]
            raise Problem(409, "moved_on", f"meanwhile {last.actor} said {last.step}; look again")
        add_step(client, action_id, steps, step)
        _move(client, unsent, said)
    return len(unsent)


def _read(client: Client, action_id: str) -> tuple[Frozen, list[Step], list[Item]]:
    frozen, steps = read_batches(client, [action_id]).get(action_id, (Frozen(action_id, "R1", 0.0, ()), []))
    text = load("action_unsent").replace("$columns", ", ".join(COLUMNS))
    found = client.query(text, parameters={"action_id": action_id})
    return frozen, steps, read_items(found.result_rows, found.column_names)


def _check(frozen: Frozen, steps: list[Step], unsent: list[Item], requested_by: str, said: Said) -> None:
    state = state_of(frozen.safety, steps)
    if not unsent and state != "cancelled":
        state = "done"
    if said.step == "cancel" and state in ("cancelled", "done"):
        return  # what is wanted is so
    if state not in _FROM[said.step]:
        last = f" (by {steps[-1].actor}: {steps[-1].reason or steps[-1].step})" if steps and state != "done" else ""
        raise Problem(409, "no_such_step", f"the action {_IS[state]}{last}, so there is nothing to {said.step}")
    if said.step == "approve" and said.actor == requested_by:
        raise Problem(403, "second_person", "you asked for this yourself; somebody else has to approve it")
    if said.step == "resume" and state == "stopped" and not said.reason.strip():
        why = steps[-1].reason
        raise Problem(400, "reason_missing", f"it stopped because of {why}; say in `reason` why it may go on")


def _move(client: Client, unsent: list[Item], said: Said) -> None:
    """Write what the step makes of the items.

    The engine's claims count revisions by two, so an item that it sends at the same moment stays sent.
    """
    if said.step == "approve":
        write_items(client, [
            replace(i, revision=i.revision + 1, state="approved", detail=f"approved by {said.actor}",
                    updated_at=said.at) for i in unsent
        ])  # fmt: skip
    elif said.step == "cancel":
        why = f": {said.reason}" if said.reason else ""
        write_items(client, [
            replace(i, revision=i.revision + 1, state="cancelled", detail=f"cancelled by {said.actor}{why}",
                    updated_at=said.at) for i in unsent
        ])  # fmt: skip

"""What people ask the fake tower to do about orders: retries and cancels with their answers, and words by hand."""

from __future__ import annotations

import hashlib
from typing import Any

from tests.dashboards.fake_rows import Rows
from tests.dashboards.fake_words import STUCK, iso, now


def act(tower: Rows, actor: str, key: str, body: dict[str, Any], *, dry_run: bool) -> dict[str, Any]:
    """Take one request for an action, once per key, and answer for each order."""
    with tower.lock:
        if not dry_run and (actor, key) in tower.replies:
            return tower.replies[actor, key]
        if not dry_run:
            tower.requests.append({"actor": actor, "key": key, **body})
        if body["kind"] not in ("retry", "cancel"):
            return say(tower, actor, key, body)
        answers, items = [], []
        for wish in body["orders"]:
            if wish["order_id"] in tower.moving:
                tower.touch(wish["order_id"])
            row = tower.rows.get(wish["order_id"])
            result = (
                "gone"
                if row is None or row["state"] not in STUCK
                else "stale"
                if wish.get("version") not in (None, row["version"])
                else "running"
                if tower.in_flight(wish["order_id"])
                else "accepted"
                if row["retryable"]
                else "not_retryable"
            )
            answers.append(
                {
                    "order_id": wish["order_id"],
                    "result": result,
                    "stage": row["stage"] if row else "",
                    "detail": "",
                    "objects": [{"request": {"method": "POST", "url": "http://erp.example/cancel"}}]
                    if dry_run and body["kind"] == "cancel"
                    else [],
                }
            )
            if result == "accepted" and row is not None:
                items.append(
                    {
                        "order_id": wish["order_id"],
                        "object_id": row["object_id"],
                        "stage": row["stage"],
                        "state": "requested",
                        "attempts": 1,
                        "detail": "",
                        "requested_by": actor,
                        "requested_at": iso(now()),
                        "finished_at": None,
                        "error": row["error"],
                        "_at": now(),
                    }
                )
                if not dry_run:
                    row["retries"] += 1
        if dry_run:
            return {"dry_run": True, "items": answers}
        action_id = hashlib.sha256(f"{actor}{key}".encode()).hexdigest()[:32]
        tower.actions.insert(
            0,
            {
                "action_id": action_id,
                "kind": body["kind"],
                "stage": body.get("stage", ""),
                "requested_by": actor,
                "requested_at": iso(now()),
                "reason": "",
                "items": items,
            },
        )
        tower.replies[actor, key] = {"action_id": action_id, "items": answers}
        return tower.replies[actor, key]


def say(tower: Rows, actor: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
    """Take down what was said by hand; of a held order only a release counts."""
    undo = body["kind"] in ("release", "unassign", "deescalate", "reopen")
    column = {"hold": "held_by", "release": "held_by", "assign": "assignee", "unassign": "assignee"}
    what = {"hold": "held", "release": "held", "assign": "assigned", "note": "noted"}.get(body["kind"], "x")
    answers = []
    for wish in body["orders"]:
        row = tower.rows[wish["order_id"]]
        if name := column.get(body["kind"]):
            tower.touch(row["order_id"], **{name: "" if undo else body.get("assignee") or actor})
        row.setdefault("_said", []).insert(0, {
            "what": what, "undo": undo, "by": actor, "assignee": body.get("assignee", ""), "said": body.get("reason", ""),
            "at": iso(now()), "received_at": iso(now()),
        })  # fmt: skip
        answers.append({"order_id": row["order_id"], "result": "accepted", "stage": "", "detail": "", "objects": []})
    tower.replies[actor, key] = {"action_id": key, "items": answers}
    return tower.replies[actor, key]

"""The fake tower's batches and audit: some actions in every state, steps that change them, a chain of a few rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

ZERO = dict.fromkeys(
    ("waiting", "sent", "accepted", "verified", "no_effect", "duplicated", "regressed", "failed", "expired", "cancelled"), 0
)  # fmt: skip


def counted(**counts: int) -> dict[str, int]:
    """Return counters as the API has them."""
    return {"total": sum(counts.values()), **ZERO, **counts}


def _batch(action_id: str, state: str, waves: list[dict[str, int]], at: datetime, **more: Any) -> dict[str, Any]:
    total: dict[str, int] = counted()
    for wave in waves:
        total = {name: total[name] + wave[name] for name in total}
    steps = more.pop("steps", [])
    last = steps[-1] if steps else {}
    return {
        "action_id": action_id, "kind": "retry", "stage": "ship-to-invoice", "requested_by": "ana", "safety": "R1",
        "requested_at": at.isoformat(), "state": state, "state_by": last.get("by", ""),
        "state_reason": last.get("reason", ""), "progress": total, "least_verified": 0.8, "steps": steps,
        "waves": [{"wave": n + 1, **w} for n, w in enumerate(waves)], "arrived_since": None, "items": [],
        "counts": {}, **more,
    }  # fmt: skip


@dataclass
class Batches:
    """What /v1/actions answers beyond what the board's retries made."""

    now: Callable[[], datetime]
    rows: list[dict[str, Any]] = field(default_factory=list)
    steps: list[tuple[str, str, str, str]] = field(default_factory=list)  # (who, action, step, reason)
    broken: int | None = None

    def fill(self) -> None:
        """Make one batch of each state."""
        at, wave = self.now(), counted
        stopped = "wave 2: 2 no_effect of 5, so fewer than 80% can be verified"
        items = [
            {"order_id": f"SO-10{n:04}", "object_type": "shipment", "object_id": f"SHP-{n}", "attempts": int(n < 6),
             "state": "verified" if n < 4 else "no_effect" if n < 6 else "requested", "stage": "ship-to-invoice",
             "detail": "accepted, but no invoice_released by 10:01" if 4 <= n < 6 else ""} for n in range(31)
        ]  # fmt: skip
        self.rows = [
            _batch("b-run", "running", [wave(verified=1), wave(verified=5), wave(verified=11, accepted=6, sent=3),
                   wave(waiting=100), wave(waiting=290)], at - timedelta(minutes=4), reason="tax service is back",
                   safety="R2", arrived_since={"orders": 12, "first": []}),
            _batch("b-wait", "requested", [wave(waiting=1), wave(waiting=5), wave(waiting=8)], at - timedelta(minutes=9),
                   reason="credit notes of Friday again", safety="R3", requested_by="otto"),
            _batch("b-stop", "stopped", [wave(verified=1), wave(verified=3, no_effect=2), wave(waiting=20),
                   wave(waiting=5)], at - timedelta(minutes=31), reason="carrier labels", items=items,
                   steps=[{"step": "pause", "by": "ben", "reason": "let me look", "wave": 1, "at": at.isoformat()},
                          {"step": "resume", "by": "ben", "reason": "looks fine", "wave": 1, "at": at.isoformat()},
                          {"step": "stop", "by": "engine", "reason": stopped, "wave": 2, "at": at.isoformat()}]),
            _batch("b-done", "done", [wave(verified=17, failed=1)], at - timedelta(hours=2), reason="", least_verified=None),
            _batch("b-gone", "cancelled", [wave(verified=1), wave(cancelled=5)], at - timedelta(hours=5), reason="wrong stage",
                   steps=[{"step": "cancel", "by": "ana", "reason": "wrong stage", "wave": 1, "at": at.isoformat()}]),
        ]  # fmt: skip

    def say(self, who: str, action_id: str, step: str, reason: str) -> dict[str, Any] | None:
        """Take a step and return the action."""
        row = next((r for r in self.rows if r["action_id"] == action_id), None)
        if row is None:
            return None
        self.steps.append((who, action_id, step, reason))
        row["state"] = {"pause": "paused", "cancel": "cancelled"}.get(step, "running")
        row["state_by"], row["state_reason"] = who, reason
        return {**row, "moved": row["progress"]["waiting"]}

    def audit(self, query: Any) -> dict[str, Any]:
        """Return the audit's rows for a filter."""
        rows = [
            {"seq": 3, "actor": "engine", "act": "no_effect", "why": "", "detail": {"order_id": "SO-100004", "stage": "ship-to-invoice"}},
            {"seq": 2, "actor": "ben", "act": "resume", "why": "looks fine", "detail": {"wave": 1}},
            {"seq": 1, "actor": "ana", "act": "retry", "why": "<b>=1+1</b>", "detail": {"order_id": "SO-100004", "object_id": "SHP-4"}},
        ]  # fmt: skip
        rows = [
            {**r, "at": self.now().isoformat(), "subject": f"b-stop/{r['seq']}", "previous": "", "hash": f"{r['seq']}f86d081884c7d65"}
            for r in rows
            if query.get("actor") in (None, "", r["actor"]) and query.get("act") in (None, "", r["act"])
        ]  # fmt: skip
        body: dict[str, Any] = {"audit": rows, "next_cursor": None}
        if query.get("verify") == "true":
            body["verified"] = {"ok": self.broken is None, "first_broken": self.broken}
        return body

"""The evidence of a verdict in the shape of /v1/orders/{id}/why: a late clock that stood still, an echo heard instead."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any


def evidence(
    order: dict[str, Any], rule: str, stage: tuple[str, str, str, str, list[str]], now: datetime
) -> dict[str, Any]:
    """Return it for one rule of an order. stage: id, label, from, to and its system kinds."""
    _, label, start, end, systems = stage
    clock = next((c for c in order["clocks"] if c["stage"] == rule), None)
    if clock is None:
        return {"order_id": order["order_id"], "rule": rule, "rules": [], "clocks": [], "findings": [], "sql": []}
    began = datetime.fromisoformat(clock["started_at"])
    thing = {"rule": rule, "object_type": clock["object_type"], "object_id": clock["object_id"]}

    def event(key: str, at: datetime, lag_s: int, milestone: str, kind: str) -> dict[str, Any]:
        return {
            "key": key, "event_id": f"{order['order_id']}/{milestone}", "source": f"/{kind}/main", "kind": kind,
            "milestone": milestone, "polarity": "reached", "occurred_at": at.isoformat(),
            "received_at": (at + timedelta(seconds=lag_s)).isoformat(), "error": "",
        }  # fmt: skip

    return {
        "order": {"order_id": order["order_id"], "state": order["state"]}, "rule": rule, "book": "3f9a12c07b11aa",
        "book_since": (now - timedelta(days=3)).isoformat(), "as_of": now.isoformat(), "known_at": now.isoformat(),
        "rules": [
            {"id": rule, "label": label, "from": start, "to": end, "within_s": clock["budget_s"], "until": None, "plus_s": 0,
             "calendar": "finance", "tiers": [], "pause": [{"from": "credit_held", "to": "credit_released"}],
             "cancel": [], "owner": "finance-ops", "runbook": "https://wiki.example/stuck", "where": "stages.yaml:33"}
        ],
        "clocks": [
            {**thing, "from_milestone": start, "to_milestone": end, "started_at": clock["started_at"], "end_at": clock["stopped_at"],
             "due_at": clock["due_at"], "at_risk_at": None, "budget_s": clock["budget_s"], "used_s": clock["used_s"],
             "calendar": "finance@1f", "state": clock["state"], "verdict": clock["verdict"], "provisional": 0,
             "pauses": [[(began + timedelta(minutes=5)).isoformat(), (began + timedelta(minutes=25)).isoformat()]],
             "system": systems[0], "from_event": "01", "to_event": "02" if clock["stopped_at"] else ""}
        ],
        "findings": [],
        "events": [
            event("01", began, 4, start, "wms"),
            event("03", began + timedelta(hours=1), 61, end, "crm"),
            *([event("02", datetime.fromisoformat(clock["stopped_at"]), 3, end, systems[0])] if clock["stopped_at"] else []),
        ],
        "heard": [
            {**thing, "milestone": end, "system": "crm", "polarity": "reached", "error": "", "key": "03",
             "occurred_at": (began + timedelta(hours=1)).isoformat()}
        ],
        "feeds": [{"connection": f"{systems[0]}-main", "kind": systems[0], "watermark": now.isoformat()}],
        "script": "SET join_use_nulls = 1;\n\nSELECT * FROM judged_findings ORDER BY rule, kind, object_id;\n",
        "sql": [{"table": "judged_statements", "sql": "SELECT 1"}],
        "parameters": {"as_of": now.isoformat(), "known_at": now.isoformat(), "order_id": order["order_id"]},
    }  # fmt: skip

"""One order of the fake tower, as `GET /v1/orders/{id}` answers it."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.dashboards.fake_rows import Rows
from tests.dashboards.fake_words import STAGES, iso, now


def order(tower: Rows, order_id: str) -> dict[str, Any] | None:
    """Return one order with its clocks, events, attempts and log; None for an unknown one."""
    row = tower.rows.get(order_id)
    if row is None:
        return None
    r = random.Random(order_id)
    at = next(i for i, s in enumerate(STAGES) if s[0] == row["stage"])
    clocks: list[dict[str, Any]] = []
    milestones: list[dict[str, Any]] = []
    end = row["since"]
    for sid, _, _, to, systems, _, budget in reversed(STAGES[:at]):
        used = budget * r.choice([0.3, 0.6, 0.9, 1.4])
        start = end - timedelta(seconds=used)
        clocks.insert(
            0,
            {
                "stage": sid,
                "object_type": "order",
                "object_id": order_id,
                "started_at": iso(start),
                "stopped_at": iso(end),
                "due_at": iso(start + timedelta(seconds=budget)),
                "budget_s": budget,
                "used_s": int(used),
                "state": "stopped",
                "verdict": "",
            },
        )
        milestones.append(
            {
                "milestone": to,
                "object_type": "order",
                "object_id": order_id,
                "occurred_at": iso(end),
                "received_at": iso(end + timedelta(seconds=3)),
                "system": systems[0],
                "authority": True,
                "echoes": [],
                "sync_lag_s": None,
                "polarity": "reached",
            }
        )
        end = start
    closed = row["closed_at"] is not None
    clocks.append(
        {
            "stage": row["stage"],
            "object_type": row["object_type"],
            "object_id": row["object_id"],
            "started_at": iso(row["since"]),
            "stopped_at": iso(row["closed_at"]),
            "due_at": iso(row["due_at"]),
            "budget_s": row["budget_s"],
            "used_s": tower.live(row)["used_s"],
            "state": "stopped" if closed else "running",
            "verdict": "" if closed else row["state"],
            "odds": None if closed else row["odds"],
            "predicted_at": None if closed else iso(row["predicted_at"]),
            "self_heal_odds": None if closed else row["self_heal_odds"],
            "self_heal_by": iso(now() + timedelta(minutes=1)),
            "odds_from": {"cases": 812},
            "self_heal_from": {"cases": 790},
        }
    )
    if row["error"]:
        milestones.append(
            {
                "milestone": row["next_milestone"],
                "object_type": row["object_type"],
                "object_id": row["object_id"],
                "occurred_at": iso(row["since"] + timedelta(seconds=row["budget_s"] * 0.2)),
                "received_at": iso(row["since"]),
                "system": row["system"],
                "authority": True,
                "echoes": [],
                "sync_lag_s": None,
                "polarity": "failed",
                "error": row["error"],
            }
        )
    events = [
        {
            **m,
            "event_id": f"{order_id}-{n}",
            "connection": m["system"],
            "source": "/x",
            "reason": "",
            "trace_id": "",
            "error": m.get("error", ""),
        }
        for n, m in enumerate(reversed(milestones))
    ]
    milestones = [m for m in milestones if m["polarity"] == "reached"]
    items = [
        {**{k: v for k, v in i.items() if not k.startswith("_")}, "action_id": a["action_id"]}
        for a in tower.actions
        for i in a["items"]
        if i["order_id"] == order_id
    ]
    findings = (
        []
        if row["state"] != "late"
        else [
            {
                "rule": row["stage"],
                "kind": "late",
                "object_type": row["object_type"],
                "object_id": row["object_id"],
                "state": "open",
                "opened_at": iso(row["due_at"]),
                "detected_at": iso(row["due_at"]),
                "resolved_at": None,
                "system": row["system"],
                "error": "",
            }
        ]
    )
    plain = {
        k: iso(v) if isinstance(v, datetime) else str(v) if isinstance(v, Decimal) else v
        for k, v in tower.live(row).items()
        if not k.startswith("_")
    }
    return {
        **plain,
        "attributes": {"customer_id": row["customer_id"], "channel": row["channel"]},
        "objects": [],
        "links": [],
        "milestones": milestones,
        "clocks": clocks,
        "findings": findings,
        "alerts": [],
        "actions": items,
        "by_hand": row.get("_said", []),
        "traces": [trace(row, k) for k in range(2)],
        "logs": logs(row),
        "events": events,
        "as_of": iso(now()),
    }


def trace(row: dict[str, Any], age: int) -> dict[str, Any]:
    """Return an attempt of the middleware; the one of age 0 is the last, and failed."""
    start = row["since"] + timedelta(seconds=60 * (2 - age))
    service = row["system"]
    steps = [
        ("retry " + row["stage"], "middleware", None, 0, 4210, True),
        ("load order", "oms", 0, 20, 140, False),
        ("enrich customer", "crm", 0, 170, 220, False),
        ("validate", "middleware", 0, 400, 60, False),
        ("POST /documents", service, 0, 470, 3700, True),
        ("token", "iam", 4, 480, 90, False),
        ("attempt 1", service, 4, 580, 1200, True),
        ("attempt 2", service, 4, 1790, 1180, True),
        ("attempt 3", service, 4, 3000, 1150, True),
        ("dead-letter", "broker", 0, 4172, 38, False),
    ]
    spans = [
        {
            "span_id": f"s{i}",
            "parent_span_id": "" if p is None else f"s{p}",
            "name": n,
            "service": s,
            "started_at": iso(start + timedelta(milliseconds=b)),
            "duration_ms": float(d),
            "status": "Error" if e and age == 0 else "Ok",
            "status_message": row["error"] if e and age == 0 else "",
            "offset_ms": float(b),
        }
        for i, (n, s, p, b, d, e) in enumerate(steps)
    ]
    hop = {"span_id": "s8", "service": service, "name": "attempt 3", "message": row["error"]}
    trace_id = f"{row['order_id']}-{age}"
    return {
        "trace_id": trace_id,
        "started_at": iso(start),
        "duration_ms": 4210.0,
        "url": f"http://traces.example/{trace_id}",
        "failed_hop": hop if age == 0 else None,
        "spans": spans,
    }


def logs(row: dict[str, Any]) -> list[dict[str, Any]]:
    """Return two records of the last attempt and one that only names the order, the latest first."""
    start = row["since"] + timedelta(seconds=120)
    lines = [
        (f"{row['order_id']}-0", 17, "ERROR", row["system"], row["error"] or "no answer"),
        (f"{row['order_id']}-0", 9, "INFO", "middleware", "retry begins"),
        ("", 13, "WARN", "cron", "nightly check met this order"),
    ]
    return [
        {
            "at": iso(start + timedelta(milliseconds=4000 - 1000 * i)),
            "trace_id": trace_id,
            "span_id": "",
            "severity_number": number,
            "severity": level,
            "service": service,
            "event": "",
            "body": text,
        }
        for i, (trace_id, number, level, service, text) in enumerate(lines)
    ]

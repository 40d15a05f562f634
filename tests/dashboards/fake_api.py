"""A small real tower API for the dashboards' tests and pictures: seeded, over HTTP, with state that tests can move.

It speaks the same shapes as the tower: JSON, Arrow with totals in the schema's metadata, ETag and 304, named keys with
roles, actions with a result per item and outcomes that come later.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import socket
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.dashboards import fake_value
from tests.dashboards.fake_alerts import Alerts
from tests.dashboards.fake_batches import Batches
from tests.dashboards.fake_feeds import feeds
from tests.dashboards.fake_held import Held
from tests.dashboards.fake_jeopardy import jeopardy
from tests.dashboards.fake_subscriptions import Subscriptions
from tests.dashboards.fake_why import evidence

ARROW = "application/vnd.apache.arrow.stream"
STUCK = ("failing", "late", "diverging")
OPEN = (*STUCK, "unknown", "at_risk", "on_track")
RANK = {s: i for i, s in enumerate((*OPEN, "done", "cancelled"))}
KEYS = {
    "key-ana-operator": ("ana", ["operator"]),
    "key-erna-executive": ("erna", ["executive"]),
    "key-otto-approver": ("otto", ["approver"]),
    "key-paul-approver": ("paul", ["approver"]),
    "key-vic-viewer": ("vic", ["viewer"]),
    "key-wall-viewer": ("wall", ["viewer"]),
}

# id, label, from, to, system kinds, errors, budget in s
STAGES: list[tuple[str, str, str, str, list[str], list[str], int]] = [
    (
        "capture-to-accept",
        "Capture",
        "order_captured",
        "order_accepted",
        ["erp", "edi"],
        ["Mapping error: unknown SKU", "IDoc status 51", "Sold-to party missing"],
        1800,
    ),
    (
        "credit-hold",
        "Credit check",
        "credit_held",
        "credit_released",
        ["erp"],
        ["Credit engine timeout", "Credit limit exceeded"],
        7200,
    ),
    (
        "accept-to-allocate",
        "Allocation",
        "order_accepted",
        "inventory_allocated",
        ["wms", "erp"],
        ["No ATP in plant 1200", "Reservation lock timeout", "Batch expired"],
        14400,
    ),
    (
        "allocate-to-request",
        "Release",
        "inventory_allocated",
        "fulfillment_requested",
        ["erp"],
        ["Delivery not created: plant closed"],
        3600,
    ),
    (
        "request-to-pick",
        "Hand-off",
        "fulfillment_requested",
        "pick_released",
        ["wms"],
        ["Wave not released", "940 rejected: ship-to"],
        5400,
    ),
    ("pick-to-ship", "Fulfilment", "pick_released", "shipment_confirmed", ["wms"], ["Pick short", ""], 28800),
    (
        "ship-to-deliver",
        "Delivery",
        "shipment_confirmed",
        "delivered",
        ["tms"],
        ["Carrier label 503", "Customs data missing", ""],
        172800,
    ),
    (
        "ship-to-invoice",
        "Invoicing",
        "shipment_confirmed",
        "invoice_released",
        ["erp", "tax"],
        ["Tax engine timeout", "Price condition missing"],
        7200,
    ),
    (
        "invoice-to-customer",
        "Invoice delivery",
        "invoice_released",
        "invoice_delivered",
        ["edi"],
        ["810 not acknowledged", "Mailbox full"],
        14400,
    ),
    ("invoice-to-payment", "Payment", "invoice_delivered", "payment_received", ["bank"], [""], 1209600),
    (
        "payment-to-applied",
        "Cash application",
        "payment_received",
        "payment_applied",
        ["bank", "erp"],
        ["Remittance unreadable", "Amount differs by 12.40", ""],
        86400,
    ),
    ("return-to-credit", "Credit memo", "return_received", "credit_issued", ["erp"], ["Approval missing"], 172800),
    ("document-ack", "EDI acknowledgement", "document_sent", "document_acknowledged", ["edi"], [""], 86400),
]
WEIGHTS = [5, 4, 10, 4, 7, 8, 6, 9, 4, 3, 5, 2, 3]
CUSTOMERS = [
    "Umbra Optics",
    "Quarry Stone",
    "Willow Homes",
    "Pacific Tools",
    "Sable Fashion",
    "Lumen Energy",
    "Albion Foods",
    "Kestrel Auto",
    "Orchid Pharma",
    "Xenon Labs",
    "Tessera Glass",
    "Riverton Dairy",
    "Helix Medical",
]
_T, _TS, _M, _N = pa.string(), pa.timestamp("ms", tz="UTC"), pa.decimal128(38, 6), pa.int64()
COLUMNS: dict[str, pa.DataType] = {
    "order_id": _T,
    "state": _T,
    "stage": _T,
    "since": _TS,
    "due_at": _TS,
    "age_s": _N,
    "overdue_s": _N,
    "priority": _T,
    "amount": _M,
    "currency": _T,
    "value_at_risk": _M,
    "customer_id": _T,
    "customer_tier": _T,
    "system": _T,
    "error": _T,
    "last_milestone": _T,
    "last_at": _TS,
    "next_milestone": _T,
    "retries": _N,
    "retryable": pa.bool_(),
    "version": _T,
    "object_type": _T,
    "object_id": _T,
    "budget_s": _N,
    "used_s": _N,
    "reporting_amount": _M,
    "closed_at": _TS,
    "order_type": _T,
    "warehouse": _T,
    "company": _T,
    "partner": _T,
    "channel": _T,
    "odds": pa.float64(),
    "predicted_at": _TS,
    "self_heal_odds": pa.float64(),
    "score": pa.float64(),
    "rate_date": _T,
    "held_by": _T,
    "assignee": _T,
    "escalated_by": _T,
    "closed_by": _T,
}


def now() -> datetime:
    return datetime.now(UTC)


def iso(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


TARGETS: list[dict[str, Any]] = [
    {
        "name": "middleware", "kind": "http", "url": "http://127.0.0.1:9000", "auth": "bearer", "timeout_s": 10.0, "probe": "",
        "actions": ["retry-invoice"], "health": "failing", "said": "503 <b>down</b>", "well_at": "2026-11-23T09:00:00.000Z",
        "failed_at": "2026-11-23T09:59:00.000Z", "unreached_since": None,
        "breaker": {"state": "open", "failures": 5, "opens_at": 5, "opened_at": "2026-11-23T09:59:00.000Z",
                    "retry_at": "2026-11-23T10:00:30.000Z"},
        "limits": [{"calls": 500, "seconds": 3600, "used": 500}], "waiting": 12,
        "answers": [{"at": "2026-11-23T09:59:00.000Z", "verdict": "unknown", "status": 503, "took_ms": 13, "said": "503"}],
    },
    {
        "name": "broker", "kind": "rabbitmq", "url": "amqp://mq:5672", "auth": "basic", "timeout_s": 10.0, "probe": "",
        "actions": [], "health": "well", "said": "3 redriven", "well_at": "2026-11-23T09:00:00.000Z", "failed_at": None,
        "unreached_since": None, "breaker": {"state": "closed", "failures": 0, "opens_at": 5, "opened_at": None,
        "retry_at": None}, "limits": [], "waiting": 0, "answers": [],
    },
]  # fmt: skip


@dataclass
class FakeTower:
    """The tower's state and its log. `outcome` is what becomes of accepted retries after `settle_s`."""

    orders: int = 1200
    seed: int = 7
    outcome: str = "verified"
    settle_s: float = 1.5
    closed: set[str] = field(default_factory=set)  # paths that no key may ask
    slow_s: float = 0.0  # how long a request for an action takes
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    actions: list[dict[str, Any]] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)  # every POST /v1/actions that was no dry run
    replies: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, tuple[str, list[str]]] = field(default_factory=lambda: dict(KEYS))
    roi: dict[str, Any] = field(default_factory=fake_value.roi)
    probed: list[str] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)  # backtests
    looked: list[dict[str, str]] = field(default_factory=list)  # the questions about stages
    feeds: dict[str, Any] = field(default_factory=dict)  # what is answered instead of one of each kind
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.held = Held(now)
        self.alerts = Alerts(now)
        self.subscriptions = Subscriptions(now)
        self.batches = Batches(now)
        self.random = random.Random(self.seed)
        for number in range(self.orders):
            self.add(f"SO-{100000 + number}")

    def add(self, order_id: str, **fixed: Any) -> dict[str, Any]:
        r = self.random
        stage = fixed.pop("stage", None) or r.choices([s[0] for s in STAGES], WEIGHTS)[0]
        _, _, begin, to, systems, errors, budget = next(s for s in STAGES if s[0] == stage)
        state = fixed.pop("state", None) or r.choices(OPEN, [10, 26, 5, 3, 12, 44])[0]
        share = {
            "failing": r.uniform(0.3, 3.5),
            "late": r.uniform(1.02, 5),
            "diverging": r.uniform(0.4, 2),
            "unknown": r.uniform(1.0, 1.6),
            "at_risk": r.uniform(0.76, 0.99),
            "on_track": r.uniform(0.02, 0.7),
        }[state]
        age = budget * share
        since = now() - timedelta(seconds=age)
        amount = Decimal(str(round(min(165000, r.lognormvariate(8.6, 1.1)), 2)))
        shipment = r.random() < 0.4
        row: dict[str, Any] = {
            "order_id": order_id,
            "state": state,
            "stage": stage,
            "since": since,
            "due_at": since + timedelta(seconds=budget),
            "priority": r.choices(["P1", "P2", "P3", "P4"], [8, 20, 60, 12])[0],
            "amount": amount,
            "currency": "EUR",
            "value_at_risk": amount if state != "on_track" else Decimal(0),
            "customer_id": r.choice(CUSTOMERS),
            "customer_tier": r.choice(["strategic", "standard", "standard"]),
            "system": r.choice(systems),
            "error": r.choice(errors) if state in ("failing", "late") else "",
            "last_milestone": begin,
            "last_at": since,
            "next_milestone": to,
            "retries": r.choices([0, 1, 2], [7, 3, 1])[0],
            "retryable": state in STUCK and r.random() < 0.88,
            "object_type": "shipment" if shipment else "order",
            "object_id": order_id.replace("SO", "SH") if shipment else order_id,
            "budget_s": budget,
            "reporting_amount": amount,
            "closed_at": None,
            "order_type": "standard",
            "warehouse": "BER1",
            "company": "1000",
            "partner": "",
            "channel": r.choice(["edi", "web"]),
            "odds": 1.0 if state in ("late", "failing") else 0.42,
            "predicted_at": now() + timedelta(minutes=25) if state != "diverging" else None,
            "self_heal_odds": 0.38 if state in ("late", "failing") else None,
            "score": 50.0,
            "rate_date": None,
            **dict.fromkeys(("held_by", "assignee", "escalated_by", "closed_by"), ""),
        }
        if state == "failing" and not row["error"]:
            row["error"] = next((e for e in errors if e), "Rejected by the target")
        row.update(fixed)
        row["version"] = f"{r.getrandbits(60):015x}"
        with self.lock:
            self.rows[order_id] = row
        return row

    def clear(self, *order_ids: str) -> None:
        """The orders move: they leave the board."""
        with self.lock:
            for order_id in order_ids:
                self.rows[order_id].update(
                    state="done",
                    closed_at=now(),
                    value_at_risk=Decimal(0),
                    version=f"{self.random.getrandbits(60):015x}",
                )

    def touch(self, order_id: str, **changes: Any) -> None:
        """The order changes, and so does its version."""
        with self.lock:
            self.rows[order_id].update(changes, version=f"{self.random.getrandbits(60):015x}")

    # -- what the endpoints answer ----------------------------------------------------------------------------------

    def settle(self) -> None:
        """Let accepted retries become what `outcome` says once their time is up."""
        with self.lock:
            for action in self.actions:
                for item in action["items"]:
                    age = (now() - item["_at"]).total_seconds()
                    if item["state"] == "requested" and age > self.settle_s / 3:
                        item["state"] = "accepted"
                    if item["state"] == "accepted" and age > self.settle_s:
                        item["state"], item["finished_at"] = self.outcome, iso(now())
                        if self.outcome == "verified":
                            self.clear(item["order_id"])
                        else:
                            item["detail"] = "the target answered 200, the milestone did not come within 60 s"

    def in_flight(self, order_id: str) -> bool:
        return any(
            i["order_id"] == order_id and i["state"] in ("requested", "accepted")
            for a in self.actions
            for i in a["items"]
        )

    def select(self, q: Any) -> list[dict[str, Any]]:
        wanted = q.get("state", "")
        states = {"stuck": STUCK, "open": OPEN}.get(wanted, (wanted,) if wanted else ())
        text = q.get("q", "").lower()
        found = [
            r
            for r in self.rows.values()
            if (not states or r["state"] in states)
            and (not q.get("stage") or r["stage"] == q["stage"])
            and (not q.get("system") or r["system"] == q["system"])
            and (not q.get("priority") or r["priority"] == q["priority"])
            and ("assignee" not in q or r["assignee"] == q["assignee"])
            and (not q.get("held") or r["held_by"])
            and (not text or any(text in str(r[n]).lower() for n in ("order_id", "customer_id", "error")))
        ]
        keys: dict[str, Any] = {
            "value_at_risk": lambda r: r["value_at_risk"],
            "age": lambda r: -r["since"].timestamp(),
            "overdue": lambda r: -r["due_at"].timestamp(),
            "state": lambda r: RANK[r["state"]],
            "odds": lambda r: r["odds"],
            "score": lambda r: r["score"],
        }
        sort = q.get("sort", "-value_at_risk")
        found.sort(key=lambda r: r["order_id"])
        found.sort(key=keys[sort.lstrip("-")], reverse=sort.startswith("-"))
        return found

    def live(self, row: dict[str, Any]) -> dict[str, Any]:
        age = int((now() - row["since"]).total_seconds())
        over = max(0, int((now() - row["due_at"]).total_seconds()))
        retryable = row["retryable"] and not row["held_by"] and not self.in_flight(row["order_id"])
        return {**row, "age_s": age, "overdue_s": over, "used_s": age, "retryable": retryable}

    def stages(self) -> dict[str, Any]:
        labels = ["<1h", "1–4h", "4–8h", "8–24h", "1–2d", ">2d"]
        edges = [0, 3600, 14400, 28800, 86400, 172800, 10**12]
        out = []
        for sid, label, begin, to, systems, _, budget in STAGES:
            rows = [r for r in self.rows.values() if r["stage"] == sid and r["state"] in OPEN]
            stuck = [r for r in rows if r["state"] in STUCK]
            ages = sorted((now() - r["since"]).total_seconds() for r in stuck)
            buckets = []
            for low, high, text in zip(edges, edges[1:], labels, strict=False):
                inside = [r for r in stuck if low <= (now() - r["since"]).total_seconds() < high]
                buckets.append(
                    {
                        "label": text,
                        "clocks": len(inside),
                        "orders": len(inside),
                        "value": str(sum((r["value_at_risk"] for r in inside), Decimal(0))),
                    }
                )
            counts = {s: sum(r["state"] == s for r in rows) for s in OPEN}
            out.append(
                {
                    "id": sid,
                    "label": label,
                    "from": begin,
                    "to": to,
                    "per": "order",
                    "calendar": None,
                    "owner": "ops",
                    "runbook": "",
                    "severity": "critical",
                    "system": systems[0],
                    "within_s": budget,
                    "running": len(rows),
                    "paused": 0,
                    **counts,
                    "orders": len(stuck),
                    "value": str(sum((r["value_at_risk"] for r in stuck), Decimal(0))),
                    "p50_age_s": ages[len(ages) // 2] if ages else None,
                    "p90_age_s": ages[int(len(ages) * 0.9)] if ages else None,
                    "completed_24h": 900 - 55 * len(out),
                    "age_buckets": buckets,
                }
            )
        return {"stages": out, "counts": "clocks", "as_of": iso(now()), "flow_24h": []}

    def groups(self) -> dict[str, Any]:
        sums: dict[tuple[str, str, str], dict[str, Any]] = {}
        for r in self.rows.values():
            if r["state"] not in STUCK:
                continue
            g = sums.setdefault(
                (r["stage"], r["system"], r["error"]),
                {
                    "stage": r["stage"],
                    "system": r["system"],
                    "error": r["error"],
                    "count": 0,
                    "value": Decimal(0),
                    "first_at": r["since"],
                    "last_at": r["since"],
                    "last_action_at": None,
                    "last_outcome": None,
                    "retryable": 0,
                },
            )
            g["count"] += 1
            g["value"] += r["value_at_risk"]
            g["first_at"], g["last_at"] = min(g["first_at"], r["since"]), max(g["last_at"], r["since"])
            g["retryable"] += bool(r["retryable"])
        for a in self.actions:
            for i in a["items"]:
                r = self.rows[i["order_id"]]
                g = sums.get((r["stage"], r["system"], r["error"]))
                if g is not None:
                    g["last_action_at"], g["last_outcome"] = i["_at"], i["state"]
        out = [
            {**g, "value": str(g["value"]), **{k: iso(g[k]) for k in ("first_at", "last_at", "last_action_at")}}
            for g in sums.values()
        ]
        return {"groups": out, "counts": "orders", "as_of": iso(now())}

    def order(self, order_id: str) -> dict[str, Any] | None:
        row = self.rows.get(order_id)
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
                "used_s": self.live(row)["used_s"],
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
            for a in self.actions
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
            for k, v in self.live(row).items()
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
            "traces": [self.trace(row, k) for k in range(2)],
            "logs": self.logs(row),
            "events": events,
            "as_of": iso(now()),
        }

    def trace(self, row: dict[str, Any], age: int) -> dict[str, Any]:
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

    def logs(self, row: dict[str, Any]) -> list[dict[str, Any]]:
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

    def act(self, actor: str, key: str, body: dict[str, Any], *, dry_run: bool) -> dict[str, Any]:
        with self.lock:
            if not dry_run and (actor, key) in self.replies:
                return self.replies[actor, key]
            if not dry_run:
                self.requests.append({"actor": actor, "key": key, **body})
            if body["kind"] not in ("retry", "cancel"):
                return self.say(actor, key, body)
            answers, items = [], []
            for wish in body["orders"]:
                row = self.rows.get(wish["order_id"])
                result = (
                    "gone"
                    if row is None or row["state"] not in STUCK
                    else "stale"
                    if wish.get("version") not in (None, row["version"])
                    else "running"
                    if self.in_flight(wish["order_id"])
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
            self.actions.insert(
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
            self.replies[actor, key] = {"action_id": action_id, "items": answers}
            return self.replies[actor, key]

    def say(self, actor: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
        """Take down what was said by hand; of a held order only a release counts."""
        undo = body["kind"] in ("release", "unassign", "deescalate", "reopen")
        column = {"hold": "held_by", "release": "held_by", "assign": "assignee", "unassign": "assignee"}
        what = {"hold": "held", "release": "held", "assign": "assigned", "note": "noted"}.get(body["kind"], "x")
        answers = []
        for wish in body["orders"]:
            row = self.rows[wish["order_id"]]
            if name := column.get(body["kind"]):
                self.touch(row["order_id"], **{name: "" if undo else body.get("assignee") or actor})
            row.setdefault("_said", []).insert(0, {
                "what": what, "undo": undo, "by": actor, "assignee": body.get("assignee", ""), "said": body.get("reason", ""),
                "at": iso(now()), "received_at": iso(now()),
            })  # fmt: skip
            answers.append(
                {"order_id": row["order_id"], "result": "accepted", "stage": "", "detail": "", "objects": []}
            )
        self.replies[actor, key] = {"action_id": key, "items": answers}
        return self.replies[actor, key]


def with_curves(told: dict[str, Any]) -> dict[str, Any]:
    """Return the answer with a curve for each stage that has none."""
    known = {c["rule"] for c in told["curves"]}
    more = [
        {**told["curves"][0], "rule": s[0], "segment": "", "median_s": s[6] // 5, "p90_s": s[6] * 6 // 10,
         "p95_s": s[6] * (7 + n % 5) // 10 // 60 * 60, "budget_s": s[6]}
        for n, s in enumerate(STAGES) if s[0] not in known
    ]  # fmt: skip
    return {**told, "curves": [*told["curves"], *more]}


def application(tower: FakeTower) -> Starlette:
    """Return the API over one tower."""

    def problem(status: int, detail: str) -> Response:
        return JSONResponse(
            {"status": status, "title": "", "code": "x", "detail": detail},
            status,
            media_type="application/problem+json",
        )

    def guarded(handler: Any, role: str = "viewer") -> Any:
        async def run(request: Request) -> Response:
            known = tower.keys.get(request.headers.get("authorization", "").removeprefix("Bearer "))
            if known is None:
                return problem(401, "send a live key as `Authorization: Bearer <token>`")
            if role == "operator" and not {"operator", "admin"} & set(known[1]):
                return problem(403, f"this needs the role {role}; the key {known[0]!r} does not have it")
            if request.url.path in tower.closed:
                return problem(403, f"the key {known[0]!r} sees orders and messages of its partner only")
            request.state.name = known[0]
            tower.settle()
            result = handler(request, known)
            return await result if hasattr(result, "__await__") else result

        return run

    def me(_: Request, known: Any) -> Response:
        return JSONResponse({"name": known[0], "roles": known[1]})

    def orders(request: Request, _: Any) -> Response:
        q = request.query_params
        with tower.lock:
            found = tower.select(q)
            rows = [tower.live(r) for r in found[: int(q.get("limit", 100))]]
        total = {
            "total": str(len(found)),
            "value_total": str(sum((r["value_at_risk"] for r in found), Decimal(0))),
            "as_of": iso(now()) or "",
            "next_cursor": "",
        }
        arrow = ARROW in request.headers.get("accept", "")
        steady = [[str(v) for k, v in r.items() if k not in ("age_s", "overdue_s", "used_s")] for r in rows]
        tag = 'W/"' + hashlib.sha256(json.dumps([steady, total["total"], arrow]).encode()).hexdigest()[:24] + '"'
        headers = {"ETag": tag, "Vary": "Accept, Authorization"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        if arrow:
            schema = pa.schema(list(COLUMNS.items()), metadata=total)
            table = pa.Table.from_arrays(
                [pa.array([r[n] for r in rows], type=t) for n, t in COLUMNS.items()], schema=schema
            )
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, schema) as writer:
                writer.write_table(table)
            return Response(bytes(sink.getvalue()), media_type=ARROW, headers=headers)
        plain = [
            {k: iso(v) if isinstance(v, datetime) else str(v) if isinstance(v, Decimal) else v for k, v in r.items()}
            for r in rows
        ]
        return JSONResponse({"orders": plain, **total, "total": len(found)}, headers=headers)

    def order(request: Request, _: Any) -> Response:
        body = tower.order(request.path_params["id"])
        return JSONResponse(body) if body else problem(404, "there is no order with this id")

    def why(request: Request, _: Any) -> Response:
        body = tower.order(request.path_params["id"])
        rule = request.query_params.get("rule") or ""
        if body is None or rule not in {stage[0] for stage in STAGES}:
            return problem(404, "there is no order or rule of this id")
        stage = next(stage for stage in STAGES if stage[0] == rule)
        return JSONResponse(evidence({**body, "order_id": request.path_params["id"]}, rule, stage[:5], now()))

    async def post_action(request: Request, known: Any) -> Response:
        key = request.headers.get("idempotency-key", "")
        if not key:
            return problem(400, "send an Idempotency-Key")
        dry = request.query_params.get("dry_run") == "true"
        await asyncio.sleep(tower.slow_s)
        reply = tower.act(known[0], key, await request.json(), dry_run=dry)
        return JSONResponse(reply, 200 if dry else 202)

    def list_actions(request: Request, __: Any) -> Response:
        wanted = request.query_params.get("state")
        heads = [b for b in tower.batches.rows if wanted in (None, b["state"])]
        for action in tower.actions:
            counts: dict[str, int] = {}
            for item in action["items"]:
                counts[item["state"]] = counts.get(item["state"], 0) + 1
            heads.append({**{k: v for k, v in action.items() if k != "items"}, "counts": counts})
        return JSONResponse({"actions": heads, "next_cursor": None})

    def show_action(request: Request, _: Any) -> Response:
        batch = next((b for b in tower.batches.rows if b["action_id"] == request.path_params["id"]), None)
        if batch is not None:
            return JSONResponse(batch)
        action = next((a for a in tower.actions if a["action_id"] == request.path_params["id"]), None)
        if action is None:
            return problem(404, "there is no such action")
        return JSONResponse(
            {**action, "items": [{k: v for k, v in i.items() if not k.startswith("_")} for i in action["items"]]}
        )

    async def step(request: Request, known: Any) -> Response:
        reason = (await request.json())["reason"]
        moved = tower.batches.say(known[0], request.path_params["id"], request.path_params["step"], reason)
        return JSONResponse(moved) if moved else problem(404, "there is no such action")

    def audit(request: Request, _: Any) -> Response:
        if request.query_params.get("format") == "csv":
            return Response("seq,at,actor\n", media_type="text/csv")
        return JSONResponse(tower.batches.audit(request.query_params))

    def probe(request: Request, _: Any) -> Response:
        tower.probed.append(request.path_params["name"])
        return JSONResponse({"target": request.path_params["name"]}, 202)

    def held(request: Request, _: Any) -> Response:
        wanted = {k: request.query_params[k] for k in ("reason", "connection") if request.query_params.get(k)}
        rows = tower.held.open(**wanted)[: int(request.query_params.get("limit", 100))]
        return JSONResponse({"quarantine": rows, "next_cursor": None})

    def held_groups(request: Request, _: Any) -> Response:
        return JSONResponse(tower.held.groups(request.query_params.get("connection", "")))

    def held_one(request: Request, known: Any) -> Response:
        persons = request.query_params.get("persons") == "true"
        if persons and "operator" not in known[1]:
            return problem(403, "to see what tells of people the key needs the role operator")
        found = tower.held.one(known[0], request.path_params["id"], persons=persons)
        return JSONResponse(found) if found else problem(404, "there is no such message in quarantine")

    async def held_act(request: Request, known: Any) -> Response:
        body = await request.json()
        await asyncio.sleep(tower.slow_s)
        return JSONResponse(tower.held.act(known[0], request.path_params["act"], body["ids"], body["reason"]))

    def held_dry_run(request: Request, _: Any) -> Response:
        return JSONResponse(tower.held.dry_run(request.path_params["id"]))

    async def link(request: Request, _: Any) -> Response:
        body = await request.json()
        if body["to"].endswith("SO-NONE"):
            return problem(400, "no order of that name was heard of")
        tower.held.link(body)
        return JSONResponse({"event_id": "x"})

    def rules(_: Request, __: Any) -> Response:
        stages = [{"id": s[0], "label": s[1], "from": s[2], "to": s[3], "within_s": s[6]} for s in STAGES]
        changes = ["stage ship-to-invoice: limit was within 4h, is within 2h"]
        at = "2026-11-02T06:00:00.000Z"
        versions = [{"hash": "3f9a12c0", "loaded_at": at, "in_force": True, "cause": "book", "changes": changes}]
        milestones = [
            {"milestone": s[3], "object": "order", "means": "",
             "authority": [{"kind": k, "when": [], "connections": [f"{k}-main"]} for k in s[4]]}
            for s in STAGES
        ]  # fmt: skip
        acts = [
            {"id": "retry-any", "kind": "retry", "stage": "any", "target": "middleware"},
            {"id": "cancel-any", "kind": "cancel", "stage": "any", "target": "erp",
             "verify": {"milestone": "order_cancelled", "within_s": 300}},
        ]  # fmt: skip
        told = {"hash": "3f9a12c0", "currency": "EUR", "stages": stages, "versions": versions, "milestones": milestones}
        return JSONResponse({**told, "actions": acts})

    def stages(request: Request, _: Any) -> Response:
        tower.looked.append(dict(request.query_params))
        return JSONResponse(tower.stages())

    async def rules_test(_: Request, __: Any) -> Response:
        examples = [
            {"name": "goods at nine, no invoice by eleven", "ok": True, "detail": ""},
            {"name": "invoice in time", "ok": False, "detail": "expected late, found on_track"},
        ]
        return JSONResponse({"book": "3f9a12c0", "held": 1, "of": 2, "examples": examples})

    def rules_sql(request: Request, _: Any) -> Response:
        rule = request.query_params["rule"]
        return JSONResponse({"rule": rule, "steps": [{"table": "judged_runs", "sql": f"/* stage: {rule} */ SELECT 1"}]})

    async def backtest(request: Request, _: Any) -> Response:
        tower.asked.append(await request.json())
        rule = {"rule": STAGES[0][0], "kind": "late", "gained": 3, "lost": 0, "differently": 1, "same": 7,
                "gained_value": "1200.00", "lost_value": "0.00", "lead_p50_s": -3600}  # fmt: skip
        order = {"order_id": next(iter(tower.rows)), "rule": rule["rule"], "kind": "late", "object_id": "S1", "change": "gained",
                 "old_opened_at": None, "new_opened_at": "2026-11-20T09:00:00.000Z", "value": "400.00"}  # fmt: skip
        outcome = {"changed_rules": [rule["rule"]], "gained": 3, "lost": 0, "differently": 1, "busiest_day": 2, "seconds": 0.4,
                   "since": "2026-08-25T10:00:00.000Z", "rules": [rule], "orders": [order]}  # fmt: skip
        return JSONResponse({"id": "b1", "state": "done", "outcome": outcome, "error": ""})

    return Starlette(
        routes=[
            Route("/v1/me", guarded(me)),
            Route("/v1/orders", guarded(orders)),
            Route("/v1/orders/{id}", guarded(order)),
            Route("/v1/orders/{id}/why", guarded(why)),
            Route("/v1/feeds", guarded(lambda _r, _k: JSONResponse(tower.feeds or feeds(now())))),
            Route("/v1/roi", guarded(lambda _r, _k: JSONResponse(tower.roi))),
            Route("/v1/roi/orders", guarded(lambda _r, _k: JSONResponse(fake_value.BEHIND))),
            Route("/v1/quarantine", guarded(held)),
            Route("/v1/quarantine/groups", guarded(held_groups)),
            Route("/v1/quarantine/{id}/dry-run", guarded(held_dry_run, "operator"), methods=["POST"]),
            Route("/v1/quarantine/{act}", guarded(held_act, "operator"), methods=["POST"]),
            Route("/v1/quarantine/{id}", guarded(held_one)),
            Route("/v1/orphans", guarded(lambda r, _k: JSONResponse(tower.held.find_orphans(r.query_params)))),
            Route("/v1/links", guarded(link, "operator"), methods=["POST"]),
            Route("/v1/alerts", guarded(tower.alerts.listed)),
            Route("/v1/alerts/scorecard", guarded(tower.alerts.scorecard)),
            Route("/v1/alerts/{id}", guarded(tower.alerts.one)),
            Route("/v1/alerts/{id}/ack", guarded(tower.alerts.ack, "operator"), methods=["POST"]),
            Route("/v1/silences", guarded(tower.alerts.silence, "operator"), methods=["POST"]),
            *tower.subscriptions.routes(guarded),
            Route("/v1/jeopardy", guarded(lambda _r, _k: JSONResponse(with_curves(jeopardy(now()))))),
            Route("/v1/rules/backtest", guarded(backtest, "operator"), methods=["POST"]),
            Route("/v1/rules/test", guarded(rules_test, "operator"), methods=["POST"]),
            Route("/v1/rules/sql", guarded(rules_sql)),
            Route("/v1/stages", guarded(stages)),
            Route("/v1/groups", guarded(lambda _r, _k: JSONResponse(tower.groups()))),
            Route("/v1/actions", guarded(post_action, "operator"), methods=["POST"]),
            Route("/v1/actions", guarded(list_actions)),
            Route("/v1/actions/{id}", guarded(show_action)),
            Route("/v1/actions/{id}/{step}", guarded(step), methods=["POST"]),
            Route("/v1/audit", guarded(audit)),
            Route("/v1/targets", guarded(lambda _r, _k: JSONResponse({"targets": TARGETS}))),
            Route("/v1/targets/{name}/probe", guarded(probe), methods=["POST"]),
            Route("/v1/rules", guarded(rules)),
        ]
    )


class Running:
    """An application on a free loopback port in a thread; can be stopped and started again on the same port."""

    def __init__(self, application: Starlette, port: int = 0) -> None:
        self.application = application
        self.port = port or _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        config = uvicorn.Config(
            self.application,
            host="127.0.0.1",
            port=self.port,
            log_level="error",
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        until = time.monotonic() + 15
        while not self._server.started:
            if time.monotonic() > until:
                raise RuntimeError("the server did not start")
            time.sleep(0.02)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)


class Served(Running):
    """The fake tower's API, running."""

    def __init__(self, tower: FakeTower, port: int = 0) -> None:
        self.tower = tower
        super().__init__(application(tower), port)


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


if __name__ == "__main__":
    import sys

    served = Served(
        FakeTower(orders=int(sys.argv[2]) if len(sys.argv) > 2 else 1200), int(sys.argv[1]) if len(sys.argv) > 1 else 0
    )
    sys.stdout.write(served.url + "\n")
    sys.stdout.flush()
    threading.Event().wait()

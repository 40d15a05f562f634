"""The orders of the fake tower: seeded rows that tests can move, and what is counted over them."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.dashboards import fake_value
from tests.dashboards.fake_alerts import Alerts
from tests.dashboards.fake_batches import Batches
from tests.dashboards.fake_held import Held
from tests.dashboards.fake_subscriptions import Subscriptions
from tests.dashboards.fake_words import CUSTOMERS, KEYS, OPEN, RANK, STAGES, STUCK, WEIGHTS, iso, now


@dataclass
class Rows:
    """The tower's orders, with what else tests may move. `outcome` is what becomes of accepted retries after `settle_s`."""

    orders: int = 1200
    seed: int = 7
    outcome: str = "verified"
    settle_s: float = 1.5
    closed: set[str] = field(default_factory=set)  # paths that no key may ask
    slow_s: float = 0.0  # how long a request for an action takes
    moving: set[str] = field(default_factory=set)  # orders that change in the moment in which they are acted upon
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

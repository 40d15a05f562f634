"""A small world for actions and the API: a book of two stages, rows as the engine writes them, and a moveable clock."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from rules.calendar import Calendar
from rules.model import (
    Action,
    Anchor,
    Authority,
    Book,
    Budget,
    Condition,
    Done,
    Milestone,
    Policy,
    Priority,
    Process,
    Request,
    Stage,
    Target,
    Verify,
    When,
)
from tower.store.client import Store

T0 = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # a Monday
KINDS = frozenset({"erp", "wms", "crm"})
FAR = datetime(2200, 1, 1, tzinfo=UTC)
_HASHES: dict[tuple[str, str], int] = {}  # what the store makes of a name is the same in every test


def make_book(url: str = "http://127.0.0.1:9", **policy: Any) -> Book:
    """Return the book; policy overrides the retry's Policy."""
    milestones = [
        Milestone("order_captured", "order", (Authority("crm"),)),
        Milestone("shipment_confirmed", "shipment", (Authority("wms"),)),
        Milestone(
            "invoice_released",
            "invoice",
            (Authority("erp", When(((Condition("channel", "in", ("edi",)),),))), Authority("erp")),
        ),
    ]
    retry = Action(
        id="retry-invoice",
        kind="retry",
        stage="ship-to-invoice",
        target="middleware",
        request=Request("POST", "/retry/{order_id}", {"stage": "{stage}", "attempt": "{attempt}", "why": "{error}"}),
        verify=Verify("invoice_released", 60),
        policy=Policy(**{"attempts": 3, "backoff": "fixed", "first_s": 30, **policy}),
    )
    return Book(
        hash="book1",
        process=Process(("order_captured",), (Done("invoice_released", "invoice"),)),
        milestones={m.name: m for m in milestones},
        calendars={
            "office": Calendar.from_config({"zone": "UTC", "open": {"mon-fri": ["08:00-16:00"]}}, "office"),
        },
        stages=(
            Stage("capture-to-ship", Anchor("order_captured"), Anchor("shipment_confirmed"), Budget(3600)),
            Stage(
                "ship-to-invoice",
                Anchor("shipment_confirmed"),
                Anchor("invoice_released"),
                Budget(7200),
                per="shipment",
                calendar="office",
            ),
        ),
        priorities=(Priority("P1"),),
        targets={
            "middleware": Target("middleware", "http", url, {"bearer": "env:TOWER_SECRET_MIDDLEWARE"}, timeout_s=0.5)
        },
        actions=(retry,),
    )


def clock_row(
    rule: str = "ship-to-invoice",
    object_type: str = "shipment",
    object_id: str = "S1",
    verdict: str = "late",
    state: str = "running",
    started_at: datetime = T0 - timedelta(hours=3),
    **more: Any,
) -> dict[str, Any]:
    """Return one clock as columns of `orders.clocks`."""
    due_at = more.pop("due_at", started_at + timedelta(hours=2))
    return {
        "rule": rule, "object_type": object_type, "object_id": object_id, "from_milestone": "shipment_confirmed",
        "to_milestone": "invoice_released", "from_event": 1, "to_event": 0, "started_at": started_at,
        "stopped_at": None, "due_at": due_at, "at_risk_at": None, "budget_s": 7200, "used_s": None,
        "calendar": "office@0123456789ab", "pauses": [], "state": state, "verdict": verdict, "provisional": 0,
        "system": "erp", "error": "", **more,
    }  # fmt: skip


@dataclass
class World:
    """Rows on a real store, a clock that stands still until moved."""

    store: Store
    now: datetime = T0
    _numbers: Any = field(default_factory=lambda: itertools.count(1))
    numbers: dict[str, int] = field(default_factory=dict)

    def clock(self) -> datetime:
        """Return the world's time."""
        return self.now

    def wait(self, seconds: float) -> datetime:
        """Let time pass and return the new instant."""
        self.now += timedelta(seconds=seconds)
        return self.now

    def hash_of(self, object_type: str, object_id: str) -> int:
        """Return the store's key of an object."""
        return self.hashes([(object_type, object_id)])[0]

    def hashes(self, objects: Sequence[tuple[str, str]]) -> list[int]:
        """Return the store's keys of many objects at once."""
        new = sorted({*objects} - _HASHES.keys())
        if new:
            sql = "SELECT arrayMap(o -> sipHash64(o.1, o.2), {new:Array(Tuple(String, String))})"
            with self.store.reader() as client:
                [[found]] = client.query(sql, parameters={"new": new}).result_rows
            _HASHES.update(zip(new, found, strict=True))
        return [_HASHES[o] for o in objects]

    def order(self, order_id: str, *clocks: dict[str, Any], **columns: Any) -> int:
        """Insert an order described by its first clock and return its number."""
        return self.orders([(order_id, list(clocks), columns)])[0]

    def orders(self, wanted: list[tuple[str, list[dict[str, Any]], dict[str, Any]]]) -> list[int]:
        """Insert many orders at once."""
        self.hashes([(c["object_type"], c["object_id"]) for _, clocks, _ in wanted for c in clocks])
        rows = [self._order_row(*w) for w in wanted]
        self._insert("orders", rows)
        return [int(r["order_no"]) for r in rows]

    def _order_row(self, order_id: str, clocks: list[dict[str, Any]], columns: dict[str, Any]) -> dict[str, Any]:
        number = self.numbers.setdefault(order_id, next(self._numbers))
        worst = clocks[0] if clocks else {}
        amount = columns.pop("amount", Decimal("100.50"))
        state = columns.pop("state", worst.get("verdict", "on_track"))
        row: dict[str, Any] = {
            "order_no": number, "order_id": order_id, "on_board": 1, "state": state, "closed_at": None,
            "started_at": T0 - timedelta(hours=4), "stage": worst.get("rule", ""),
            "object_type": worst.get("object_type", ""), "object_id": worst.get("object_id", ""),
            "since": worst.get("started_at"), "due_at": worst.get("due_at"), "budget_s": worst.get("budget_s"),
            "priority": "P2", "amount": amount, "currency": "EUR", "reporting_amount": amount,
            "value_at_risk": amount if state not in ("on_track", "done", "cancelled") else Decimal(0),
            "quantity": None, "customer_id": "C-1", "customer_tier": "", "channel": "edi", "order_type": "standard",
            "company": "DE01", "warehouse": "HH2", "partner": "", "promised_at": None, "requested_at": None,
            "system": worst.get("system", ""), "error": worst.get("error", ""), "last_milestone": "shipment_confirmed",
            "last_at": T0 - timedelta(hours=3), "next_milestone": worst.get("to_milestone", ""), "facts": 1,
            "version": f"v-{order_id}", "next_at": FAR, "waits_for": [], "book": "book1", "judged_at": self.now,
            **columns,
        }  # fmt: skip
        clocks = [{**c, "object": self.hash_of(c["object_type"], c["object_id"])} for c in clocks]
        for name in clock_row():
            row[f"clocks.{name}"] = [c[name] for c in clocks]
        row["clocks.object"] = [c["object"] for c in clocks]
        return row

    def link(self, order_id: str, child: tuple[str, str], parent: tuple[str, str], **more: Any) -> None:
        """State that child hangs from parent in an order."""
        self.links([(order_id, child, parent)], **more)

    def links(self, wanted: Sequence[tuple[str, tuple[str, str], tuple[str, str]]], **more: Any) -> None:
        """State many links at once, each (order, child, parent)."""
        at = more.get("occurred_at", T0 - timedelta(hours=3))
        self.hashes([name for _, *ends in wanted for name in ends])
        rows = []
        for order_id, child, parent in wanted:
            number = next(self._numbers)
            rows.append({
                "order_no": self.numbers[order_id], "child": self.hash_of(*child), "child_type": child[0],
                "child_id": child[1], "parent": self.hash_of(*parent), "parent_type": parent[0], "parent_id": parent[1],
                "relation": "ships", "retract": 0, "ev": number, "body": number, "event_id": f"l{number}",
                "source": "/wms/hh", "occurred_at": at, "received_at": at, **more,
            })  # fmt: skip
        self._insert("case_links", rows)

    def fact(self, order_id: str, milestone: str, on: tuple[str, str], **more: Any) -> None:
        """State that a milestone was reached on an object of an order; by erp, now, unless said otherwise."""
        self.facts([(order_id, milestone, on)], **more)

    def facts(self, wanted: Sequence[tuple[str, str, tuple[str, str]]], **more: Any) -> None:
        """State many facts at once, each (order, milestone, object)."""
        self.tell([(*fact, more) for fact in wanted])

    def tell(self, wanted: Sequence[tuple[str, str, tuple[str, str], dict[str, Any]]]) -> None:
        """State many facts at once, each (order, milestone, object, what differs from erp's word of now)."""
        self.hashes([on for _, _, on, _ in wanted])
        rows = []
        for order_id, milestone, on, more in wanted:
            number = more.get("number") or next(self._numbers)
            rows.append({
                "order_no": self.numbers.get(order_id, 0), "object": self.hash_of(*on), "object_type": on[0],
                "object_id": on[1], "ev": number, "body": number, "event_id": f"e{number}", "source": "/erp/one",
                "connection": "", "kind": "erp", "milestone": milestone, "polarity": "reached", "occurred_at": self.now,
                "received_at": self.now, "reason": "", "error": "", "trace_id": "",
                **{name: value for name, value in more.items() if name != "number"},
            })  # fmt: skip
        self._insert("case_facts", rows)

    def _insert(self, table: str, rows: list[dict[str, Any]]) -> None:
        if rows:
            with self.store.writer() as client:
                client.insert(table, [list(r.values()) for r in rows], column_names=list(rows[0]))

    def count(self, table: str) -> int:
        """Return how many rows a table holds."""
        with self.store.reader() as client:
            return int(client.query(f"SELECT count() FROM {table}").result_rows[0][0])

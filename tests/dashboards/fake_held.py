"""The fake tower's quarantine and orphans: lists that acts change, in the shapes of the API."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

BASE = 12_345_678_901_234_567_000  # ids that do not fit a JSON number
ORDER = {
    "id": 820982911946154508, "total_price": "540.10", "currency": "EUR", "customer": {"id": 7, "email": "•••"},
    "shipping_address": {"name": "•••", "address1": "•••", "zip": "•••", "country": "DE"}, "line_items": [{"sku": "A-1", "quantity": 2}],
}  # fmt: skip
WHY = {
    "mapping_failed": "order.yaml: emit[order_captured].attributes.amount: 'n/a' is no number",
    "unknown_milestone": "the rulebook has no milestone shiped; add it there and replay",
    "unmapped_payload": "no mapping of the set shopify knows it; it holds checkout, id, token",
    "conflict": "another body was stored under the same source and id; the one with the smaller hash counts",
}


def iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class Held:
    """What waits. `mended`: what a replay takes; the rest is held again."""

    now: Callable[[], datetime]
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    orphans: list[dict[str, Any]] = field(default_factory=list)
    mended: set[str] = field(default_factory=set)
    done: list[tuple[str, str, tuple[str, ...], str]] = field(default_factory=list)  # who, act, ids, reason
    links: list[dict[str, Any]] = field(default_factory=list)
    looks: list[tuple[str, str]] = field(default_factory=list)  # who saw what tells of people

    def __post_init__(self) -> None:
        for reason, connection, count in (
            ("mapping_failed", "shop-eu", 17), ("unknown_milestone", "wms-hamburg", 4), ("unmapped_payload", "shop-eu", 3),
            ("conflict", "erp-main", 1),
        ):  # fmt: skip
            for n in range(count):
                self.hold(reason, connection, minutes=3 + 7 * n)
        self.orphans = [
            _orphan("payment", "remittance_no:BANK/PAY-88121", 26, "18450.00", ["payment_received"], ["/bank/statements"]),
            _orphan("order", "customer_po:C-42/PO 4711", 50, "9120.40", ["order_captured"], ["/edi/gateway"], candidates=["SO-100003", "SO-100007"]),
            _orphan("shipment", "tracking_no:UPS/1Z999AA10123456784", 7, None, ["in_transit", "delivered"], ["/tms/main"]),
            _orphan("invoice", "INV-99120", 3, "120.00", ["invoice_released"], ["/erp/main"], orders=["SO-NEVER"]),
        ]  # fmt: skip

    def hold(self, reason: str, connection: str, minutes: float = 5, **more: Any) -> str:
        held_id = str(BASE + len(self.rows))
        native = connection == "shop-eu"
        self.rows[held_id] = {
            "id": held_id, "received_at": iso(self.now() - timedelta(minutes=minutes)), "connection": connection,
            "source": f"/{connection}", "event_id": f"e-{len(self.rows)}", "reason": reason, "detail": WHY[reason],
            "type": "orders/create" if native else "o2c.shiped", "state": "open", "note": "",
            "raw_id": f"019ca8f0c840{len(self.rows):020x}" if native else "",
            "mapping": "shopify.order@1:e0882d9b" if reason == "mapping_failed" else "", "raw": json.dumps(ORDER, ensure_ascii=False), **more,
        }  # fmt: skip
        return held_id

    def open(self, **wanted: str) -> list[dict[str, Any]]:
        rows = [r for r in self.rows.values() if r["state"] == "open" and all(r[k] == v for k, v in wanted.items())]
        return sorted(rows, key=lambda r: r["received_at"], reverse=True)

    def groups(self, connection: str = "") -> dict[str, Any]:
        found: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for row in self.open(**({"connection": connection} if connection else {})):
            found.setdefault((row["reason"], row["connection"]), []).append(row)
        groups = [
            {
                "reason": reason, "connection": name, "count": len(rows), "first_at": rows[-1]["received_at"],
                "last_at": rows[0]["received_at"], "native": sum(bool(r["raw_id"]) for r in rows), "readable": len(rows),
                "mappings": sorted({r["mapping"] for r in rows} - {""}), "types": sorted({r["type"] for r in rows}),
                "sample_id": rows[0]["id"], "sample_detail": rows[0]["detail"],
            }
            for (reason, name), rows in found.items()
        ]  # fmt: skip
        return {"groups": sorted(groups, key=lambda g: -int(str(g["count"]))), "as_of": iso(self.now())}

    def one(self, who: str, held_id: str, *, persons: bool) -> dict[str, Any] | None:
        row = self.rows.get(held_id)
        if row is None:
            return None
        if persons:
            self.looks.append((who, held_id))
        body = str(row["raw"]).replace('"email": "•••"', '"email": "ann@example.com"') if persons else row["raw"]
        shown = {k: v for k, v in row.items() if k != "raw"}
        headers = {"x-shopify-topic": "orders/create", "content-type": "application/json"} if row["raw_id"] else {}
        return {
            **shown, "headers": headers, "query": {}, "has_body": bool(body), "encoding": "utf-8", "body": body,
            "truncated": False, "persons": persons,
        }  # fmt: skip

    def act(self, who: str, act: str, ids: list[str], reason: str) -> dict[str, Any]:
        self.done.append((who, act, tuple(ids), reason))
        items = []
        for held_id in ids:
            row = self.rows.get(held_id)
            if row is None or row["state"] != "open":
                result = "gone"
            elif act == "discard":
                row.update(state="discarded", note=reason)
                result = "discarded"
            elif held_id in self.mended or row["reason"] in self.mended:
                row.update(state="replayed", note=reason)
                result = "taken"
            else:
                result = "held"
            items.append({"id": held_id, "result": result})
        return {"items": items}

    def dry_run(self, held_id: str) -> dict[str, Any]:
        row = self.rows[held_id]
        if held_id in self.mended or row["reason"] in self.mended:
            data = {"order_id": "commerce_order_id:shop-eu/820982911946154508", "amount": "540.10", "currency": "EUR"}
            event = {"type": "o2c.order_captured", "time": iso(self.now()), "data": data}
            document = {"position": "$", "mapping": "shopify.order@2:11aa22bb", "events": [event], "reason": "", "detail": "", "ignored": "", "notes": []}  # fmt: skip
        else:
            document = {"position": "$", "mapping": row["mapping"], "events": [], "reason": row["reason"], "detail": row["detail"], "ignored": "", "notes": []}  # fmt: skip
        return {"raw_id": row["raw_id"], "documents": [document]}

    def find_orphans(self, query: Any) -> dict[str, Any]:
        rows = [
            o
            for o in self.orphans
            if query.get("object_type", o["object_type"]) == o["object_type"]
            and query.get("q", "").lower() in o["object_id"].lower()
        ]
        keys: dict[str, Callable[[dict[str, Any]], Any]] = {
            "-value": lambda o: -float(o["value"] or 0), "first_at": lambda o: o["first_at"], "-last_at": lambda o: -o["age_s"],
        }  # fmt: skip
        rows.sort(key=keys[query.get("sort", "-last_at")])
        total = sum(float(o["value"] or 0) for o in rows)
        return {"orphans": rows, "total": len(rows), "value_total": f"{total:.2f}", "as_of": iso(self.now()), "next_cursor": None}  # fmt: skip

    def link(self, request: dict[str, Any]) -> None:
        self.links.append(request)
        self.orphans = [o for o in self.orphans if f"{o['object_type']}:{o['object_id']}" != request["from"]]


def _orphan(
    kind: str, name: str, hours: float, value: str | None, milestones: list[str], sources: list[str],
    candidates: list[str] | None = None, orders: list[str] | None = None,
) -> dict[str, Any]:  # fmt: skip
    key, _, rest = name.partition(":")
    scope, _, number = rest.partition("/")
    first = datetime.now(UTC) - timedelta(hours=hours)
    return {
        "object_type": kind, "object_id": name, "key": key if rest else "", "scope": scope if rest else "",
        "number": number if rest else name, "events": len(milestones), "first_at": iso(first), "last_at": iso(first),
        "age_s": int(hours * 3600), "milestones": milestones, "sources": sources, "amount": value,
        "currency": "EUR" if value else "", "value": value, "orders": orders or [],
        "candidates": [{"object_type": "order", "object_id": c} for c in candidates or ()],
    }  # fmt: skip

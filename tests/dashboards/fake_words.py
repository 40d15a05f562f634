"""What the fake tower speaks of: states, stages, customers, columns, keys, targets; and how it writes a moment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

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

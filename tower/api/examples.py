"""Worked answers of the larger endpoints, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

ORDER_ROW: dict[str, Any] = {
    "order_id": "SO-1", "state": "late", "stage": "ship-to-invoice", "since": "2026-11-23T07:00:00.000Z",
    "due_at": "2026-11-23T09:00:00.000Z", "age_s": 10800, "overdue_s": 3600, "priority": "P1", "amount": "1234.50",
    "currency": "EUR", "value_at_risk": "1234.50", "customer_id": "C-7", "customer_tier": "strategic",
    "system": "erp", "error": "", "last_milestone": "shipment_confirmed", "last_at": "2026-11-23T07:00:00.000Z",
    "next_milestone": "invoice_released", "retries": 0, "retryable": True, "version": "9f86d081884c7d65",
    "object_type": "shipment", "object_id": "S1", "budget_s": 7200, "used_s": 10800, "reporting_amount": "1234.50",
    "closed_at": None, "order_type": "standard", "warehouse": "HH2", "company": "DE01", "partner": "",
    "channel": "edi", "odds": 1.0, "predicted_at": "2026-11-23T10:22:00.000Z", "self_heal_odds": 0.38, "score": 51.1249,
    "rate_date": None, "held_by": "", "assignee": "ana", "escalated_by": "", "closed_by": "",
}  # fmt: skip
ORDERS: dict[str, Any] = {
    "orders": [ORDER_ROW],
    "total": 1,
    "value_total": "1234.50",
    "as_of": "2026-11-23T10:00:00.000Z",
    "next_cursor": None,
}
ORDER: dict[str, Any] = {
    **ORDER_ROW,
    "as_of": "2026-11-23T10:00:00.000Z",
    "score_terms": {"value": 15.4597, "tier": 5.0, "promise": 0.0, "cash": 0.0402, "ageing": 0.625, "odds": 30.0},
    "attributes": {"amount": "1234.50", "currency": "EUR", "customer_id": "C-7"},
    "objects": [{"object_type": "order", "object_id": "SO-1"}, {"object_type": "shipment", "object_id": "S1"}],
    "links": [
        {"child_type": "shipment", "child_id": "S1", "parent_type": "order", "parent_id": "SO-1", "relation": "ships",
         "said_at": "2026-11-23T07:00:00.000Z"}
    ],
    "milestones": [
        {"milestone": "shipment_confirmed", "object_type": "shipment", "object_id": "S1",
         "occurred_at": "2026-11-23T07:00:00.000Z", "received_at": "2026-11-23T07:00:01.000Z", "system": "wms",
         "authority": "wms", "provisional": False,
         "echoes": [{"system": "crm", "occurred_at": "2026-11-23T07:05:00.000Z",
                     "received_at": "2026-11-23T07:05:01.000Z", "lag_s": 300}],
         "sync_lag_s": 300}
    ],
    "events": [],
    "clocks": [
        {"stage": "ship-to-invoice", "object_type": "shipment", "object_id": "S1",
         "started_at": "2026-11-23T07:00:00.000Z", "stopped_at": None, "due_at": "2026-11-23T09:00:00.000Z",
         "budget_s": 7200, "used_s": 10800, "overdue_s": 3600, "state": "running", "verdict": "late",
         "odds": 1.0, "predicted_at": "2026-11-23T10:22:00.000Z", "self_heal_odds": 0.38,
         "self_heal_by": "2026-11-23T10:01:00.000Z",
         "odds_from": {"rule": "ship-to-invoice", "segment": "P1 / standard / HH2", "cases": 812, "ended": 790,
                       "thin": False, "built_at": "2026-11-23T09:58:00.000Z", "outlasts_used": 0.021,
                       "outlasts_budget": 0.034, "seen_at_used": 17},
         "self_heal_from": {"rule": "ship-to-invoice", "segment": "P1 / standard / HH2", "cases": 812, "ended": 790,
                            "thin": False, "built_at": "2026-11-23T09:58:00.000Z"},
         "at_risk_by": None}
    ],
    "findings": [],
    "traces": [
        {"trace_id": "5b8efff798038103d269b633813fc60c", "started_at": "2026-11-23T09:10:00.000Z", "duration_ms": 812.5,
         "url": "http://jaeger.example/trace/5b8efff798038103d269b633813fc60c",
         "failed_hop": {"span_id": "eee19b7ec3c1b174", "service": "tax-engine", "name": "POST /tax",
                        "message": "timeout after 800 ms"},
         "spans": [
             {"span_id": "eee19b7ec3c1b174", "parent_span_id": "eee19b7ec3c1b173", "service": "tax-engine",
              "name": "POST /tax", "kind": "Server", "started_at": "2026-11-23T09:10:00.010Z", "offset_ms": 10.2,
              "duration_ms": 800.0, "status": "Error", "status_message": "timeout after 800 ms",
              "attributes": {"http.response.status_code": "504"}}]}
    ],
    "logs": [
        {"at": "2026-11-23T09:10:00.810Z", "trace_id": "5b8efff798038103d269b633813fc60c",
         "span_id": "eee19b7ec3c1b174", "severity_number": 17, "severity": "ERROR", "service": "tax-engine",
         "event": "", "body": "no rates for DE-BY"}
    ],
    "alerts": [],
    "actions": [],
    "by_hand": [
        {"what": "assigned", "undo": False, "by": "ana", "assignee": "ana", "said": "",
         "at": "2026-11-23T09:30:00.000Z", "received_at": "2026-11-23T09:30:00.400Z"}
    ],
}  # fmt: skip
WHY: dict[str, Any] = {
    "order_id": "SO-1",
    "as_of": "2026-11-23T10:00:00.000Z",
    "book": "a1b2c3",
    "book_since": "2026-11-01T08:00:00.000Z",
    "rules": [],
    "clocks": [],
    "findings": [],
    "events": [],
    "heard": [],
    "feeds": [],
    "script": "SET join_use_nulls = 1; ...",
    "sql": [],
    "parameters": {},
}
ITEM: dict[str, Any] = {
    "action_id": "4be1", "item_id": "9cc2", "kind": "retry", "rule_action": "retry-invoice", "order_id": "SO-1",
    "object_type": "shipment", "object_id": "S1", "stage": "ship-to-invoice", "state": "accepted", "attempts": 1,
    "requested_by": "ana", "requested_at": "2026-11-23T10:00:00.000Z", "noted_at": "2026-11-23T10:00:00.400Z",
    "sent_at": "2026-11-23T10:00:00.400Z", "accepted_at": "2026-11-23T10:00:00.460Z",
    "verify_by": "2026-11-23T10:01:00.460Z", "next_at": None, "finished_at": None, "status_code": 200, "error": "",
    "amount": "1234.50", "detail": "200 OK",
}  # fmt: skip
ACTION: dict[str, Any] = {
    "action_id": "4be1", "kind": "retry", "stage": "ship-to-invoice", "reason": "tax fixed", "requested_by": "ana",
    "requested_at": "2026-11-23T10:00:00.000Z", "counts": {"accepted": 1}, "safety": "R1", "state": "running",
    "state_by": "", "state_reason": "", "state_at": None,
    "progress": {"total": 1, "waiting": 0, "sent": 0, "accepted": 1, "verified": 0, "no_effect": 0, "duplicated": 0,
                 "regressed": 0, "failed": 0, "expired": 0, "cancelled": 0},
    "least_verified": None, "waves": [{"wave": 1, "total": 1, "waiting": 0, "accepted": 1}], "steps": [],
    "filter": None,
    "arrived_since": None, "items": [ITEM],
}  # fmt: skip
REPLY: dict[str, Any] = {
    "action_id": "4be1",
    "items": [
        {"order_id": "SO-1", "result": "accepted", "stage": "ship-to-invoice", "detail": "",
         "objects": [{"object_type": "shipment", "object_id": "S1", "result": "accepted", "detail": "",
                      "item_id": "9cc2"}]}
    ],
}  # fmt: skip

_FIGURE: dict[str, Any] = {
    "value": 41.2,
    "unit": "per 1,000 orders",
    "low": None,
    "high": None,
    "label": "Exceptions per 1,000 orders",
    "better": "less",
    "formula": "breaches that opened within the window × 1,000 ÷ orders that came in",
    "inputs": {"per_orders": 1000},
    "counts": {"exceptions": 412, "orders_with_exceptions": 390, "orders": 10000},
    "behind": "exceptions",
    "baseline": {"value": 66.0, "counts": {"exceptions": 660}, "refused": None},
    "change": {"value": -0.375758, "in": "parts"},
}
ROI: dict[str, Any] = {
    "from": "2026-10-26T10:00:00.000Z",
    "to": "2026-11-23T10:00:00.000Z",
    "as_of": "2026-11-23T10:00:00.000Z",
    "known_at": "2026-11-23T10:00:00.000Z",
    "currency": "EUR",
    "rate_date": "2026-01-01",
    "book": "a1b2",
    "baseline": {
        "baseline_id": "b-1",
        "locked_at": "2026-10-26T10:00:00.000Z",
        "locked_by": "admin",
        "reason": "go-live",
        "since": "2026-09-28T10:00:00.000Z",
        "until": "2026-10-26T10:00:00.000Z",
        "currency": "EUR",
        "book": "a1b2",
    },
    "figures": {"exceptions_per_1000": _FIGURE},
    "earned_from": "2026-10-26T10:00:00.000Z",
    "earned": [
        {
            "stage": "all",
            "figures": {
                "hours_saved": {
                    "value": 310.2,
                    "unit": "hours",
                    "low": 220.9,
                    "high": 402.7,
                    "label": "Hours won by acting",
                    "better": "more",
                    "formula": "(mean time untreated twins still waited − mean time after an act) × acts with twins",
                    "inputs": {"horizon_s": 259200, "saved_s_an_act": 6530.5},
                    "counts": {"acts": 180, "matched": 171, "orders": 168, "twin_orders": 412},
                    "behind": "acted",
                }
            },
        }
    ],
    "realized": [{"stage": "ship-to-invoice", "acts": 118.0, "amount": "402000.00", "not_priced": 2}],
    "at_risk": {
        "orders": 12,
        "value": "188000.00",
        "not_priced": 0,
        "stages": [{"stage": "ship-to-invoice", "orders": 12, "value": "188000.00", "not_priced": 0}],
    },
    "trend": [{"at": "2026-10-26T10:00:00.000Z", "exceptions_per_1000": 41.2}],
    "groups": [
        {
            "group": "invoice",
            "exceptions": 40,
            "stages_in_time": 0.97,
            "time_p50": 1800.0,
            "time_p90": 7100.0,
            "touches": 12,
            "value_found": "52000.00",
            "value_moved": "18000.00",
            "counts": {
                "ended": 9100,
                "in_time": 8830,
                "orders_with_exceptions": 39,
                "verified_acts": 9,
                "not_priced": 0,
            },
        }
    ],
    "by": "phase",
}

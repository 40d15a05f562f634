"""Why, as a sequence a person reads: from the evidence to the lines, and on the page of an order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dashboards.tower_ui.why_model import Story, rules_of, stories
from tests.dashboards.conftest import app as start
from tests.dashboards.conftest import turn_to
from tests.dashboards.fake_api import FakeTower
from tests.dashboards.fake_why import evidence
from tests.dashboards.test_pages import text

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
STAGE = ("ship-to-invoice", "Invoicing", "shipment_confirmed", "invoice_released", ["erp"])
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


def told(**clock: Any) -> dict[str, Any]:
    """Return the evidence of a clock that is late, with some of its values changed."""
    plain = {
        "stage": "ship-to-invoice", "object_type": "shipment", "object_id": "S1", "stopped_at": None, "budget_s": 7200,
        "started_at": (NOW - timedelta(hours=5)).isoformat(), "due_at": (NOW - timedelta(hours=2)).isoformat(),
        "used_s": 14400, "state": "running", "verdict": "late", **clock,
    }  # fmt: skip
    return evidence({"order_id": "SO-1", "state": "late", "clocks": [plain]}, "ship-to-invoice", STAGE, NOW)


def lines(story: Story) -> dict[str, str]:
    return {line.name: f"{line.text} | {line.detail}" for line in story.lines}


def test_a_late_clock_is_told_from_the_promise_to_what_would_close_it() -> None:
    (story,) = stories(told(), UTC, NOW)
    said = lines(story)
    assert (story.title, story.state) == ("Invoicing · shipment S1", "late")
    assert list(said) == [
        "Promised",
        "Began",
        "Counted",
        "Taken out",
        "Whose word",
        "Heard instead",
        "So",
        "Would close it",
    ]
    assert said["Promised"].startswith("Shipment confirmed → Invoice released: 2h of finance time | Rule ship-to-invoice (stages.yaml:33), version 3f9a12c07b11, in force since")  # fmt: skip
    assert said["Began"] == "07:00:00, shipment confirmed by WMS (/wms/main) | Heard 4s after it happened, event SO-1/shipment_confirmed"  # fmt: skip
    assert said["Counted"] == "4h of 2h used; due 10:00:00 | Only the open time of calendar finance counts"
    assert said["Taken out"] == "07:05:00 to 07:25:00 | Pauses: credit held to credit released"
    assert said["Whose word"] == "ERP alone says invoice released | erp-main heard up to 12:00:00"
    assert said["Heard instead"].startswith("CRM said at 08:00:00 that it happened | Heard 1m after")
    assert said["So"].startswith("Late since 10:00:00")
    assert said["Would close it"].startswith("Invoice released from ERP on shipment S1") and "finance-ops" in said["Would close it"]  # fmt: skip


@pytest.mark.parametrize(("clock", "so"), [
    ({"verdict": "unknown"}, "the owner's feed is behind"),
    ({"verdict": "on_track", "state": "paused"}, "Stands still"),
    ({"verdict": "", "state": "stopped", "stopped_at": (NOW - timedelta(hours=1)).isoformat()}, "1h 00m late"),
    ({"verdict": "", "state": "ended", "stopped_at": (NOW - timedelta(hours=1)).isoformat()}, "with its order"),
])  # fmt: skip
def test_each_verdict_has_its_sentence(clock: dict[str, Any], so: str) -> None:
    (story,) = stories(told(**clock), UTC, NOW)
    said = lines(story)
    assert so in said["So"] and ("Would close it" in said) == (clock.get("stopped_at") is None)


def finding(kind: str, rule: dict[str, Any], **evidence: Any) -> dict[str, str]:
    """Return the lines of one finding that is open."""
    row = {
        "rule": rule.get("id", "invoice_released.failed"), "kind": kind, "object_type": "shipment", "object_id": "S1",
        "opened_at": NOW.isoformat(), "resolved_at": None, "milestone": "invoice_released", "system": "erp", "error": "",
        "evidence": evidence,
    }  # fmt: skip
    (story,) = stories({"findings": [row], "rules": [rule] if rule else [], "book": "b"}, UTC, NOW)
    assert story.state == ("failing" if kind == "failing" else "diverging")
    return lines(story)


def test_findings_say_what_must_not_be_and_what_would_end_it() -> None:
    rule = {"id": "early", "label": "Invoice before goods", "first": "shipment_confirmed", "then": "invoice_released", "settle_s": 1800}  # fmt: skip
    said = finding("out_of_order", rule)
    assert said["Promised"].startswith("No invoice released without shipment confirmed, for longer than 30m")
    said = finding("diverging", {"id": "d", "fact": "invoice_released", "systems": ["erp", "crm"]},
                   says=[{"system": "erp", "reached": True, "amount": "250", "currency": "EUR"}, {"system": "crm", "reached": False}],
                   difference="250", currency="EUR")  # fmt: skip
    assert said["Promised"].startswith("ERP and CRM do not differ on invoice released")
    assert said["Told"].startswith("The difference is 250 EUR") and "say the same again" in said["Would close it"]
    assert "once for each order" in finding("duplicate", {"id": "d", "milestone": "invoice_released", "per": "order"})["Promised"]  # fmt: skip
    assert "CRM hears of delivered within 15m" in finding("sync_late", {"id": "s", "milestone": "delivered", "system": "crm", "within_s": 900}, lag_s=60)["Promised"]  # fmt: skip
    assert "No step fails: invoice released" in finding("failing", {})["Promised"]


def test_the_rules_of_an_order_are_those_of_its_clocks_and_findings_once() -> None:
    body = {"clocks": [{"stage": "a"}, {"stage": "a"}], "findings": [{"rule": "a"}, {"rule": "x.failed"}]}
    assert rules_of(body) == ["a", "x.failed"]


@pytest.mark.usefixtures("started")
def test_the_past_of_an_order_says_so_and_offers_no_retry(tower: FakeTower) -> None:
    order = next(i for i, r in tower.rows.items() if r["state"] == "late")
    at = turn_to(start(), "order")
    at.query_params["id"], at.query_params["as_of"] = order, "2026-11-20T09:00:00Z"
    at.run()
    assert not at.exception and "not live" in text(at)
    assert at.button(key="retry").disabled and "the past" in at.button(key="retry").help


@pytest.mark.usefixtures("started")
def test_the_board_of_the_past_says_so_and_leads_back(tower: FakeTower) -> None:
    at = start(as_of="2026-11-20T09:00:00Z").run()
    assert not at.exception
    assert "not live" in text(at) and "then" in text(at)
    at.button(key="back_to_live").click().run()
    assert not at.exception and "not live" not in text(at)

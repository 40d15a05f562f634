"""What the Alerts page says in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dashboards.tower_ui import alert_model

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
STAGES = {"ship-to-invoice": "Invoicing"}


def row(**more: Any) -> dict[str, Any]:
    return {
        "alert_id": "a1", "state": "open", "receiver": "on-call", "labels": {"stage": "ship-to-invoice", "system": "erp"},
        "priority": "P1", "value": "1200.50", "orders": 2, "open_breaches": 3, "told_at": "2026-11-23T09:00:00Z",
        "opened_at": "2026-11-23T09:00:00Z", "reason": "more", "next_at": "2026-11-23T12:00:00Z", "next_reason": "repeat",
        "acknowledged_by": "", "note": "", "closed_at": None, "outcome": "", **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ({"stage": "ship-to-invoice", "system": "erp"}, "Invoicing, waiting for ERP"),
        ({"stage": "ship-to-invoice"}, "Invoicing"),
        ({"kind": "feed_late", "connection": "wms-berlin", "target": ""}, "Late feed: wms-berlin"),
        ({"kind": "target_down", "target": "middleware"}, "Target down: middleware"),
        ({"customer_id": "C-7"}, "C-7"),
        ({"stage": ""}, "All breaches"),
    ],
)
def test_an_alert_is_called_by_what_its_breaches_have_in_common(labels: dict[str, str], says: str) -> None:
    assert alert_model.read_alert(row(labels=labels), STAGES).what == says


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({}, "reminder in 2h 00m"),
        ({"next_at": "2026-11-23T09:59:00Z", "next_reason": "more"}, "further breaches now"),
        ({"next_at": None, "acknowledged_by": "ann"}, "none: acknowledged"),
        ({"next_at": None, "open_breaches": 0}, "over, if it stays so"),
        ({"next_at": None, "told_at": None}, "none"),
        ({"closed_at": "2026-11-23T09:30:00Z"}, "over since 09:30:00"),
    ],
)
def test_it_says_what_comes_next(more: dict[str, Any], says: str) -> None:
    assert alert_model.next_words(alert_model.read_alert(row(**more), STAGES), UTC, NOW) == says


@pytest.mark.parametrize(
    ("member", "says"),
    [
        ({"told": 1, "held_by": "breach b"}, "told"),
        ({"quiet": True}, "history"),
        ({"held_by": "silence s1"}, "silenced (s1)"),
        ({"held_by": "breach b9"}, "behind another alert"),
        ({}, "not yet"),
        ({"state": "resolved"}, "came and went"),
    ],
)
def test_each_breach_says_whether_it_was_told(member: dict[str, Any], says: str) -> None:
    assert alert_model.told_words(member) == says


def test_a_silence_goes_by_what_was_chosen_and_says_what_it_catches() -> None:
    alert = alert_model.read_alert(row(), STAGES)
    assert alert_model.matchers_of(alert, ["system", "kind"]) == {"system": "erp"}
    catches = {"breaches": 3, "alerts": 1, "order_count": 2, "value": "96500.00"}
    assert alert_model.catches_words(catches, "EUR") == "3 breaches of 2 orders in 1 alert, €96.5k at risk"
    assert all(length > timedelta(0) for length in alert_model.LENGTHS.values())


def test_the_rule_that_cries_wolf_comes_first() -> None:
    def rule(name: str, precision: float) -> dict[str, Any]:
        return {
            "rule": name,
            "alerts": 4,
            "breaches": 9,
            "precision": precision,
            "real": 1,
            "lead_s": None,
            "ack_s": 60,
            "over_s": 90,
        }

    scores = alert_model.read_scores(
        {"rules": [rule("ship-to-invoice", 0.75), rule("feed.bank", 0.25), rule("tax_calculated.failed", 1)]}, STAGES
    )
    assert [(s.rule, s.precision) for s in scores] == [
        ("Late feed: bank", 25),
        ("Invoicing", 75),
        ("Tax calculated fails", 100),
    ]

"""What the Jeopardy page says of curves and outcomes, and where its points lie."""

from __future__ import annotations

from datetime import UTC, datetime

from dashboards.tower_ui import theme
from dashboards.tower_ui.grid.payload import board_columns
from dashboards.tower_ui.jeopardy_model import curve_rows, read_outcomes
from dashboards.tower_ui.order_model import read_order
from dashboards.tower_ui.reliability import reliability
from tests.dashboards.fake_jeopardy import jeopardy

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LABELS = {"capture-to-accept": "Capture", "ship-to-invoice": "Invoicing"}


def test_curves_come_in_process_order_the_whole_stage_first() -> None:
    rows = curve_rows(jeopardy(NOW), LABELS)
    assert [row[:3] for row in rows] == [
        ["Capture", "all", "12"],
        ["Invoicing", "all", "812"],
        ["Invoicing", "P1 / standard / BER1", "210"],
        ["Invoice released failed", "all", "44"],
    ]
    assert rows[0][4:6] == ["too few", "too few"]
    assert rows[1][4:] == ["40m", "1h 41m", "2h 00m", "6%"]


def test_each_tenth_is_a_point_and_few_predictions_are_pale() -> None:
    whole = read_outcomes(jeopardy(NOW))[0]
    line, points = reliability(whole.tenths, theme.DARK).data
    assert (list(line.x), list(line.y)) == ([0, 1], [0, 1])
    assert points.y[:2] == (0.04, 0.17)
    assert points.marker.opacity[0] == 1.0 and points.marker.opacity[-1] < 0.5
    assert points.hovertext[0] == "402 predictions of about 5%: 4% breached"


def test_nothing_predicted_draws_the_line_alone() -> None:
    assert read_outcomes({}) == []
    assert len(reliability((), theme.LIGHT).data[1].x) == 0


def test_an_order_says_the_chance_that_it_moves_by_itself_and_from_how_many_cases() -> None:
    clock = {
        "stage": "ship-to-invoice", "verdict": "late", "state": "running", "odds": 1.0, "self_heal_odds": 0.38,
        "self_heal_by": "2026-11-23T12:01:00Z", "odds_from": {"cases": 812}, "self_heal_from": {"cases": 790},
    }  # fmt: skip
    order = read_order({"order_id": "A", "state": "late", "stage": "ship-to-invoice", "clocks": [clock]}, LABELS)
    assert order.heals(UTC, NOW) == "38% move by themselves until 12:01:00, from 790 cases"
    assert order.clocks[0].source() == "from 812 cases"
    thin = read_order(
        {"order_id": "A", "stage": "ship-to-invoice", "clocks": [{**clock, "self_heal_odds": None}]}, LABELS
    )
    assert thin.heals(UTC, NOW) == ""


def test_a_score_is_told_with_its_terms_the_largest_first() -> None:
    body = {"order_id": "A", "score": 45.02, "score_terms": {"value": 15.0, "odds": 30.0, "tier": 0.0, "cash": 0.02}}
    assert read_order(body, LABELS).score_text() == "Score 45.0: odds 30.0 · value 15.0"
    assert read_order({"order_id": "A", "score": None}, LABELS).score_text() == ""


def test_the_board_has_a_column_for_odds() -> None:
    assert "odds" in [c["key"] for c in board_columns("EUR")]

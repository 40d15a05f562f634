"""What travels to the table."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from dashboards.tower_ui.board_model import Outcome
from dashboards.tower_ui.client import Board, Viewer
from dashboards.tower_ui.grid.grid import Seen, read_gestures
from dashboards.tower_ui.grid.payload import board_columns, board_payload, group_columns, group_payload
from tests.dashboards.conftest import Connect
from tests.dashboards.fake_api import FakeTower

NOW = datetime.now(UTC)
OUTCOME = Outcome("a1", "no_effect", "x", 1, "", "ana", NOW, NOW)


@pytest.fixture
def board(connect: Connect) -> Board:
    viewer = Viewer("ana", frozenset({"operator"}), "key-ana-operator")
    found = connect().board(viewer, {"state": "stuck", "limit": "500", "sort": "-value_at_risk"}).data
    assert found is not None
    return found


def payload(board: Board, outcomes: dict[str, Outcome] | None = None, **changes: Any) -> dict[str, Any]:
    options: dict[str, Any] = {
        "labels": {"pick-to-ship": "Fulfilment"}, "currency": "EUR", "now": NOW, "may_act": True, "live": True,
        "filters": "", "revision": "1",
    }  # fmt: skip
    return board_payload(board, outcomes or {}, **{**options, **changes})


def cell(data: dict[str, Any], name: str, row: int) -> Any:
    """Return a cell as the browser reads it."""
    column = data["cells"][name]
    return column[row] if isinstance(column, list) else column["d"][column["i"][row] if column["i"] else 0]


def test_every_row_of_the_board_arrives_with_its_id_version_and_exact_value(board: Board, tower: FakeTower) -> None:
    data = payload(board)
    assert len(data["ids"]) == board.total == len(board.frame)
    for row, order in enumerate(data["ids"]):
        assert data["versions"][row] == tower.rows[order]["version"]
        assert Decimal(cell(data, "value", row)) == tower.rows[order]["value_at_risk"] * 100


def test_a_cell_is_given_for_every_column_and_row(board: Board) -> None:
    data = payload(board)
    shown = {c["key"] for c in data["columns"]} - {"id"}
    assert shown <= set(data["cells"])
    for column in data["cells"].values():
        found = column if isinstance(column, list) else column["i"] or column["d"] * len(data["ids"])
        assert len(found) == len(data["ids"])


def test_it_is_plain_json_and_small(board: Board) -> None:
    size = len(json.dumps(payload(board)))
    assert size / len(board.frame) < 200


def test_an_order_in_flight_cannot_be_clicked_and_a_finished_try_is_told(board: Board) -> None:
    order, other = str(board.frame["order_id"][0]), str(board.frame["order_id"][1])
    data = payload(board, {order: replace(OUTCOME, state="accepted"), other: OUTCOME})
    assert cell(data, "act", 0) == "running"
    assert (cell(data, "outcome", 1), cell(data, "tone", 1)) == ("no effect", "bad")
    assert "did not move" in cell(data, "story", 1)


def test_a_step_that_must_not_be_repeated_says_so(board: Board) -> None:
    board.frame.loc[0, "retryable"] = False
    assert cell(payload(board), "act", 0) == "fix"


def test_an_order_that_left_still_has_its_fate(board: Board) -> None:
    data = payload(board, {"SO-GONE": replace(OUTCOME, state="verified")})
    assert data["fates"] == {"SO-GONE": ("verified", "good")}


def test_an_empty_board_is_an_empty_table(board: Board) -> None:
    data = payload(replace(board, frame=board.frame.head(0), total=0))
    assert data["ids"] == []


@pytest.mark.parametrize("width", [1240, 1640])
def test_the_columns_fit_the_table(width: int) -> None:
    for columns in (board_columns("EUR"), group_columns("EUR")):
        shown = [c for c in columns if not c["hide"] or width >= c["hide"]]
        assert sum(c["w"] for c in shown) + 12 * len(shown) + 58 <= width - 2


def test_groups_come_with_the_largest_value_first() -> None:
    groups = [
        {"stage": "a", "system": "erp", "error": "x", "count": 3, "value": "10.00", "retryable": True},
        {
            "stage": "b",
            "system": "wms",
            "error": "",
            "count": 1,
            "value": "99.99",
            "retryable": False,
            "last_outcome": "failed",
        },
    ]
    data = group_payload(groups, labels={}, currency="EUR", now=NOW, may_act=True, live=True, revision="1")
    assert data["ids"] == ["b\x1fwms\x1f", "a\x1ferp\x1fx"]
    assert cell(data, "error", 0) == "No error reported"
    assert (cell(data, "act", 0), cell(data, "act", 1)) == ("fix", "retry")
    assert cell(data, "outcome", 0) == "refused"


def test_a_group_says_when_the_last_retries_speak_against_another() -> None:
    """The advice of the tower stands where the last result would."""
    advice = "3 of the last 5 retries on this error had no effect: do not repeat"
    groups = [{"stage": "a", "system": "erp", "error": "x", "count": 3, "last_outcome": "verified", "advice": advice}]
    data = group_payload(groups, labels={}, currency="EUR", now=NOW, may_act=True, live=True, revision="1")
    assert [cell(data, name, 0) for name in ("outcome", "tone", "story")] == ["do not repeat", "bad", advice]


GOOD = {"kind": "retry", "click": "0123456789abcdef", "rows": [{"id": "SO-1", "version": "v"}]}


def test_a_gesture_names_ids_and_the_versions_seen() -> None:
    (found,) = read_gestures([GOOD])
    assert found.rows == (Seen("SO-1", "v"),)


@pytest.mark.parametrize(
    "value",
    [
        None, "retry", {}, {**GOOD, "kind": "delete"}, {**GOOD, "click": "x"}, {**GOOD, "click": None}, {**GOOD, "rows": []},
        {**GOOD, "rows": [{"id": 3, "version": "v"}]}, {**GOOD, "rows": [{"id": "SO-1"}]}, {**GOOD, "rows": "SO-1"},
        {**GOOD, "rows": [{"id": "SO-1", "version": "v"}, None]},
    ],
)  # fmt: skip
def test_what_is_no_gesture_does_nothing(value: Any) -> None:
    assert read_gestures(value) == []
    assert [g.click for g in read_gestures([value, GOOD])] == [GOOD["click"]]

"""Which words are offered for an order by hand, and how they read."""

from __future__ import annotations

from typing import Any

from dashboards.tower_ui import board_model, hand_model
from dashboards.tower_ui.actions import Answer
from dashboards.tower_ui.board_model import Filters

FREE: dict[str, Any] = {"closed": False, "held": False, "assigned": False, "escalated": False, "closed_by": ""}


def test_what_holds_is_offered_to_be_taken_back() -> None:
    assert hand_model.offered(**FREE) == ["assign", "hold", "note", "escalate", "mark_done"]
    busy = {**FREE, "held": True, "assigned": True, "escalated": True}
    assert hand_model.offered(**busy) == ["assign", "unassign", "release", "note", "deescalate", "mark_done"]
    assert hand_model.offered(**{**FREE, "closed": True}) == ["note"]
    assert hand_model.offered(**{**FREE, "closed": True, "closed_by": "ana"}) == ["note", "reopen"]


def test_words_read_as_sentences() -> None:
    said = [("held", False, ""), ("assigned", False, "ana"), ("assigned", False, "ben"), ("marked_done", True, "")]
    words = [{"what": w, "undo": undo, "by": "ana", "assignee": to} for w, undo, to in said]
    assert [hand_model.sentence(w) for w in words] == [
        "ana holds it", "ana works on it", "ana assigned it to ben", "ana opened it again",
    ]  # fmt: skip


def test_an_answer_names_what_was_refused_and_why() -> None:
    answer = Answer("a", {"SO-1": "accepted", "SO-2": "gone"}, {"SO-2": "the order is closed"})
    assert hand_model.message("hold", answer) == "SO-1 held · SO-2: the order is closed"
    assert "Look at the order" in hand_model.message("hold", Answer(error="Timeout.", certain=False))


def test_the_board_asks_for_owners_and_held_orders() -> None:
    assert Filters(view="held").params(5) == {"state": "open", "held": "true", "sort": "-value_at_risk", "limit": "5"}
    assert Filters(whose="").narrowing() == {"assignee": ""}
    assert Filters(whose="ana").count_params("late") == {"state": "late", "assignee": "ana", "limit": "1"}
    assert Filters(whose="").narrowed


def test_what_was_said_by_hand_is_no_retry() -> None:
    item = {"order_id": "SO-1", "state": "verified"}
    assert board_model.outcomes([{"action_id": "a", "kind": "hold", "items": [item]}]) == {}
    assert set(board_model.outcomes([{"action_id": "a", "kind": "retry", "items": [item]}])) == {"SO-1"}

"""Filters, outcomes and groups as values."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from dashboards.tower_ui import board_model
from dashboards.tower_ui.board_model import Filters

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def action(action_id: str, at: str, **items: str) -> dict[str, Any]:
    """Return an action whose items are order=state."""
    return {
        "action_id": action_id, "requested_by": "ana", "requested_at": f"2026-11-23T{at}:00.000Z",
        "items": [{"order_id": o.replace("_", "-"), "state": s, "attempts": 1, "stage": "x"} for o, s in items.items()],
    }  # fmt: skip


def test_the_default_question_is_what_needs_action_most_value_first() -> None:
    assert Filters().params(500) == {"state": "stuck", "sort": "-value_at_risk", "limit": "500"}


def test_every_filter_reaches_the_question_and_empty_ones_do_not() -> None:
    filters = Filters(view="late", stage="ship-to-invoice", priority="P1", text="  tax ", sort="longest")
    assert filters.params(10) == {
        "state": "late", "stage": "ship-to-invoice", "priority": "P1", "q": "tax", "sort": "-age", "limit": "10",
    }  # fmt: skip
    assert filters.narrowed
    assert not Filters(view="late", sort="severity", text="  ").narrowed


def test_an_unknown_view_or_sort_in_an_address_falls_back() -> None:
    assert Filters(view="x", sort="y").params(1) == Filters().params(1)


def test_the_newest_outcome_of_an_order_counts_whatever_the_order_of_the_list() -> None:
    old, new = action("a1", "10:00", SO_1="failed"), action("a2", "11:00", SO_1="verified")
    for actions in ([old, new], [new, old]):
        assert board_model.outcomes(actions)["SO-1"].action_id == "a2"


def test_an_action_in_flight_counts_over_a_newer_finished_one() -> None:
    flying, done = action("a1", "10:00", SO_1="accepted"), action("a2", "11:00", SO_1="no_effect")
    found = board_model.outcomes([flying, done])["SO-1"]
    assert (found.action_id, found.in_flight) == ("a1", True)


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("verified", "worked: the order moved"),
        ("no_effect", "no effect"),
        ("expired", "not known"),
        ("accepted", "waiting"),
    ],
)
def test_an_outcome_is_a_sentence(state: str, says: str) -> None:
    found = board_model.outcomes([action("a1", "11:00", SO_1=state)])["SO-1"]
    text = board_model.outcome_text(found, NOW)
    assert says in text
    assert "by ana" in text
    assert "1h 00m ago" in text


def test_sums_are_exact() -> None:
    assert board_model.total(["0.10"] * 3 + [None, Decimal("0.20")]) == Decimal("0.50")


def test_a_chosen_filter_stays_an_option_while_no_row_has_it() -> None:
    assert board_model.options(["a", "b", "a", ""], "z") == ["a", "b", "z"]


def test_an_address_has_the_words_of_the_screen() -> None:
    address = board_model.address(
        {"ship-to-invoice": "Invoicing"}, stage="ship-to-invoice", system="erp", sort="longest"
    )
    assert address == {"stage": "Invoicing", "system": "ERP", "sort": "Waiting longest"}


def test_groups_are_narrowed_by_stage_system_and_text() -> None:
    groups = [{"stage": "a", "system": "erp", "error": "Tax timeout"}, {"stage": "b", "system": "wms", "error": ""}]
    assert board_model.narrow_groups(groups, Filters(text="TAX")) == groups[:1]
    assert board_model.narrow_groups(groups, Filters(stage="b", system="wms")) == groups[1:]
    assert board_model.narrow_groups(groups, Filters(priority="P1")) == groups

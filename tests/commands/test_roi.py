"""`tower roi` tells figures as people read them, and says why where there is none."""

from __future__ import annotations

from typing import Any

import pytest
from rich.console import Console

from tests.dashboards.fake_value import roi
from tower.commands.roi import earned_table, figures_table, told_as


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (None, "share", "-"),
        (0.958, "share", "95.8%"),
        ("188000.00", "money", "188,000.00"),
        (5400.0, "open seconds", "1:30:00"),
        (41.25, "per 1,000 orders", "41.25"),
        (9800, "orders", "9,800"),
    ],
)
def test_a_figure_is_told_in_its_unit(value: Any, unit: str, said: str) -> None:
    assert told_as(value, unit) == said


def test_the_tables_hold_every_figure_its_change_and_what_is_missing() -> None:
    answer = roi()
    console = Console(width=300, record=True, file=None, quiet=False)
    with console.capture() as captured:
        console.print(figures_table(answer))
        console.print(earned_table(answer))
    text = captured.get()
    for part in (
        "-37.6 %",
        "+8.8 points",
        "404",
        "no order says how much",
        "220.9 to 402.7",
        "171 of 180 acts",
        "20 are needed",
    ):
        assert part in text, part

"""How many notices of a day go out: by group or one by one, and no more than a cap lets through."""

from __future__ import annotations

import pytest

from rules.model import Cap, Route
from tests.alerts.stage import T0, breach
from tower.backtest.notices import Told


@pytest.mark.parametrize(
    ("cap", "sent"),
    [
        (None, 41),
        (Cap(100, 86_400), 41),
        (Cap(10, 86_400), 11),  # ten and one summary; what goes at once counts and is never held back
        (Cap(1, 43_200), 5),  # the three at once use up both times, each with its summary
        (Cap(10, 604_800), 11),
    ],
)
def test_a_cap_lets_through_so_many_and_a_summary_each_time(cap: Cap | None, sent: int) -> None:
    told = Told()
    grouped, alone = Route("a", "ops", group_by=("stage",)), Route("b", "ops", group_by=("...",))
    told.add(grouped, breach("x", T0, priority="P2"), 5)
    told.add(grouped, breach("y", T0, priority="P1"), 2)  # the group is told at once
    told.add(alone, breach("z", T0, priority="P3"), 38)
    told.add(alone, breach("z", T0, priority="P1"), 2)
    assert told.total(cap) == sent

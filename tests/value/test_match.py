"""Who is a twin of whom, by hand, and the curve under which time is counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from tower.value.effect import restricted_mean, thin
from tower.value.match import match
from tower.value.spells import part_of_week, spells_of

MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
LATER = (MONDAY + timedelta(days=9)).timestamp()
# The act: opened Monday 9:00, acted on at 11:00, moved at 12:00. A twin has to be stuck and untouched two hours on.
ACT: dict[str, Any] = {"order": 1, "acted": 2, "end": 3}


def spell(order: int = 2, opened: float = 0, end: float = 5, acted: float | None = None, **more: Any) -> list[Any]:
    """Return a row of value_spells.sql; hours since Monday 9:00, or since the opening."""
    at = MONDAY + opened * HOUR
    acted_at = None if acted is None else at + acted * HOUR
    stage, system, amount = more.get("stage", "bill"), more.get("system", "erp"), more.get("amount", 500.0)
    return [order, stage, system, at, at + end * HOUR, more.get("reached", True), acted_at, amount]


TWINS: list[tuple[str, dict[str, Any], list[float] | None]] = [
    ("an untreated spell, watched from the same age on", {}, [3.0]),
    ("one that opened at another hour of the same part of a week day", {"opened": 24.5}, [3.0]),
    ("one acted on later counts until then", {"acted": 4.0}, [2.0]),
    ("one acted on earlier is no twin", {"acted": 1.0}, None),
    ("one that had moved by that age is no twin", {"end": 1.5}, None),
    ("another spell of the same order is no twin", {"order": 1}, None),
    ("another stage is no twin", {"stage": "ship"}, None),
    ("another system is no twin", {"system": "wms"}, None),
    ("another band of value is no twin", {"amount": 5000.0}, None),
    ("an order without a price is no twin of one with", {"amount": None}, None),
    ("the weekend is no twin of a Monday", {"opened": 24 * 5}, None),
    ("the night is no twin of the morning", {"opened": 14}, None),
]


@pytest.mark.parametrize(("said", "twin", "hours"), TWINS, ids=[t[0] for t in TWINS])
def test_a_twin_is_alike_and_was_stuck_and_untouched_at_the_same_age(
    said: str, twin: dict[str, Any], hours: list[float] | None
) -> None:
    pairs = match(spells_of([spell(**ACT), spell(**twin)]), (0, MONDAY.timestamp() + 10800), 3600, LATER)
    assert pairs.eligible >= 1
    found = [t / 3600 for t, of in zip(pairs.twin_time, pairs.of, strict=True) if pairs.order[of] == 1]
    assert (found or None) == hours
    if twin.get("acted") == 4.0:
        assert pairs.twin_event[0] == 0


@pytest.mark.parametrize(
    ("act", "eligible", "fresh", "not_stuck"),
    [({}, 1, 0, 0), ({"acted": 200, "end": 300}, 0, 1, 0), ({"acted": -1}, 0, 0, 1), ({"acted": 4, "end": 3}, 0, 0, 1)],
)
def test_acts_that_cannot_be_judged_are_counted_apart(
    act: dict[str, Any], eligible: int, fresh: int, not_stuck: int
) -> None:
    horizon_s = 3 * 86400
    pairs = match(spells_of([spell(**{**ACT, **act}), spell()]), (0, LATER), horizon_s, LATER)
    assert (pairs.eligible, pairs.too_fresh, pairs.not_stuck) == (eligible, fresh, not_stuck)


def test_too_few_acts_or_twins_give_no_figure_and_say_what_is_needed() -> None:
    assert "nobody acted" in thin(match(spells_of([]), (0, LATER), 3600, LATER))
    acts = [spell(order=i, acted=2, end=3) for i in range(30)]
    few = match(spells_of([*acts[:5], spell(order=99)]), (0, LATER), 3600, LATER)
    assert thin(few) == "5 orders that were acted on found twins; 20 are needed"
    one_twin = match(spells_of([*acts, spell(order=99)]), (0, LATER), 3600, LATER)
    assert thin(one_twin) == "the untreated twins are of 1 orders; 20 are needed"
    others = [spell(order=200 + i, acted=2, end=3, amount=5000.0) for i in range(40)]
    twins = [spell(order=100 + i) for i in range(25)]
    lost = match(spells_of([*acts, *others, *twins]), (0, LATER), 3600, LATER)
    assert thin(lost) == "30 of 70 acts found twins; 50% of them are needed"


def test_parts_of_the_week_are_those_of_the_zone() -> None:
    friday_late = datetime(2026, 11, 27, 23, 30, tzinfo=UTC).timestamp()
    assert part_of_week(np.array([friday_late]), "UTC").tolist() == [2]
    assert part_of_week(np.array([friday_late]), "Europe/Berlin").tolist() == [3]


@pytest.mark.parametrize(
    ("time", "event", "weight", "area", "height"),
    [
        ([2, 4], [1, 1], [1, 1], 3.0, 0.0),
        ([2, 4], [1, 1], [3, 1], 2.5, 0.0),
        ([2, 20], [1, 1], [1, 1], 6.0, 0.5),  # half is gone at 2, the rest stands to the horizon of 10
        ([2, 4], [0, 1], [1, 1], 4.0, 0.0),  # who was watched until 2 only tells nothing of later
        ([4, 4], [0, 1], [1, 1], 7.0, 0.5),  # what comes at the very end of watching has come
        ([1], [1], [0], 10.0, 1.0),
    ],
)
def test_the_curve_is_that_of_kaplan_and_meier(
    time: list[float], event: list[float], weight: list[float], area: float, height: float
) -> None:
    found = restricted_mean(np.array(time, float), np.array(event, float), np.array([weight], float), 10.0)
    assert found.ravel().tolist() == pytest.approx([area, height])

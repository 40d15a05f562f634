"""A flood is one notice, and a step looks at what changed and not at everything that is open. Counts only; no times."""

from __future__ import annotations

from datetime import timedelta

from bench.alerts import BOOK, breaches
from tests.alerts.stage import T0, breach, plan_of
from tower.alerts.desk import Desk


def test_ten_thousand_breaches_of_four_systems_are_four_notices() -> None:
    desk = Desk(plan_of(BOOK))
    assert desk.step(breaches(10_000), T0).notices == []
    notices = desk.step([], T0 + timedelta(seconds=10)).notices
    assert len(notices) == 4 and sum(len(n.opened) for n in notices) == 10_000


def test_one_change_among_many_alerts_touches_one() -> None:
    desk = Desk(plan_of(BOOK.replace("[system]", '["..."]')))
    desk.step(breaches(500), T0)
    assert len(desk.step([], T0 + timedelta(seconds=10)).notices) == 500
    stepped = desk.step([breach("SO-7", T0, "resolved", system="billing", priority="P3")], T0 + timedelta(seconds=11))
    assert len(stepped.alerts) == 1 and sum(len(m) for m in stepped.members.values()) == 1

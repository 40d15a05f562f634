"""Whatever happens in whatever order: each breach is told once, its end once and only after it, and nothing is forgotten."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.alerts.stage import T0, breach, plan_of
from tower.alerts.breach import Breach
from tower.alerts.desk import Desk
from tower.alerts.notice import ESCALATED, REPEAT
from tower.alerts.tree import routes_of

PLAN = plan_of(
    """
receivers: {ops: {inbox: true, resolved: each}, duty: {inbox: true, resolved: each}}
routes:
  receiver: ops
  group_by: [system]
  group_wait: 10s
  group_interval: 30s
  repeat_interval: 2m
  routes: [{when: {priority: P1}, receiver: duty, group_wait: 0s, escalate: [{after: 40s, receiver: ops}]}]
"""
)
NAMES, LONG = ("a", "b", "c", "d", "e"), 30
ACT = st.tuples(st.integers(0, 120), st.sampled_from(NAMES), st.booleans())


def facts(name: str) -> dict[str, str]:
    return {"system": "erp" if name in "ab" else "wms", "priority": "P1" if name in "ad" else "P3"}


@settings(max_examples=40, deadline=None)
@given(st.lists(ACT, max_size=12), st.booleans())
def test_each_opening_is_told_once_and_each_end_after_it(acts: list[tuple[int, str, bool]], twice: bool) -> None:
    """twice: every change is seen two times, as after a restart."""
    desk, standing = Desk(PLAN), dict[str, Breach]()
    told: Counter[str] = Counter()  # openings minus ends, by breach
    for second in range(120 + LONG * 5):
        now = T0 + timedelta(seconds=second)
        news = []
        for _, name, opens in (a for a in acts if a[0] == second):
            old = standing.get(name)
            if opens:
                standing[name] = breach(name, now, **facts(name)) if old is None or not old.is_open else old
            elif old is not None and old.is_open:
                standing[name] = Breach(name, "resolved", old.opened_at, old.detected_at, now, old.facts)
            if name in standing:
                news.append(standing[name])
        for notice in desk.step(news, now).notices + (desk.step(news, now).notices if twice else []):
            if notice.reason in (REPEAT, ESCALATED) or (notice.receiver == "ops" and notice.priority == "P1"):
                continue  # said again, and to who was escalated to
            told.update(b.breach_id for b in notice.opened)
            assert max(told.values(), default=0) <= 1
            told.subtract(b.breach_id for b in notice.ended)
            assert min(told.values(), default=0) >= 0
    assert {name for name, count in told.items() if count} == {n for n, b in standing.items() if b.is_open}
    assert {m for a in desk.alerts.values() for m in a.members if a.members[m].breach.is_open} == {
        n for n, b in standing.items() if b.is_open
    }


@given(
    st.dictionaries(
        st.sampled_from(["system", "priority", "channel", "kind"]), st.sampled_from(["", "erp", "P1", "web"])
    )
)
def test_every_breach_ends_at_a_receiver(values: dict[str, str]) -> None:
    routes = routes_of(PLAN.roots[0], breach("x", T0, **values))
    assert routes and all(route.receiver in PLAN.receivers for route in routes)

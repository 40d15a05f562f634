"""The ERP of the demo breaks: groups are alerted, not orders, a P1 at once; the demo's own world, book, doors and engine."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.demo.test_stopped_feed import START, Tower
from tower.demo.scenario import World
from tower.store.client import Store

pytestmark = pytest.mark.timeout(300)
BEFORE, BROKEN, LONG = (START + timedelta(seconds=s) for s in (10, 30, 50))

TOLD = """
SELECT count(DISTINCT order_no), count(DISTINCT alert_id)
FROM alert_breaches FINAL
WHERE facts['error'] = 'ERP does not answer'
"""
GROUPS = """
SELECT count(), countDistinct(receiver, toString(labels))
FROM alerts FINAL
WHERE closed_at IS NULL AND alert_id IN (SELECT alert_id FROM alert_breaches WHERE facts['error'] = 'ERP does not answer')
"""
PAGED = """
SELECT b.detected_at, n.at
FROM alert_breaches AS b FINAL
INNER JOIN (SELECT alert_id, number, any(at) AS at FROM notices FINAL WHERE channel = 'inbox' GROUP BY alert_id, number) AS n
    ON n.alert_id = b.alert_id AND n.number = toUInt32(b.told)
WHERE b.facts['error'] = 'ERP does not answer' AND b.facts['priority'] = 'P1'
    AND b.alert_id IN (SELECT alert_id FROM alerts WHERE receiver = 'on-call')
"""


def test_an_outage_is_told_by_groups_and_a_p1_at_once(store: Store, tmp_path: Path) -> None:
    world = World(7, START, orders_per_s=4.0)
    world.open(START)
    tower = Tower(store, tmp_path)
    try:
        said = world.advance(BEFORE)
        world.break_system("erp")
        tower.hear(said + world.advance(BROKEN), BROKEN)
        tower.hear(world.advance(LONG), LONG)
        [(orders, alerts)] = tower.rows(TOLD)
        [(open_alerts, groups)] = tower.rows(GROUPS)
        assert orders > 40
        assert alerts <= orders / 3, "far fewer alerts than orders"
        assert open_alerts == groups, "one alert for a group"
        paged = tower.rows(PAGED)
        assert paged, "the seed has a P1 in it"
        assert all(told_at == detected_at for detected_at, told_at in paged)
    finally:
        tower.close()

"""Routing: ten thousand breaches that open in one tick, through routes, inhibition and silences to their notices."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

from bench.figure import Figure, median_of, spread
from rules.match import OF_BREACHES, parse_when
from tests.alerts.stage import T0, breach, plan_of
from tower.alerts.breach import Breach
from tower.alerts.desk import Desk
from tower.alerts.suppress import Silence

NAME = "alerts"
BOOK = """
receivers: {ops: {inbox: true}, duty: {inbox: true}, edi: {inbox: true}}
routes:
  receiver: ops
  group_by: [system]
  group_wait: 10s
  at_once: []
  routes:
    - {when: {any: [{amount: ">= 1000000"}, {customer_tier: strategic, value: ">= 500000"}]}, receiver: duty}
    - {when: {channel: edi, partner: [ACME, BOLT]}, receiver: edi}
    - {when: {kind: [failing, diverging], severity: critical}, receiver: duty}
inhibit: [{source: {severity: critical}, target: {severity: warning}, equal: [customer_id]}]
"""


def breaches(count: int) -> list[Breach]:
    """Return so many open breaches of four systems; none is worth a route of its own."""
    systems = ("erp", "wms", "tms", "billing")
    return [
        breach(f"SO-{n}", T0, system=systems[n % 4], priority=f"P{2 + n % 3}", value=n % 9000, amount=n % 9000,
               customer_id=f"C{n % 700}", channel="web", severity="warning")
        for n in range(count)
    ]  # fmt: skip


def measure(_folder: Path, *, quick: bool) -> list[Figure]:
    """CPU seconds from breaches to decided notices, and of a tick in which one of that many open ones changes."""
    count, rounds = 10_000, 3 if quick else 7
    news = breaches(count)
    taken: list[float] = []
    idle: list[float] = []
    notices = 0
    for _ in range(rounds):
        desk = Desk(plan_of(BOOK))
        when = parse_when({"partner": "ZETA"}, lambda *_: None, OF_BREACHES)
        desk.silences = [Silence(f"s{i}", when, T0, T0 + timedelta(days=1)) for i in range(5)]
        began = time.process_time()
        desk.step(news, T0)
        notices = len(desk.step([], T0 + timedelta(seconds=10)).notices)
        taken.append(time.process_time() - began)
        one = breach("SO-1", T0, "resolved", system="wms", priority="P3")
        began = time.process_time()
        desk.step([one], T0 + timedelta(seconds=11))
        idle.append(time.process_time() - began)
    return [
        Figure(NAME, "10,000 breaches in one tick", f"{median_of(taken):.2f} s of CPU, {notices} notices",
               median_of(taken), at_most=1, unit=" s", note=spread(taken)),
        Figure(NAME, "one change among 10,000 open", f"{median_of(idle) * 1000:.1f} ms of CPU",
               median_of(idle) / median_of(taken), at_most=0.05, note="share of the above"),
    ]  # fmt: skip

"""What a subscription would have sent: the last days' breaches played once more before a desk of its own.

The same routing, quiet hours, digests, inhibitions and caps as live. Orders are matched as they are now, silences are
left out, and a breach that ceased and came back counts by its last life only.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from clickhouse_connect.driver.client import Client

from rules.match import holds
from rules.model import Book
from tower.alerts.breach import Breach
from tower.alerts.desk import Desk, Plan
from tower.alerts.notice import Notice
from tower.alerts.personal import Personal
from tower.alerts.reader import breach_of
from tower.alerts.suppress import Inhibitor
from tower.model.connections import Connections
from tower.store.sql import load

MOST_BREACHES = 50_000
_MOST_STEPS = 200_000
_WITHIN = f"""(SELECT order_no, rule, kind, object FROM breaches FINAL
    WHERE greatest(detected_at, coalesce(resolved_at, retracted_at, detected_at)) >= {{since:DateTime64(3, 'UTC')}}
        OR state = 'open'
    ORDER BY detected_at DESC LIMIT {MOST_BREACHES})"""


@dataclass(frozen=True, slots=True)
class Preview:
    """notices: in the order of time, held ones too. whole: False where there were too many breaches to look at all."""

    notices: tuple[Notice, ...]
    whole: bool = True


def read_week(client: Client, book: Book, connections: Connections, since: datetime) -> list[Breach]:
    """Return the breaches that were open at some time since then."""
    found = client.query(load("alert_changes").replace("$changed", _WITHIN), parameters={"since": since})
    rows = (dict(zip(found.column_names, row, strict=True)) for row in found.result_rows)
    return [breach_of(row, book, connections) for row in rows]


def dry_run(book: Book, personal: Personal, breaches: Sequence[Breach], since: datetime, until: datetime) -> Preview:
    """Return what would have been told between the two instants; what was open before is history, as when it begins."""
    plan = replace(Plan.of(replace(book, routes=None), personal), since={r.key: since for r in personal.roots})
    desk, notices = Desk(plan), list[Notice]()
    steps = 0
    for at, news in _moments(_relevant(plan, breaches), until):
        while (due := desk.wake_at()) is not None and due < at and steps < _MOST_STEPS:
            notices += desk.step((), due).notices
            steps += 1
        notices += desk.step(news, at).notices
    told = tuple(n for n in notices if since <= n.at <= until)
    return Preview(told, len(breaches) < MOST_BREACHES and steps < _MOST_STEPS)


def _relevant(plan: Plan, breaches: Iterable[Breach]) -> list[Breach]:
    """Return those that a root takes, and those that may keep others from being told."""
    inhibitor = Inhibitor(plan.inhibitions)
    return [b for b in breaches if inhibitor.note(b) or any(holds(root.when, b.facts) for root in plan.roots)]


def _moments(breaches: Iterable[Breach], until: datetime) -> Iterable[tuple[datetime, list[Breach]]]:
    """Yield the breaches that opened or ceased at a moment, by time; the last moment is `until`."""
    acts: list[tuple[datetime, int, Breach]] = []
    for number, breach in enumerate(breaches):
        acts.append((breach.detected_at, number, replace(breach, state="open", over_at=None)))
        if breach.over_at is not None and not breach.is_open:
            acts.append((max(breach.over_at, breach.detected_at), number, breach))
    heapq.heapify(acts)
    while acts and acts[0][0] <= until:
        at, news = acts[0][0], list[Breach]()
        while acts and acts[0][0] == at:
            news.append(heapq.heappop(acts)[2])
        yield at, news
    yield until, []

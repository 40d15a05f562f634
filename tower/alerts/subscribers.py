"""Who has subscribed, as the store has it, and the question that a new address is asked. For the engine's thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from clickhouse_connect.driver.client import Client

from rules.model import Book
from tower.alerts.alive import message
from tower.alerts.delivery import Delivery
from tower.alerts.notice import CONFIRM
from tower.alerts.personal import NOBODY, Personal, personal_of
from tower.alerts.subscription import Subscription, fold
from tower.alerts.tree import notice_id_of
from tower.model.connections import Connections
from tower.store.client import Store
from tower.store.keys import Keys
from tower.store.sql import load


class Subscribers:
    """Reads subscriptions and the keys of their owners again when either has changed, a key has ended or a day has."""

    def __init__(self, store: Store, connections: Connections, clock: Callable[[], datetime]) -> None:
        self._keys, self._connections = Keys(store, clock), connections
        self._seen: Any = None
        self._until: datetime | None = None
        self._now = NOBODY

    def personal(self, client: Client, book: Book, now: datetime, word: object) -> Personal:
        """Return what they add to the plan: the same object while it says the same. word: changes with the rows."""
        seen = (word, book.hash, now.date())
        if seen != self._seen or (self._until is not None and now >= self._until):
            fresh = NOBODY
            if live := list(fold(records(client, "subscriptions_live")).values()):
                owners, self._until = self._keys.owners()
                fresh = personal_of(live, book, owners, self._connections, now)
            self._seen = seen
            if not _alike(fresh, self._now):
                self._now = fresh
        return self._now


def questions(client: Client, asking: Iterable[Subscription], now: datetime) -> list[Delivery]:
    """Return the messages that ask addresses whether they want it, of those not written yet: one per address given."""
    made = [_question(one, now) for one in asking]
    if not made:
        return []
    ids = {"ids": [d.notice_id for d in made]}
    sql = "SELECT DISTINCT notice_id FROM notices WHERE notice_id IN {ids:Array(String)}"
    known = {row[0] for row in client.query(sql, parameters=ids).result_rows}
    return [d for d in made if d.notice_id not in known]


def _question(one: Subscription, now: datetime) -> Delivery:
    title = f"Do you want notices of the control tower: {one.wish.label}?"
    body = message(f"subscription.{CONFIRM}", now, {"title": title})
    notice_id = notice_id_of(one.subscription_id, one.asked, CONFIRM)
    return Delivery(notice_id, "apprise", "", 0, one.receiver, CONFIRM, "", now, body)


def records(client: Client, name: str, parameters: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Return the rows of a named query."""
    found = client.query(load(name), parameters=parameters)
    return [dict(zip(found.column_names, row, strict=True)) for row in found.result_rows]


def _alike(one: Personal, other: Personal) -> bool:
    return (one.roots, one.receivers, one.since, one.asking, _hours(one)) == (
        other.roots, other.receivers, other.since, other.asking, _hours(other),
    )  # fmt: skip


def _hours(personal: Personal) -> dict[str, Any]:
    return {name: calendar.key for name, calendar in personal.calendars.items()}

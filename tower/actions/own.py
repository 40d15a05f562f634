"""Retries that the engine asks for by itself, where the book says `automatic: true`.

It asks as anybody does, through the intake, as `engine`; it goes behind what people ask for, keeps few under way, and
slows down first when a target or the tower itself has a backlog.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog

from rules.compile.retry import cases_sql, error_class_sql, own_retries_sql
from rules.model import Book
from tower.actions.intake import Intake, Wish
from tower.actions.item import ENGINE, Item
from tower.store.client import Store
from tower.store.sql import load

EVERY = timedelta(seconds=5)
AT_ONCE = 20  # of the engine's own, waiting or under way at one target
_LOOKED_AT = 1000
log = structlog.get_logger("tower.actions")


class OwnRetries:
    """Asks for what the book makes automatic. `step` is called by the engine's thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._next_at: datetime | None = None

    def step(self, book: Book, now: datetime, live: Sequence[Item], *, behind: bool) -> int:
        """Ask for what is due and has room; return how many orders were asked for.

        live: items that are not at their end. behind: the tower itself is slow, so nothing of its own is added.
        """
        policies = own_retries_sql(book)
        if behind or not policies or (self._next_at is not None and now < self._next_at):
            return 0
        self._next_at = now + EVERY
        room = {name: allowance(live, name) for name in book.targets}
        wanted: dict[tuple[str, str], list[tuple[str, int]]] = {}
        for order_id, stage, target_object, action, target in self._due(book, policies, now):
            if room.get(target, 0) > 0:
                room[target] -= 1
                wanted.setdefault((stage, action), []).append((order_id, target_object))
        for (stage, action), found in wanted.items():
            orders = tuple((order_id, None) for order_id in dict.fromkeys(order_id for order_id, _ in found))
            objects = frozenset(target_object for _, target_object in found)
            wish = Wish("retry", orders, stage, f"the rulebook's {action} is automatic", objects=objects)
            key = f"own/{now.isoformat()}/{stage}"
            Intake(self._store, book, ENGINE, now).request(wish, key, hashlib.sha256(repr(wish).encode()).hexdigest())
            log.info("own_retries", stage=stage, orders=len(orders))
        return sum(len(found) for found in wanted.values())

    def _due(self, book: Book, policies: str, now: datetime) -> Sequence[Sequence[Any]]:
        text = load("action_own").replace("$policies", policies).replace("$cases", cases_sql(book, "o"))
        text = text.replace("$class", error_class_sql(book, "clock.6"))
        with self._store.reader() as client:
            found: Sequence[Sequence[Any]] = client.query(
                text, parameters={"now": now, "limit": _LOOKED_AT}
            ).result_rows
        return found


def allowance(live: Sequence[Item], target: str) -> int:
    """Return how many of its own retries the engine may add at a target.

    AT_ONCE less those there already; half of it, a third of it and so on for each AT_ONCE items of anybody that wait.
    """
    there = Counter(i.requested_by == ENGINE for i in live if i.target == target and i.state in ("requested", "sent"))
    return AT_ONCE // (1 + there.total() // AT_ONCE) - there[True]

"""Asking targets whether they are well: when an open breaker's time is over, and when a person wants to know."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from datetime import datetime, timedelta

from rules.model import Book, Target
from tower.actions.answer import Answer
from tower.actions.breaker import CLOSED
from tower.actions.gates import Gates
from tower.actions.item import ENGINE
from tower.actions.target import Sender
from tower.store.audit import Audit, Entry
from tower.store.client import Store
from tower.store.sql import load

_OLD = timedelta(minutes=5)  # a probe asked for while the engine was down longer than this is of no use any more
Probed = Future[tuple[Answer, datetime]]


class Probes:
    """Makes each probe once. `step` is called by the engine's thread."""

    def __init__(
        self, store: Store, gates: Gates, sender: Sender, pool: Executor, clock: Callable[[], datetime]
    ) -> None:
        self._store, self._gates, self._sender, self._pool, self._clock = store, gates, sender, pool, clock
        self._audit = Audit(store)
        self._asked_to = clock() - _OLD
        self._out: dict[str, tuple[Target, str, datetime, Probed]] = {}

    def step(self, book: Book, now: datetime, wake: Callable[[], None] | None) -> int:
        """Take in what was answered and send what is due; return how many answers came."""
        done = [name for name, (_, _, _, future) in self._out.items() if future.done()]
        for name in done:
            target, call_id, sent_at, future = self._out.pop(name)
            answer, at = future.result()
            self._gates.end(target, call_id, answer, sent_at, at)
        for target, asked_at, asked_by in [*self._asked(book), *self._due(book, now)]:
            if target.name in self._out:
                continue
            call_id = f"probe/{target.name}@{asked_at.isoformat(timespec='milliseconds')}"
            self._audit.append([Entry(asked_by, "probe", call_id, detail={"target": target.name})], now)
            self._gates.begin(target, now)
            future = self._pool.submit(self._probe, target)
            self._out[target.name] = (target, call_id, now, future)
            if wake is not None:
                future.add_done_callback(lambda _: wake())
        return len(done)

    def _probe(self, target: Target) -> tuple[Answer, datetime]:
        return self._sender.probe(target), self._clock()

    def _due(self, book: Book, now: datetime) -> list[tuple[Target, datetime, str]]:
        return [
            (target, now, ENGINE)
            for target in book.targets.values()
            if target.probe
            and self._gates.state(target.name).state != CLOSED
            and not self._gates.closed_to(target, now, probe=True)
        ]

    def _asked(self, book: Book) -> list[tuple[Target, datetime, str]]:
        """Return the probes that people asked for since the last look."""
        with self._store.reader() as client:
            rows = client.query(load("target_asked"), parameters={"since": self._asked_to}).result_rows
        if rows:
            self._asked_to = rows[-1][1]
        latest = {name: (asked_at, asked_by) for name, asked_at, asked_by in rows}
        return [(book.targets[name], *who) for name, who in latest.items() if name in book.targets]

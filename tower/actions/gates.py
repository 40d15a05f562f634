"""The gate before each target: breaker, rate and budgets together say whether a call may go out now."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from datetime import datetime, timedelta

from rules.model import Limit, Target
from tower.actions.answer import Answer
from tower.actions.breaker import CLOSED, COLUMNS, OPEN, TargetState, heard, tried
from tower.store.client import Store
from tower.store.sql import load

_LONGEST = timedelta(days=1)
_CALL = ["target", "at", "call_id", "verdict", "status", "took_ms", "said"]


class Gates:
    """What is known of every target. Owned by the engine's thread; `flush` before what depends on it is written."""

    def __init__(self, store: Store, now: datetime) -> None:
        self._store = store
        with store.reader() as client:
            rows = client.query(load("target_states").replace("$columns", ", ".join(COLUMNS))).result_rows
            calls = client.query(load("target_recent"), parameters={"since": now - _LONGEST}).result_rows
        self._states = {row[0]: TargetState(*row) for row in rows}
        self._written = dict(self._states)
        self._calls: dict[str, list[datetime]] = defaultdict(list)
        for target, at in calls:
            self._calls[target].append(at)
        self._out: dict[str, int] = defaultdict(int)  # calls under way
        self._answered: list[list[object]] = []

    def state(self, name: str) -> TargetState:
        """Return what is known of a target."""
        return self._states.get(name) or TargetState(name)

    def closed_to(self, target: Target, now: datetime, *, probe: bool = False) -> str:
        """Return why no call may go out to the target now; '' when one may.

        probe: the call is the target's own probe, which tries an open target in the place of an item.
        """
        known = self.state(target.name)
        if known.state != CLOSED:
            if known.state == OPEN and known.retry_at is not None and now < known.retry_at:
                return f"{target.name} is left alone until {known.retry_at.isoformat()}: {known.said}"
            if self._out[target.name] or (target.probe and not probe):
                return f"{target.name} is being tried with one call"
        for limit in target.limits:
            if self.used(target.name, limit, now) >= limit.calls:
                return f"{target.name} takes {limit.calls} calls in {limit.seconds} s, and they are used up"
        return ""

    def used(self, name: str, limit: Limit, now: datetime) -> int:
        """Return how many calls the window of a limit holds at the moment."""
        calls = self._calls[name]
        return len(calls) - bisect_right(calls, now - timedelta(seconds=limit.seconds))

    def begin(self, target: Target, now: datetime) -> None:
        """Note that a call goes out."""
        known = self.state(target.name)
        if known.state == OPEN:
            self._states[target.name] = tried(known, now)
        calls = self._calls[target.name]
        calls.append(max(now, calls[-1]) if calls else now)
        if len(calls) > 1024 and calls[0] <= now - _LONGEST:
            del calls[: bisect_right(calls, now - _LONGEST)]
        self._out[target.name] += 1

    def end(self, target: Target, call_id: str, answer: Answer, sent_at: datetime, at: datetime) -> None:
        """Note what came of a call that `begin` knows."""
        self._out[target.name] -= 1
        self._states[target.name] = heard(self.state(target.name), target.breaker, answer, at)
        took_ms = max(0, int((at - sent_at).total_seconds() * 1000))
        self._answered.append(
            [target.name, sent_at, call_id, answer.verdict, answer.status, took_ms, answer.detail[:300]]
        )

    def flush(self) -> None:
        """Write down what has changed; synced on return."""
        changed = [s for name, s in self._states.items() if self._written.get(name) != s]
        if not changed and not self._answered:
            return
        with self._store.writer() as client:
            if self._answered:
                client.insert("target_calls", self._answered, column_names=_CALL)
            if changed:
                client.insert(
                    "target_states", [[getattr(s, n) for n in COLUMNS] for s in changed], column_names=COLUMNS
                )
        self._answered = []
        self._written = dict(self._states)

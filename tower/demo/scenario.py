"""The simulated world: cases run through their steps, things break, heal or are retried. Pure: time is passed in.

`advance` says what would be sent by a moment; sending it is the middleware's work. Equal seeds, starts and calls
give equal worlds.
"""

from __future__ import annotations

import hashlib
import heapq
import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from tower.demo.catalog import SOURCES
from tower.demo.plan import Case, Echo, Fault, Ids, Step, instant, plan_case

BEAT_S = 4.0
FILE_EVERY_S = 30  # the bank speaks in files: the "nightly" run of a fast world
OUTAGE_HEALS_S = 240.0  # what an outage left behind heals by itself so long after, where nobody retries it
SILENT = "wms-hamburg"  # falls silent for SILENT_FOR_S in every SILENT_EVERY_S, the first time just before the start
SILENT_FOR_S, SILENT_EVERY_S, SILENT_BEFORE_S = 80, 360, 40


@dataclass(frozen=True, slots=True)
class Message:
    """One event on its way to the tower."""

    at: datetime
    connection: str
    event: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a step, for its trace. order_id is the first of its orders, objects are those it is about by id field;
    error is empty when it worked.
    """

    order_id: str
    objects: Ids
    name: str
    system: str
    started_at: datetime
    ended_at: datetime
    error: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a retry is told."""

    status: int
    result: str
    detail: str


class World:
    """All that runs at a moment. Finished cases are forgotten."""

    def __init__(self, seed: int, start: datetime, orders_per_s: float = 2.0, first_number: int = 450_000) -> None:
        self.start = start
        self._seed = seed
        self._gap_s = 1 / orders_per_s
        self._number = first_number
        self._arrivals = random.Random(seed)
        self._count = count()
        self._agenda: list[tuple[datetime, int, str, tuple[Any, ...]]] = []
        self._cases: dict[str, Case] = {}  # by order
        self._reached: dict[str, datetime] = {}  # by step, of cases that still run
        self._standing: dict[str, Step] = {}  # steps that wait for a repair
        self._unwell: dict[str, list[str]] = {}  # order -> keys of standing steps
        self._held: dict[str, list[dict[str, Any]]] = {}  # what connections that were stopped would have said
        self._broken: set[str] = set()
        self._attempts: list[Attempt] = []

    def open(self, since: datetime) -> None:
        """Let the first order come at this moment, and all connections speak from the start on."""
        self._put(since, "arrive")
        for number, connection in enumerate(SOURCES):
            self._put(self.start + timedelta(seconds=0.3 * number), "beat", connection)

    def advance(self, now: datetime) -> list[Message]:
        """Return what is sent up to now, in the order of sending."""
        due: list[Message] = []
        while self._agenda and self._agenda[0][0] <= now:
            at, _, what, arguments = heapq.heappop(self._agenda)
            if what == "send" and arguments[0] in self._held:
                self._held[arguments[0]].append(arguments[1])
            elif what == "send":
                due.append(Message(at, *arguments))
            else:
                getattr(self, f"_{what}")(at, *arguments)
        return due

    def attempts(self) -> list[Attempt]:
        """Return the tries since the last call."""
        taken, self._attempts = self._attempts, []
        return taken

    def retry(self, order_id: str, now: datetime) -> Answer:
        """Repair what stands still for an order, if it can be repaired."""
        keys = self._unwell.get(order_id, [])
        if not keys:
            return Answer(200, "nothing_to_do", f"nothing stands still for {order_id}")
        step = self._standing[keys[0]]
        assert step.fault is not None
        if step.connection in self._broken:
            return Answer(503, "unavailable", f"{step.connection} does not answer")
        if step.fault.answer == "refuses":
            error = step.fault.error or "the document was rejected by its receiver"
            self._try(step, now, f"retry refused: {error}")
            return Answer(422, "refused", f"fix the data first: {error}")
        if step.fault.answer == "ignores":
            return Answer(202, "accepted", f"{step.milestone} of {order_id} is queued")
        self._put(now + timedelta(seconds=0.4), "mend", step.key)
        return Answer(200, "repaired", f"{step.milestone} of {order_id} was sent again")

    def break_system(self, connection: str) -> None:
        """Let a system do nothing from now on: what comes to it fails and stands still, and no retry is answered."""
        self._broken.add(connection)

    def mend_system(self, connection: str) -> None:
        """Let a broken system answer again."""
        self._broken.discard(connection)

    def stop(self, connection: str) -> None:
        """Let a connection say nothing from now on. Its system works on, and what it has to say is held back."""
        self._held.setdefault(connection, [])

    def speak(self, connection: str, now: datetime) -> int:
        """Let a stopped connection speak again, first of all what it held back; return how much that is."""
        held = self._held.pop(connection, [])
        for event in held:
            self._put(now, "send", connection, event)
        return len(held)

    def held(self, connection: str) -> int | None:
        """Return how many messages a stopped connection holds back, None when it speaks."""
        return len(self._held[connection]) if connection in self._held else None

    def runs(self, order_id: str) -> bool:
        """Return whether the order is known and has not finished."""
        return order_id in self._cases

    @property
    def running(self) -> int:
        """How many orders have not finished."""
        return len(self._cases)

    @property
    def standing(self) -> int:
        """How many steps wait for a repair."""
        return len(self._standing)

    def _put(self, at: datetime, what: str, *arguments: Any) -> None:
        heapq.heappush(self._agenda, (at, next(self._count), what, arguments))

    def _arrive(self, at: datetime) -> None:
        rng = random.Random(f"{self._seed}:{self._number}")
        case = plan_case(rng, self._number, at)
        self._number += len(case.orders)
        for order in case.orders:
            self._cases[order] = case
        for step in case.steps.values():
            if not step.after:
                self._put(at + timedelta(seconds=step.gap_s), "happen", step.key, case)
        self._put(at + timedelta(seconds=self._arrivals.expovariate(1 / self._gap_s)), "arrive")

    def _happen(self, at: datetime, key: str, case: Case) -> None:
        step = case.steps[key]
        if step.fault is None and step.connection in self._broken:
            error = f"{step.connection.upper()} does not answer"
            step = case.steps[key] = replace(step, fault=Fault("fails", error, "repairs", OUTAGE_HEALS_S))
        if step.fault is None:
            self._reach(at, step, case, reported=True)
            return
        self._standing[key] = step
        for order in step.orders:
            self._unwell.setdefault(order, []).append(key)
        self._put(at + timedelta(seconds=step.fault.heals_s), "mend", key)
        if step.fault.kind == "fails":
            self._try(step, at, step.fault.error)
            self._say(at, step, step.connection, ".failed", {"error": step.fault.error})
        elif step.fault.kind == "lost":
            self._reach(at, step, case, reported=False)

    def _mend(self, at: datetime, key: str) -> None:
        step = self._standing.get(key)
        if step is None:
            return
        if step.connection in self._broken:
            self._put(at + timedelta(seconds=OUTAGE_HEALS_S), "mend", key)
            return
        del self._standing[key]
        case = self._cases[step.orders[0]]
        for order in step.orders:
            self._unwell[order].remove(key)
            if not self._unwell[order]:
                del self._unwell[order]
        happened = self._reached.get(key)
        if happened is None:
            self._reach(at, step, case, reported=True)
            return
        self._say(at, step, step.connection, happened=happened)
        self._forget(case)

    def _reach(self, at: datetime, step: Step, case: Case, *, reported: bool) -> None:
        self._reached[step.key] = at
        if reported:
            self._try(step, at)
            for copy in range(step.copies):
                self._say(at + timedelta(seconds=step.late_s + 1.5 * copy), step, step.connection, happened=at)
        for echo in step.echoes:
            if reported or echo.kept:
                self._echo(at, step, echo)
        for following in case.waiting_for(step.key):
            times = [self._reached.get(k) for k in following.after]
            if all(times):
                latest = max(t for t in times if t is not None)
                self._put(latest + timedelta(seconds=following.gap_s), "happen", following.key, case)
        self._forget(case)

    def _forget(self, case: Case) -> None:
        if any(k not in self._reached or k in self._standing for k in case.steps):
            return
        for key in case.steps:
            del self._reached[key]
        for order in case.orders:
            del self._cases[order]

    def _echo(self, at: datetime, step: Step, echo: Echo) -> None:
        told = at + timedelta(seconds=echo.delay_s)
        self._say(told, step, echo.connection)

    def _beat(self, at: datetime, connection: str) -> None:
        if connection != "bank" and connection not in self._held and not _silent(connection, at, self.start):
            event = {"specversion": "1.0", "type": "o2c.heartbeat", "source": SOURCES[connection]}
            self._put(at, "send", connection, {**event, "id": f"beat-{instant(at)}", "time": instant(at), "data": {}})
        self._put(at + timedelta(seconds=BEAT_S), "beat", connection)

    def _say(
        self,
        at: datetime,
        step: Step,
        connection: str,
        suffix: str = "",
        more: dict[str, str] | None = None,
        happened: datetime | None = None,
    ) -> None:
        """Put a report on its way: at once, with the next file of the bank, or when a silent system speaks again."""
        occurred_at = happened or at
        event = {
            "specversion": "1.0",
            "id": f"{step.key}{suffix}",
            "source": SOURCES[connection],
            "type": f"o2c.{step.milestone}{suffix}",
            "time": instant(occurred_at),
            "traceparent": f"00-{trace_id(step.orders[0])}-{root_span_id(step.orders[0])}-01",
            "data": {**step.objects, **step.attributes, **(more or {})},
        }
        sent = at
        if connection == "bank":
            sent = next_file(at, self.start)
        elif _silent(connection, at, self.start):
            sent = at + timedelta(seconds=_silent_left(at, self.start))
        self._put(sent, "send", connection, event)

    def _try(self, step: Step, at: datetime, error: str = "") -> None:
        took = timedelta(seconds=min(step.gap_s, 30.0 if error.startswith("Timeout") else 0.15 + step.gap_s / 20))
        self._attempts.append(
            Attempt(step.orders[0], step.objects, step.milestone, step.connection, at - took, at, error)
        )


def trace_id(text: str) -> str:
    """Return 32 hex digits that depend on the text alone: one trace per order."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def root_span_id(order_id: str) -> str:
    """Return 16 hex digits: the span of an order's first step, from which the others hang."""
    return trace_id(f"root of {order_id}")[:16]


def next_file(at: datetime, start: datetime) -> datetime:
    """Return when the bank's next file comes."""
    since = (at - start).total_seconds()
    return start + timedelta(seconds=(since // FILE_EVERY_S + 1) * FILE_EVERY_S)


def _silent_left(at: datetime, start: datetime) -> float:
    phase = ((at - start).total_seconds() + SILENT_BEFORE_S) % SILENT_EVERY_S
    return max(0.0, SILENT_FOR_S - phase)


def _silent(connection: str, at: datetime, start: datetime) -> bool:
    return connection == SILENT and _silent_left(at, start) > 0

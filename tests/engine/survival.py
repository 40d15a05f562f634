"""Kaplan-Meier as the textbook has it, one clock at a time: what the store's curves are compared with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rules.calendar import Calendar

Pauses = Sequence[tuple[datetime, datetime | None]]


def open_ms(calendar: Calendar | None, start: datetime, end: datetime, pauses: Pauses) -> int:
    """Return the open time between two instants without the pauses; the tests' instants are whole seconds."""

    def between(low: datetime, high: datetime) -> int:
        if high <= low:
            return 0
        return calendar.working_seconds(low, high) if calendar else int((high - low).total_seconds())

    held = sum(between(max(a, start), min(b or end, end)) for a, b in pauses)
    return 1000 * (between(start, end) - held)


def dwell(
    clock: Mapping[str, Any], calendars: Mapping[str, Calendar], treated_at: datetime | None, now: datetime
) -> tuple[int, bool]:
    """Return how long a stored clock was seen to run, and whether it stopped by itself."""
    until = min(clock["stopped_at"] or now, now)
    treated = treated_at is not None and treated_at <= until
    if treated and treated_at is not None:
        until = treated_at
    ms = open_ms(calendars.get(clock["calendar"]), clock["started_at"], until, clock["pauses"])
    return max(0, ms), clock["state"] == "stopped" and not treated


def kaplan_meier(dwells: Iterable[tuple[int, bool]]) -> list[tuple[int, float, int]]:
    """Return (time, share that runs longer, clocks running just before) at each time at which one was last seen."""
    counted = Counter(dwells)
    running, share, points = sum(counted.values()), 1.0, []
    for at in sorted({t for t, _ in counted}):
        gone, seen = counted[at, True], counted[at, True] + counted[at, False]
        share *= 1 - gone / running
        points.append((at, share, running))
        running -= seen
    return points


def share_at(points: Sequence[tuple[int, float, int]], ms: int) -> float:
    """Return the share that runs longer than so much time."""
    return next((share for at, share, _ in reversed(points) if at <= ms), 1.0)

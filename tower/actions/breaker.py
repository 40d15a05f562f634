"""When a target is left alone: pure steps from what a call came to. No clock, no store, no network.

closed → (failures in a row) → open → (its time is over) → half_open, one call → closed or open again, twice as long.
Only calls that reached the target count: one that found no connection says nothing about what it would have answered.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

from rules.model import Breaker
from tower.actions.answer import Answer

CLOSED, OPEN, HALF_OPEN = "closed", "open", "half_open"
_BROKEN = frozenset({401, 403})  # our own key is no longer taken: every further call would be refused, too


@dataclass(frozen=True, slots=True)
class TargetState:
    """One row of target_states; see migration 0023 for the columns."""

    target: str
    state: str = CLOSED
    failures: int = 0
    opens: int = 0
    opened_at: datetime | None = None
    retry_at: datetime | None = None
    well_at: datetime | None = None
    failed_at: datetime | None = None
    unreached_since: datetime | None = None
    said: str = ""
    updated_at: datetime | None = None
    revision: int = 0


COLUMNS = [f.name for f in fields(TargetState)]


def failed(answer: Answer) -> bool:
    """Return whether an answer tells that the target does not work: silence, a 5xx, or a key that it does not take.

    A refusal of one order, a conflict and "not now" are answers of a target that works.
    """
    if answer.verdict == "unknown":
        return answer.status == 0 or answer.status >= 500
    return answer.verdict == "refused" and answer.status in _BROKEN


def heard(known: TargetState, breaker: Breaker, answer: Answer, at: datetime) -> TargetState:
    """Return what is known after a call was answered, or not."""
    if not answer.reached:
        since = known.unreached_since or at
        if known.state == HALF_OPEN:
            return _opened(known, breaker, at, unreached_since=since, said=answer.detail)
        return _moved(known, at, unreached_since=since, said=answer.detail)
    said: dict[str, Any] = {"unreached_since": None, "said": answer.detail}
    if not failed(answer):
        if known.state == OPEN:  # a call from before it opened; whether it works again is for one call to tell
            return _moved(known, at, well_at=at, **said)
        fresh = {"state": CLOSED, "failures": 0, "opens": 0, "opened_at": None, "retry_at": None}
        return _moved(known, at, well_at=at, **fresh, **said)
    failures = known.failures + 1
    if known.state == HALF_OPEN or (known.state == CLOSED and failures >= breaker.failures):
        return _opened(known, breaker, at, failures=failures, failed_at=at, **said)
    return _moved(known, at, failures=failures, failed_at=at, **said)


def tried(known: TargetState, at: datetime) -> TargetState:
    """Return the open target to which one call is let through now."""
    return _moved(known, at, state=HALF_OPEN)


def _opened(known: TargetState, breaker: Breaker, at: datetime, **more: Any) -> TargetState:
    opens = known.opens + 1
    pause_s = min(breaker.open_s * 2 ** min(opens - 1, 20), breaker.longest_s)
    since = known.opened_at or at
    retry_at = at + timedelta(seconds=pause_s)
    return _moved(known, at, state=OPEN, opens=opens, opened_at=since, retry_at=retry_at, **more)


def _moved(known: TargetState, at: datetime, **changes: Any) -> TargetState:
    return replace(known, updated_at=at, revision=known.revision + 1, **changes)

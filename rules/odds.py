"""Survival curves read: how likely a clock is to outlast its time, and when it will probably stop.

A curve says which share of the clocks of a stage (or of a segment of it) still ran after so much open time. It is
fitted by the store (tower/store/sql/curves_fit.sql) and read here; nothing here fits, fetches or judges.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

# What divides the clocks of a stage; a segment with too few cases falls back to the whole stage.
SEGMENT_ATTRIBUTES = ("priority", "order_type", "warehouse")
WHOLE = ""
LEAST_ENDED = 30  # fewer clocks that stopped tell nothing
LEAST_WATCHED = 5  # fewer clocks that ran this long tell nothing about those that do
FALLBACK_SHARE = "0.75"  # of the budget: when a stage with `odds` has too few cases


def segment_of(values: Sequence[str]) -> str:
    """Return the name of a segment from the values of SEGMENT_ATTRIBUTES, in their order."""
    return " / ".join(values)


def failing_rule(milestone: str) -> str:
    """Return the name of the curve of a milestone that failed: how long until it is reached after all."""
    return f"{milestone}.failed"


@dataclass(frozen=True, slots=True)
class Curve:
    """Which share of clocks outlasts an open time. `alive[i]` is the share that runs longer than `at_ms[i]`.

    cases: clocks looked at; ended: those that stopped by themselves, the others count up to where they were last seen.
    watched[i]: clocks still running just before at_ms[i]. ends_ms: the longest time any was seen to run.
    """

    rule: str
    segment: str
    built_at: datetime
    cases: int
    ended: int
    ends_ms: int
    at_ms: tuple[int, ...]
    alive: tuple[float, ...]
    watched: tuple[int, ...]

    @property
    def thin(self) -> bool:
        """Whether it rests on too few cases to say anything."""
        return self.ended < LEAST_ENDED

    def outlasts(self, ms: int) -> float:
        """Return the share of clocks that run longer than so much open time."""
        i = bisect_right(self.at_ms, ms)
        return self.alive[i - 1] if i else 1.0

    def seen_at(self, ms: int) -> int:
        """Return how many clocks were seen to run longer than so much open time, or at least how many."""
        i = bisect_right(self.at_ms, ms)
        return self.watched[i] if i < len(self.watched) else 0

    def odds(self, used_ms: int, budget_ms: int) -> float | None:
        """Return the chance that a clock that has run for used_ms runs longer than budget_ms; None when too few did."""
        if used_ms > budget_ms:
            return 1.0
        if self.thin or self.seen_at(used_ms) < LEAST_WATCHED:
            return None
        return self.outlasts(budget_ms) / self.outlasts(used_ms)

    def moves_within(self, used_ms: int, more_ms: int) -> float | None:
        """Return the chance that a clock stops by itself within more_ms of used_ms; None when too few ran so long."""
        if self.thin or self.seen_at(used_ms) < LEAST_WATCHED:
            return None
        return 1.0 - self.outlasts(used_ms + max(0, more_ms)) / self.outlasts(used_ms)

    def median_from(self, used_ms: int) -> int | None:
        """Return the open time by which half of the clocks that ran for used_ms stop; None when that is not known."""
        if self.thin or self.seen_at(used_ms) < LEAST_WATCHED:
            return None
        half = self.outlasts(used_ms) / 2
        start = bisect_right(self.at_ms, used_ms)
        return next((t for t, s in zip(self.at_ms[start:], self.alive[start:], strict=True) if s <= half), None)


@dataclass(frozen=True, slots=True)
class Curves:
    """The curves of one moment, by (rule, segment)."""

    built_at: datetime | None
    by_key: dict[tuple[str, str], Curve]

    def choose(self, rule: str, segment: str) -> Curve | None:
        """Return the segment's curve, the stage's where the segment has too few cases, None where there is none."""
        own = self.by_key.get((rule, segment))
        return own if own is not None and not own.thin else self.by_key.get((rule, WHOLE))

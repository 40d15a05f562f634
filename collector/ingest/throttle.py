"""How much each connection may send: a bucket of messages per second and a count per day, both per process."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tower.model.connection import Limits
from tower.model.problem import Problem


@dataclass(slots=True)
class _Bucket:
    """Messages that may still come at once; fills up with per_second and holds one second's worth."""

    left: float
    at: datetime


@dataclass(slots=True)
class _Day:
    day: int
    count: int


@dataclass(slots=True)
class Throttle:
    """The limits of all connections. Used by the doors' one thread."""

    _buckets: dict[str, _Bucket] = field(default_factory=dict)
    _days: dict[str, _Day] = field(default_factory=dict)

    def load(self, counts: Mapping[str, int], now: datetime) -> None:
        """Take up what each connection has sent on this day before the process began."""
        self._days = {name: _Day(now.toordinal(), count) for name, count in counts.items()}

    def today(self, connection: str, now: datetime) -> int:
        """Return how much the connection has sent on this day."""
        day = self._days.get(connection)
        return day.count if day and day.day == now.toordinal() else 0

    def take(self, connection: str, limits: Limits, now: datetime, count: int = 1) -> None:
        """Count messages. Raises Problem 429 with the time to wait when the connection has used up its share.

        A request is taken whole while anything of the share is left; what it is over is waited for afterwards.
        """
        today = self.today(connection, now)
        if limits.per_day and today >= limits.per_day:
            raise self._over(connection, f"{limits.per_day} messages a day", _to_midnight(now))
        if limits.per_second:
            bucket = self._buckets.setdefault(connection, _Bucket(limits.per_second, now))
            passed = max((now - bucket.at).total_seconds(), 0.0)
            bucket.left = min(bucket.left + passed * limits.per_second, float(limits.per_second))
            bucket.at = now
            if bucket.left < 1:
                wait_s = (1 - bucket.left) / limits.per_second
                raise self._over(connection, f"{limits.per_second} messages a second", math.ceil(wait_s))
            bucket.left -= count
        self._days[connection] = _Day(now.toordinal(), today + count)

    def _over(self, connection: str, limit: str, wait_s: int) -> Problem:
        return Problem(
            429,
            "throttled",
            f"connection {connection} may send {limit}; wait {wait_s} s, or raise its limits in the connections file",
            retry_after_s=wait_s,
        )


def _to_midnight(now: datetime) -> int:
    now = now.astimezone(UTC)
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return math.ceil((midnight - now).total_seconds())

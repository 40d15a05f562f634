"""Numbers remembered for some days: today's in a table, earlier days' in sorted arrays of 16 bytes an entry."""

from __future__ import annotations

from array import array
from bisect import bisect_left


class _Day:
    """One day that is over."""

    def __init__(self, entries: dict[int, int]) -> None:
        ordered = sorted(entries)
        self._keys = array("Q", ordered)
        self._values = array("q", [entries[key] for key in ordered])

    def get(self, key: int) -> int | None:
        at = bisect_left(self._keys, key)
        return self._values[at] if at < len(self._keys) and self._keys[at] == key else None


class Days:
    """Keys of 64 bits with a value each. At most `most` are held for a day; beyond that the oldest go first."""

    def __init__(self, keep: int, most: int = 2_000_000) -> None:
        self._keep = keep
        self._most = most
        self._today = 0
        self._young: dict[int, int] = {}
        self._past: dict[int, _Day] = {}

    def get(self, key: int) -> int | None:
        """Return the value last put under a key, None if it is unknown or forgotten."""
        found = self._young.get(key)
        if found is not None:
            return found
        return next(
            (v for day in sorted(self._past, reverse=True) if (v := self._past[day].get(key)) is not None), None
        )

    def put(self, key: int, value: int, day: int) -> None:
        """Remember a value; days are numbers that do not fall."""
        if day > self._today:
            self._turn(day)
        if len(self._young) >= self._most:
            self._young.pop(next(iter(self._young)))
        self._young[key] = value

    def _turn(self, day: int) -> None:
        if self._young:
            self._past[self._today] = _Day(self._young)
        self._young = {}
        self._today = day
        self._past = {d: kept for d, kept in self._past.items() if d >= day - self._keep}

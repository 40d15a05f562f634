"""Business time: how much open time lies between two instants, and when a budget of it is used up.

A calendar is a set of half-open spans of instants. Written hours are local; they become UTC seconds here, one UTC
year at a time and only when asked for. Elapsed time is real seconds, so a clock change makes a day shorter or
longer. An hour that the clocks skip stands for the instant of the jump, one that they repeat for its first pass.
Source: docs/rulebook.md "Business hours". The same arithmetic in SQL is rules.calendar_sql.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from rules.calendar_index import CalendarIndex, build_index
from rules.errors import wrong
from rules.hours import DAY_S, Hours, read_hours

_US = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = _EPOCH.toordinal()
_FIRST_YEAR, _LAST_YEAR = 2, 9997
_NEVER_CLOSES_YEARS = 30
FIRST_INDEX_YEAR, END_INDEX_YEAR = 1995, 2045


class _Year(NamedTuple):
    """The open spans within one UTC year, in seconds since 1970, and the open seconds before each; total at the end."""

    starts: list[int]
    ends: list[int]
    before: list[int]


class Calendar:
    """Opening hours of one name in one zone. Two calendars of the same name and dates have the same `key`."""

    def __init__(self, name: str, hours: Hours) -> None:
        self.name = name
        self.zone = hours.zone.key
        self._hours = hours
        self._years: dict[int, _Year] = {}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], name: str = "calendar") -> Calendar:
        """Return the calendar that a rulebook mapping describes; raises RulebookError with every problem in it."""
        return cls(name, read_hours(config))

    def __repr__(self) -> str:
        return f"Calendar({self.name!r}, zone={self.zone!r})"

    def working_seconds(self, start: datetime, end: datetime) -> int:
        """Return the open time between two instants.

        Both aware, any zone; whole seconds, truncated toward zero, negative when end < start.
        """
        low, high = _micros(start), _micros(end)
        if high < low:
            return -(self._between(high, low) // _US)
        return self._between(low, high) // _US

    def add(self, start: datetime, seconds: int | float | Decimal | Fraction) -> datetime:
        """Return the first instant (backwards: the last) at which so much open time is used up since start.

        Seconds may be negative or fractional, exact to the microsecond; closing instants count, so 8 h from opening
        on an 8 h day is the closing instant. 0 gives start itself. The result is in the zone of start.
        Raises RulebookError if the calendar never opens long enough.
        """
        need = round(seconds * _US)
        at = _micros(start)
        if need > 0:
            at = self._forward(at, need)
        elif need < 0:
            at = self._backward(at, -need)
        return _instant(at, start)

    def is_open(self, at: datetime) -> bool:
        """Return whether the instant lies in a span; a span holds its first instant and not its last."""
        second = _micros(at) // _US
        year = self._year(_year_of(second))
        i = bisect_right(year.starts, second) - 1
        return i >= 0 and second < year.ends[i]

    def next_open(self, at: datetime) -> datetime:
        """Return the instant itself when open, else the next opening. Raises RulebookError if there is none."""
        if self.is_open(at):
            return at
        second = _micros(at) // _US
        number = _year_of(second)
        year = self._year(number)
        i = bisect_right(year.starts, second)
        while i == len(year.starts):
            number = self._step(number, 1)
            year, i = self._year(number), 0
        return _instant(year.starts[i] * _US, at)

    def next_close(self, at: datetime) -> datetime:
        """Return the next instant, later than `at`, at which open time ends; RulebookError if there is none."""
        second = _micros(self.next_open(at)) // _US
        number = first = _year_of(second)
        year = self._year(number)
        end = year.ends[bisect_right(year.starts, second) - 1]
        while end == _year_start(number + 1):  # years are kept apart, an open New Year's Eve is not
            number += 1
            year = self._year(number)
            if not year.starts or year.starts[0] != end:
                break
            end = year.ends[0]
            if number - first > _NEVER_CLOSES_YEARS:
                raise wrong(f"calendar {self.name} never closes after {first}", "ask only calendars that close")
        return _instant(end * _US, at)

    def previous_open_or_close(self, at: datetime) -> datetime:
        """Return the instant itself when open or closing, else the last closing; RulebookError if there is none."""
        if self.is_open(at):
            return at
        micros = _micros(at)
        second = micros // _US
        number = _year_of(second)
        year = self._year(number)
        i = bisect_right(year.ends, second)
        while i == 0:
            number = self._step(number, -1)
            year = self._year(number)
            i = len(year.ends)
        return _instant(year.ends[i - 1] * _US, at)

    @cached_property
    def key(self) -> str:
        """'<name>@<hash>': equal for the same name and the same open instants between 1995 and 2045."""
        digest = hashlib.sha256()
        for number in range(FIRST_INDEX_YEAR, END_INDEX_YEAR):
            year = self._year(number)
            digest.update(repr((year.starts, year.ends)).encode())
        return f"{self.name}@{digest.hexdigest()[:12]}"

    def index(self) -> CalendarIndex:
        """Return the day arrays that SQL computes with: one row of the table calendar_index."""
        return _indexed(self.key, self._hours)

    def _between(self, low: int, high: int) -> int:
        """Open microseconds between two instants in order."""
        first, last = _year_of(low // _US), _year_of(high // _US)
        total = self._before(last, high) - self._before(first, low)
        return total + _US * sum(self._year(number).before[-1] for number in range(first, last))

    def _before(self, number: int, micros: int) -> int:
        """Open microseconds between the start of the instant's UTC year and the instant."""
        year = self._year(number)
        i = bisect_right(year.starts, micros // _US) - 1
        if i < 0:
            return 0
        return year.before[i] * _US + min(micros - year.starts[i] * _US, (year.ends[i] - year.starts[i]) * _US)

    def _forward(self, at: int, need: int) -> int:
        number = _year_of(at // _US)
        target = self._before(number, at) + need
        while target > (total := self._year(number).before[-1] * _US):
            target -= total
            number = self._step(number, 1)
        year = self._year(number)
        i = bisect_left(year.before, -(-target // _US)) - 1
        return year.starts[i] * _US + target - year.before[i] * _US

    def _backward(self, at: int, need: int) -> int:
        number = _year_of(at // _US)
        target = self._before(number, at) - need
        while target < 0:
            number = self._step(number, -1)
            target += self._year(number).before[-1] * _US
        year = self._year(number)
        i = bisect_right(year.before, target // _US) - 1
        return year.starts[i] * _US + target - year.before[i] * _US

    def _step(self, number: int, way: int) -> int:
        """Return the next year to look at; refuses where the calendar can no longer open."""
        number += way
        lasts = [datetime.fromordinal(o).year for o, spans in self._hours.special.items() if spans]
        reach = (max(lasts, default=0) + 1) if way > 0 else (min(lasts, default=9999) - 1)
        if not any(self._hours.weekly) and (number - reach) * way > 0:
            when = "after" if way > 0 else "before"
            raise wrong(f"calendar {self.name} never opens {when} {reach}", "give `open` weekly spans")
        return number

    def _year(self, number: int) -> _Year:
        found = self._years.get(number)
        if found is None:
            if not _FIRST_YEAR <= number <= _LAST_YEAR:
                raise wrong(
                    f"calendar {self.name} is asked about the year {number}", f"it knows {_FIRST_YEAR} to {_LAST_YEAR}"
                )
            found = self._years[number] = _resolved(self._hours, number)
        return found


@lru_cache(maxsize=32)
def _indexed(key: str, hours: Hours) -> CalendarIndex:
    """Return the day arrays of some hours; kept as the years are."""
    years = [_resolved(hours, number) for number in range(FIRST_INDEX_YEAR, END_INDEX_YEAR)]
    spans = [span for year in years for span in zip(year.starts, year.ends, strict=True)]
    return build_index(key, _year_start(FIRST_INDEX_YEAR), _year_start(END_INDEX_YEAR), spans)


@lru_cache(maxsize=512)
def _resolved(hours: Hours, number: int) -> _Year:
    """Return the spans that touch a UTC year, merged and cut at its ends.

    A local date reaches from 14 h before to 12 h after its UTC namesake, and a span into the next date. Kept for
    the next book that has the same hours: a reload, the second of a comparison.
    """
    low, high = _year_start(number), _year_start(number + 1)
    first, last = low // DAY_S + _EPOCH_ORDINAL - 3, high // DAY_S + _EPOCH_ORDINAL + 1
    holidays = hours.holidays(number - 1) | hours.holidays(number) | hours.holidays(number + 1)
    offsets = _offsets(hours.zone, first, last + 3)
    found: list[tuple[int, int]] = []
    for i, ordinal in enumerate(range(first, last + 1)):
        spans = hours.of(ordinal, holidays)
        if not spans:
            continue
        midnight = (ordinal - _EPOCH_ORDINAL) * DAY_S
        offset = offsets[i]
        if offset == offsets[i + 1] == offsets[i + 2]:
            found.extend((midnight + a - offset, midnight + b - offset) for a, b in spans)
        else:
            zone = hours.zone
            found.extend((_to_utc(zone, midnight + a), _to_utc(zone, midnight + b)) for a, b in spans)
    return _merge(sorted(found), low, high)


def _merge(spans: list[tuple[int, int]], low: int, high: int) -> _Year:
    starts: list[int] = []
    ends: list[int] = []
    for start, end in spans:
        if start < low:
            start = low
        if end > high:
            end = high
        if end <= start:
            continue
        if ends and start <= ends[-1]:
            if end > ends[-1]:
                ends[-1] = end
        else:
            starts.append(start)
            ends.append(end)
    lengths = (end - start for start, end in zip(starts, ends, strict=True))
    return _Year(starts, ends, list(accumulate(lengths, initial=0)))


@lru_cache(maxsize=1024)
def _offsets(zone: ZoneInfo, first: int, end: int) -> list[int]:
    """UTC offsets in seconds at the first pass of each local midnight."""
    return [_seconds(zone.utcoffset(datetime.fromordinal(ordinal))) for ordinal in range(first, end)]


def _to_utc(zone: ZoneInfo, local: int) -> int:
    """UTC second of a wall-clock second: the jump when the clocks skip it, the first pass when they repeat it."""
    naive = datetime.fromordinal(_EPOCH_ORDINAL) + timedelta(seconds=local)
    before, after = _seconds(zone.utcoffset(naive)), _seconds(zone.utcoffset(naive.replace(fold=1)))
    if before >= after:
        return local - before
    low, high = local - after, local - before  # the jump lies between: at low the old offset holds, at high the new
    while high - low > 1:
        middle = (low + high) // 2
        if _seconds((_EPOCH + timedelta(seconds=middle)).astimezone(zone).utcoffset()) == after:
            high = middle
        else:
            low = middle
    return high


def _seconds(offset: timedelta | None) -> int:
    assert offset is not None
    return offset.days * DAY_S + offset.seconds


def _micros(at: datetime) -> int:
    if at.utcoffset() is None:
        raise ValueError(f"{at.isoformat()} has no time zone; instants are aware")
    return (at - _EPOCH) // timedelta(microseconds=1)


def _instant(micros: int, like: datetime) -> datetime:
    """The instant in the zone of `like`."""
    return (_EPOCH + timedelta(microseconds=micros)).astimezone(like.tzinfo)


def _year_of(second: int) -> int:
    return (_EPOCH + timedelta(seconds=second)).year


def _year_start(number: int) -> int:
    return (datetime(number, 1, 1, tzinfo=UTC).toordinal() - _EPOCH_ORDINAL) * DAY_S

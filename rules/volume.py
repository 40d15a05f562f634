"""How much a feed brings in an hour: which hours are judged, what was promised for them and what is usual.

Hours are whole hours of the wall clock in the zone of the feed's calendar (else of the feed). One that the calendar
opens for a part only counts by that part, one in which it is closed is not judged at all, and the hour under way is
never judged: it is not over yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from math import ceil, floor, sqrt
from statistics import median
from typing import NamedTuple
from zoneinfo import ZoneInfo

from rules.calendar import Calendar
from rules.model import Feed

HOUR = timedelta(hours=1)
WEEKS = 8  # of the past, each with the same hour of the same weekday
LEAST_WEEKS = 3  # fewer tell nothing
TELLS_S = 300  # how long after its end an hour is judged, where the feed has no grace of its own
_LOOK_BACK = 24 * 15
_TRIPLE_MAD = 3 * 1.4826  # three standard deviations, from the median absolute deviation of a normal distribution
_TRIPLE = 3.0


class Hour(NamedTuple):
    """One hour of the wall clock; open_s of it count."""

    start: datetime
    end: datetime
    open_s: int


class Usual(NamedTuple):
    """What an hour usually brings: the middle of the past ones, and from where on a count is unusual."""

    middle: float
    low: float
    high: float


def zone_of(feed: Feed | None, calendar: Calendar | None) -> ZoneInfo:
    """Return the zone whose hours of the week are compared."""
    return ZoneInfo(calendar.zone if calendar else feed.zone if feed else "UTC")


def hour_of(at: datetime, zone: ZoneInfo, calendar: Calendar | None = None) -> Hour:
    """Return the hour of the wall clock that holds an instant, in UTC."""
    local = at.astimezone(zone)
    into = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    start = at.astimezone(UTC) - into
    end = start + HOUR
    return Hour(start, end, calendar.working_seconds(start, end) if calendar else 3600)


def last_hour(feed: Feed, calendar: Calendar | None, now: datetime) -> Hour | None:
    """Return the latest hour that is over (grace included) and was open at least in part; None if none was."""
    zone = zone_of(feed, calendar)
    at = now - timedelta(seconds=feed.grace_s or TELLS_S)
    for _ in range(_LOOK_BACK):
        hour = hour_of(at - HOUR, zone, calendar)
        if hour.open_s > 0:
            return hour
        at = hour.start + timedelta(microseconds=1)
    return None


def hours_back(now: datetime, zone: ZoneInfo, calendar: Calendar | None, count: int) -> Iterator[Hour]:
    """Yield the hour under way and so many before it, latest first."""
    hour = hour_of(now, zone, calendar)
    for _ in range(count + 1):
        yield hour
        hour = hour_of(hour.start - timedelta(microseconds=1), zone, calendar)


def same_hours(hour: Hour, zone: ZoneInfo, calendar: Calendar | None) -> list[Hour]:
    """Return the same hour of the weeks before, latest first; one that a change of the clocks removed is left out."""
    local = hour.start.astimezone(zone)
    found = []
    for week in range(1, WEEKS + 1):
        wall = (local.replace(tzinfo=None, fold=0) - timedelta(weeks=week)).replace(tzinfo=zone)
        start = wall.astimezone(UTC)
        if start.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
            found.append(hour_of(start, zone, calendar))
    return found


def promised(feed: Feed, hour: Hour) -> tuple[int | None, int | None]:
    """Return least and most events that the rulebook expects of an hour, by the part of it that is open."""
    if feed.volume is None:
        return None, None
    least, most, part = feed.volume.least, feed.volume.most, hour.open_s / 3600
    return (None if least is None else floor(least * part), None if most is None else ceil(most * part))


def usual(counts: Sequence[tuple[int, int]], open_s: int) -> Usual | None:
    """Return what (events, open seconds) of past hours lead to expect of so many open seconds; None if too few tell.

    Unusual is what lies more than three standard deviations from the median, by the spread of the past hours or, where
    that is larger, by that of counts as such (the root of the median). Closed past hours tell nothing.
    """
    rates = [events / seconds for events, seconds in counts if seconds > 0]
    if len(rates) < LEAST_WEEKS or open_s <= 0:
        return None
    expected = [rate * open_s for rate in rates]
    middle = median(expected)
    spread = max(_TRIPLE * sqrt(middle), _TRIPLE_MAD * median(abs(e - middle) for e in expected))
    return Usual(middle, max(0.0, middle - spread), middle + spread)

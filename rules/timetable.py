"""When a scheduled feed should have run: `every 30m` counts from midnight of its zone, `cron` as cron does.

Around a change of the clocks a cron line behaves as in Debian: a run in the hour that is skipped comes right after it,
one in the hour that comes twice comes once, and lines with `*` in minute or hour follow real time. With a calendar,
runs on days (of the feed's zone) on which it does not open are not due.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from cronsim import CronSim

from rules.calendar import Calendar
from rules.model import Feed

_LOOK_BACK_DAYS = (1, 8, 32, 400)
_LOOK_AHEAD = timedelta(days=800)


def next_run_after(feed: Feed, at: datetime, calendar: Calendar | None = None) -> datetime | None:
    """Return the first scheduled run strictly after an instant (UTC), or None if none comes within two years."""
    for run in _runs_after(feed, at):
        if run - at > _LOOK_AHEAD:
            return None
        if calendar is None or _opens(calendar, feed.zone, run):
            return run
    return None


def last_run_before(feed: Feed, at: datetime, calendar: Calendar | None = None) -> datetime | None:
    """Return the last scheduled run at or before an instant (UTC), looking back at most 400 days."""
    if feed.cron:  # whole minutes only, so that all ticks of a minute share one answer
        return _last_before(feed, at.replace(second=0, microsecond=0), calendar)
    if feed.every_s is None:
        return None
    for _ in range(_LOOK_BACK_DAYS[-1]):
        midnight = _midnight(feed, at)
        steps = int((at - midnight).total_seconds() // feed.every_s)
        run = midnight + timedelta(seconds=steps * feed.every_s)
        if calendar is None or _opens(calendar, feed.zone, run):
            return run
        at = midnight - timedelta(microseconds=1)
    return None


def runs_between(feed: Feed, after: datetime, until: datetime, calendar: Calendar | None = None) -> Iterator[datetime]:
    """Yield the runs due in (after, until], oldest first."""
    for run in _runs_after(feed, after):
        if run > until:
            return
        if calendar is None or _opens(calendar, feed.zone, run):
            yield run


@lru_cache(maxsize=1024)
def _last_before(feed: Feed, at: datetime, calendar: Calendar | None) -> datetime | None:
    for days in _LOOK_BACK_DAYS:
        found = None
        for run in runs_between(feed, at - timedelta(days=days), at, calendar):
            found = run
        if found is not None:
            return found
    return None


def _runs_after(feed: Feed, at: datetime) -> Iterator[datetime]:
    if feed.every_s:
        while True:
            midnight = _midnight(feed, at)
            steps = int((at - midnight).total_seconds() // feed.every_s) + 1
            at = min(midnight + timedelta(seconds=steps * feed.every_s), _midnight(feed, at, days=1))
            yield at
    elif feed.cron:
        # In the hour that comes twice cronsim looks at the wall clock and may offer a run of its first pass again.
        for local in CronSim(feed.cron, at.astimezone(ZoneInfo(feed.zone))):
            run = local.astimezone(UTC)
            if run > at:
                yield run


@lru_cache(maxsize=4096)
def _opens(calendar: Calendar, zone: str, run: datetime) -> bool:
    day = run.astimezone(ZoneInfo(zone)).date()
    start = datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
    end = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone)).astimezone(UTC)
    return calendar.working_seconds(start, end) > 0


def _midnight(feed: Feed, at: datetime, days: int = 0) -> datetime:
    day = at.astimezone(ZoneInfo(feed.zone)).date() + timedelta(days=days)
    return datetime.combine(day, time(), ZoneInfo(feed.zone)).astimezone(UTC)

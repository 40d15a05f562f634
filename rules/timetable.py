"""When a scheduled feed should have run: `every 30m` counts from midnight of its zone, `cron` as cron does."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

from rules.model import Feed


@lru_cache(maxsize=256)
def _cron(expression: str, zone: str) -> CronTrigger:
    return CronTrigger.from_crontab(expression, timezone=ZoneInfo(zone))


def next_run_after(feed: Feed, at: datetime) -> datetime | None:
    """Return the first scheduled run strictly after an instant (UTC), or None if there is none."""
    if feed.every_s:
        midnight = _midnight(feed, at)
        steps = int((at - midnight).total_seconds() // feed.every_s) + 1
        return min(midnight + timedelta(seconds=steps * feed.every_s), _midnight(feed, at, days=1))
    if feed.cron:
        run = _cron(feed.cron, feed.zone).get_next_fire_time(None, at + timedelta(microseconds=1))
        return run.astimezone(UTC) if run else None
    return None


def last_run_before(feed: Feed, at: datetime) -> datetime | None:
    """Return the last scheduled run at or before an instant (UTC), looking back at most 400 days."""
    if feed.every_s:
        midnight = _midnight(feed, at)
        steps = int((at - midnight).total_seconds() // feed.every_s)
        return midnight + timedelta(seconds=steps * feed.every_s)
    if not feed.cron:
        return None
    for days in (1, 8, 32, 400):
        run, found = next_run_after(feed, at - timedelta(days=days)), None
        while run is not None and run <= at:
            found, run = run, next_run_after(feed, run)
        if found is not None:
            return found
    return None


def _midnight(feed: Feed, at: datetime, days: int = 0) -> datetime:
    day = at.astimezone(ZoneInfo(feed.zone)).date() + timedelta(days=days)
    return datetime.combine(day, time(), ZoneInfo(feed.zone)).astimezone(UTC)

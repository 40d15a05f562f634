"""feeds: what each connection promises to send, and how often."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from apscheduler.triggers.cron import CronTrigger

from rules.duration import HINT, parse_duration
from rules.errors import closest
from rules.model import Feed
from rules.section import Section

_CRON_HINT = 'write five fields with weekdays by name, for example cron: "30 5 * * mon-fri"'
_EXPECTS_HINT = "write expects: stream with quiet_after, expects: every 30m, or cron with zone"


def read_feeds(book: Section) -> tuple[Feed, ...]:
    """Return the feeds in the order written."""
    return tuple(_feed(section) for section in book.sections("feeds", "feed"))


def _feed(section: Section) -> Feed:
    connection = section.text("connection", required=True)
    expects, cron = section.text("expects"), section.text("cron") or None
    word, _, rest = expects.partition(" ")
    every: int | None = None
    if word == "every":
        try:
            every = parse_duration(rest)
        except ValueError as error:
            section.report("expects", str(error), HINT)
        if every is not None and not 1 <= every <= 86_400:
            section.report("expects", f"every {rest} is not between a second and a day", "use cron for rarer runs")
            every = None
    elif word == "cron" and rest:
        cron = rest
    elif expects == "stream":
        if not section.has("quiet_after"):
            section.report("quiet_after", "a stream needs quiet_after", "write quiet_after: 15m")
    elif expects or cron is None:
        section.report("expects", f"{expects!r} is no timetable" if expects else "expects is missing", _EXPECTS_HINT)
    scheduled = expects != "stream" and bool(every or cron)
    if expects and section.has("cron"):
        section.report("cron", "expects and cron are two timetables", "keep one of them")
    if scheduled and section.has("quiet_after"):
        section.report("quiet_after", "quiet_after belongs to a stream", "a timetable has grace")
    if expects == "stream" and section.has("grace"):
        section.report("grace", "grace belongs to a timetable", "a stream has quiet_after")
    zone = _zone(section)
    if cron is not None and not _cron_is_good(cron):
        section.report("cron" if section.has("cron") else "expects", f"{cron!r} is no usable cron line", _CRON_HINT)
        cron = None
    return Feed(
        connection=connection,
        quiet_after_s=section.duration("quiet_after", least=1) if expects == "stream" else None,
        calendar=section.text("calendar") or None,
        every_s=every,
        cron=cron if expects != "stream" else None,
        zone=zone,
        grace_s=section.duration("grace") or 0,
    )


def _zone(section: Section) -> str:
    zone = section.text("zone", "UTC")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        section.report("zone", f"unknown time zone {zone!r}", closest(zone, available_timezones()))
        return "UTC"
    return zone


def _cron_is_good(cron: str) -> bool:
    fields = cron.split()
    if len(fields) != 5 or re.search(r"\d", fields[4]):  # 0 is Sunday to some and Monday to others
        return False
    try:
        CronTrigger.from_crontab(cron, timezone=ZoneInfo("UTC"))
    except ValueError:
        return False
    return True

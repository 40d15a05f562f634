"""feeds: what each connection promises to send, and how often."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from cronsim import CronSim, CronSimError

from rules.duration import HINT, parse_duration
from rules.errors import closest
from rules.model import Feed, Volume
from rules.section import Section

_CRON_HINT = 'write five fields with weekdays by name, for example cron: "30 5 * * mon-fri"'
_EXPECTS_HINT = "write expects: stream with quiet_after, expects: every 30m, or cron with zone"
_VOLUME_HINT = "write expects: {per_hour: {min: 100}}"
MOST_PER_HOUR = 1_000_000_000


def read_feeds(book: Section) -> tuple[Feed, ...]:
    """Return the feeds in the order written."""
    return tuple(_feed(section) for section in book.sections("feeds", "feed"))


def _feed(section: Section) -> Feed:
    connection, zone = section.text("connection", required=True), _zone(section)
    if isinstance(section.raw("expects"), dict) or section.text("expects") == "stream":
        return _stream(section, connection, zone)
    return _timetable(section, connection, zone)


def _stream(section: Section, connection: str, zone: str) -> Feed:
    """Return a feed that is heard from at any time: when silence is too long, how much an hour brings, or both."""
    calendar, volume = section.text("calendar"), None
    if section.has("cron"):
        section.report("cron", "expects and cron are two timetables", "keep one of them")
    if isinstance(section.raw("expects"), dict):
        expects = section.section("expects", "expects")
        assert expects is not None
        volume = _volume(expects)
        own = expects.text("calendar")
        if own and calendar and own != calendar:
            expects.report("calendar", "a feed has one calendar", f"drop one of {own} and {calendar}")
        calendar = own or calendar
    elif not section.has("quiet_after"):
        section.report("quiet_after", "a stream needs quiet_after", "write quiet_after: 15m")
    elif section.has("grace"):
        section.report("grace", "grace belongs to a timetable", "a stream has quiet_after")
    if section.has("settle") and not section.has("quiet_after"):
        section.report("settle", "settle belongs to quiet_after", "without it no silence is ever over")
    return Feed(
        connection=connection,
        quiet_after_s=section.duration("quiet_after", least=1),
        calendar=calendar or None,
        zone=zone,
        grace_s=section.duration("grace") or 0,
        volume=volume,
        settle_s=section.duration("settle") or 0,
    )


def _volume(expects: Section) -> Volume:
    """Return the counts promised for an hour."""
    per_hour = expects.section("per_hour", "per_hour")
    if per_hour is None:
        expects.report("per_hour", "per_hour is missing", _VOLUME_HINT)
        return Volume()
    if not per_hour.has("min") and not per_hour.has("max"):
        per_hour.report(None, "neither min nor max is given", _VOLUME_HINT)
    least = per_hour.count("min", 0, 0, MOST_PER_HOUR) if per_hour.has("min") else None
    most = per_hour.count("max", MOST_PER_HOUR, 1, MOST_PER_HOUR) if per_hour.has("max") else None
    if least is not None and most is not None and least > most:
        per_hour.report("min", f"min {least} is more than max {most}", "swap them")
    return Volume(least, most)


def _timetable(section: Section, connection: str, zone: str) -> Feed:
    """Return a feed that comes in runs."""
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
    elif expects or cron is None:
        section.report("expects", f"{expects!r} is no timetable" if expects else "expects is missing", _EXPECTS_HINT)
    if expects and section.has("cron"):
        section.report("cron", "expects and cron are two timetables", "keep one of them")
    if (every or cron) and section.has("quiet_after"):
        section.report("quiet_after", "quiet_after belongs to a stream", "a timetable has grace")
    if section.has("settle"):
        section.report("settle", "settle belongs to a stream", "a timetable has grace")
    if cron is not None and not _cron_is_good(cron):
        section.report("cron" if section.has("cron") else "expects", f"{cron!r} is no usable cron line", _CRON_HINT)
        cron = None
    return Feed(
        connection=connection,
        calendar=section.text("calendar") or None,
        every_s=every,
        cron=cron,
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
        CronSim(cron, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError:
        return False
    return True

"""When a group may speak: its grid of moments or its digest, and the calendars that mute it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from rules.calendar import Calendar
from rules.errors import RulebookError
from rules.model import Route

_MOMENT = timedelta(microseconds=1)
_FAR_DAYS = 3650
_ROUNDS = 400


def next_flush(route: Route, anchor: datetime, at: datetime) -> datetime:
    """Return the first moment, `at` or later, at which the group looks whether there is something to say.

    anchor is the first of its moments; group_interval lies between them. A digest has its own.
    """
    if route.digest is not None:
        local = at.astimezone(ZoneInfo(route.digest.zone)) - _MOMENT
        return next(CronSim(route.digest.cron, local)).astimezone(at.tzinfo)
    if at <= anchor:
        return anchor
    step = timedelta(seconds=route.group_interval_s)
    return anchor + step * -(-(at - anchor) // step)


def silent_until(route: Route, calendars: Mapping[str, Calendar], at: datetime) -> datetime | None:
    """Return when the route may speak again, None while it may: a mute calendar is open, or every active one closed."""
    moment = at
    for _ in range(_ROUNDS):
        ahead = _silent_once(route, calendars, moment)
        if ahead is None:
            return None if moment == at else moment
        moment = ahead
    return moment


def _silent_once(route: Route, calendars: Mapping[str, Calendar], at: datetime) -> datetime | None:
    for name in route.mute:
        if calendars[name].is_open(at):
            try:
                return calendars[name].next_close(at)
            except RulebookError:  # it never closes
                return at + timedelta(days=_FAR_DAYS)
    if not route.active or any(calendars[name].is_open(at) for name in route.active):
        return None
    openings = []
    for name in route.active:
        try:
            openings.append(calendars[name].next_open(at))
        except RulebookError:  # it never opens again
            continue
    return min(openings, default=at + timedelta(days=_FAR_DAYS))

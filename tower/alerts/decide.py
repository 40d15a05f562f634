"""Whether an alert has something to say now, to whom and why, and when it looks again. Pure: `now` is passed in.

A group looks at the moments of its grid (or digest), as Alertmanager flushes: first after group_wait, then every
group_interval. Breaches of a priority in at_once, and what people escalate, wait for no moment. Repeats and
escalations have their own times.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rules.calendar import Calendar
from rules.model import Receiver, Route
from tower.alerts.alert import SKIPPED, Alert, Member
from tower.alerts.breach import Breach
from tower.alerts.notice import ESCALATED, MORE, NEW, PARTLY, REPEAT, RESOLVED, Notice
from tower.alerts.times import next_flush, silent_until
from tower.alerts.tree import notice_id_of


@dataclass(frozen=True, slots=True)
class View:
    """What a decision looks at beside the alert. held_by: 'silence ID' or 'breach ID' that keeps one back, or ''."""

    receivers: Mapping[str, Receiver]
    calendars: Mapping[str, Calendar]
    held_by: Callable[[Breach], str]


@dataclass(slots=True)
class Decision:
    """What came of a look. changed: members whose told state moved. wake_at: when to look again without news."""

    notices: list[Notice]
    changed: list[Member]
    wake_at: datetime | None = None


def look(alert: Alert, route: Route, view: View, now: datetime) -> Decision:
    """Decide about an alert and note in it what will have been told."""
    done = Decision([], [])
    silent = silent_until(route, view.calendars, now)
    ended, lasting = _endings(alert, route, view, now)
    if (alert.untold or ended) and alert.flush_at is None:
        alert.flush_at = next_flush(route, alert.anchor, now)
    flush = alert.flush_at is not None and now >= alert.flush_at
    fresh = _fresh(alert, route, view, done, all_of_them=flush)
    urgent = any(m.breach.at_once(route.at_once) for m in fresh)
    repeat_at = _repeat_at(alert, route)
    if silent is None and (flush or urgent or (repeat_at is not None and now >= repeat_at)):
        if urgent and not flush:
            fresh = _fresh(alert, route, view, done, all_of_them=True)
            alert.anchor = min(alert.anchor, now)
        _speak(alert, view, now, done, (fresh, ended, lasting, urgent, repeat_at))
        ended, lasting = _endings(alert, route, view, now)
        flush = True
    if silent is None:
        _escalate(alert, route, view, now, done)
    if flush:
        alert.flush_at = None
        if alert.untold or ended:
            later = now + timedelta(milliseconds=1) if silent is None else silent
            alert.flush_at = next_flush(route, alert.anchor, later)
    elif urgent and silent is not None:
        alert.flush_at = silent
    if not lasting and not alert.ending and not alert.standing:
        alert.closed_at = now
    _plan(alert, route, view, now, silent, done)
    return done


def _fresh(alert: Alert, route: Route, view: View, done: Decision, *, all_of_them: bool) -> list[Member]:
    """Return what may be told now of what was not told yet; of the urgent ones only unless all are asked for."""
    found = []
    for member in alert.untold.values():
        if all_of_them or member.breach.at_once(route.at_once):
            before, member.held_by = member.held_by, view.held_by(member.breach)
            if member.held_by != before:
                done.changed.append(member)
            if not member.held_by:
                found.append(member)
    return found


def _endings(alert: Alert, route: Route, view: View, now: datetime) -> tuple[list[Member], bool]:
    """Return the told members whose end is to be told now, and whether any told or untold one still lasts."""
    if not alert.ending:
        return [], bool(alert.untold or alert.lasting)
    if _later(alert, view):
        return [], True
    over = [m for m in alert.ending.values() if m.over(now, route.flap_hold_s)]
    lasting = len(over) < len(alert.ending) or bool(alert.untold or alert.lasting)
    return (over if not lasting or _wish(alert, view) == "each" else []), lasting


def _later(alert: Alert, view: View) -> bool:
    """Whether ends are told when all is over, and something lasts: then each single one need not be looked at."""
    return bool(alert.untold or alert.lasting) and _wish(alert, view) != "each"


def _wish(alert: Alert, view: View) -> str:
    """Return the most talkative wish for resolved notices among those who were told."""
    wishes = {view.receivers[name].resolved for name in alert.told_to if name in view.receivers}
    return "each" if "each" in wishes else "end" if "end" in wishes else "none"


def _repeat_at(alert: Alert, route: Route) -> datetime | None:
    if alert.last_at is None or alert.acknowledged_by:
        return None
    return next_flush(route, alert.anchor, alert.last_at + timedelta(seconds=route.repeat_interval_s))


_Seen = tuple[list[Member], list[Member], bool, bool, datetime | None]


def _speak(alert: Alert, view: View, now: datetime, done: Decision, seen: _Seen) -> None:
    fresh, ended, lasting, urgent, repeat_at = seen
    for member in ended:
        member.held_by = view.held_by(member.breach)
    told_end = [m for m in ended if not m.held_by]
    if fresh:
        to, reason = [alert.receiver], NEW if alert.number == 0 else MORE
    elif told_end and not lasting:
        to, reason = _those(alert, view, ("end", "each")), RESOLVED
    elif told_end:
        to, reason = _those(alert, view, ("each",)), PARTLY
    elif repeat_at is not None and now >= repeat_at and _open_told(alert, view):
        to, reason = [alert.receiver], REPEAT
    else:
        to, reason = [], ""
    if to:
        about = fresh if reason in (NEW, MORE) else _open_told(alert, view) if reason == REPEAT else []
        _say(alert, done, to, reason, now, about, told_end, urgent=urgent)
        for member in fresh:
            member.told = alert.number
            alert.sort_in(member)
            done.changed.append(member)
    for member in ended:
        if to and not member.held_by and reason != REPEAT:
            member.told_over = alert.number
        elif not lasting:
            member.told_over = SKIPPED
        if member.told_over:
            alert.sort_in(member)
            done.changed.append(member)


def _those(alert: Alert, view: View, wishes: Sequence[str]) -> list[str]:
    return [n for n in alert.told_to if n in view.receivers and view.receivers[n].resolved in wishes]


def _open_told(alert: Alert, view: View) -> list[Member]:
    return [m for m in alert.lasting.values() if not view.held_by(m.breach)]


def _escalate(alert: Alert, route: Route, view: View, now: datetime, done: Decision) -> None:
    while alert.escalated < len(route.escalate) and alert.first_at is not None and not alert.acknowledged_by:
        step = route.escalate[alert.escalated]
        if now < alert.first_at + timedelta(seconds=step.after_s):
            return
        about = _open_told(alert, view)
        if not about:
            return
        alert.escalated += 1
        _say(alert, done, [step.receiver], ESCALATED, now, about, [], urgent=True)


def _say(
    alert: Alert, done: Decision, to: Sequence[str], reason: str, now: datetime,
    opened: list[Member], ended: list[Member], *, urgent: bool,
) -> None:  # fmt: skip
    alert.number += 1
    priority, value, orders = alert.urgency()
    count = len(alert.standing)
    for receiver in to:
        done.notices.append(
            Notice(
                notice_id_of(alert.alert_id, alert.number, receiver), alert.alert_id, alert.number, receiver, reason,
                now, dict(alert.labels), _sorted(opened), _sorted(ended), count, priority, value, orders, urgent,
            )
        )  # fmt: skip
        if receiver not in alert.told_to:
            alert.told_to.append(receiver)
    alert.first_at = alert.first_at or now
    if alert.receiver in to:
        alert.last_at = now
    alert.reason = reason


def _sorted(members: list[Member]) -> tuple[Breach, ...]:
    return tuple(sorted((m.breach for m in members), key=lambda b: (b.urgency, b.breach_id)))


def _plan(
    alert: Alert, route: Route, view: View, now: datetime, silent: datetime | None, done: Decision
) -> None:  # fmt: skip
    """Say when the next notice goes out if nothing changes, and when to look again."""
    plans: list[tuple[datetime, str]] = []
    waits: list[datetime] = []
    if alert.closed_at is None:
        if alert.flush_at is not None:
            held = bool(alert.untold) and all(m.held_by for m in alert.untold.values())
            waits.append(alert.flush_at)
            if not held:
                reason = (MORE if alert.number else NEW) if alert.untold else RESOLVED
                plans.append((alert.flush_at, reason))
        if alert.number and alert.lasting:
            later = next_flush(route, alert.anchor, now + timedelta(milliseconds=1))
            repeat_at = _repeat_at(alert, route)
            if repeat_at is not None:
                plans.append((repeat_at if repeat_at > now else later, REPEAT))
            if alert.escalated < len(route.escalate) and alert.first_at is not None and not alert.acknowledged_by:
                escalate_at = alert.first_at + timedelta(seconds=route.escalate[alert.escalated].after_s)
                plans.append((escalate_at if escalate_at > now else later, ESCALATED))
        hold = timedelta(seconds=route.flap_hold_s)
        ending = () if _later(alert, view) else alert.ending.values()
        waits += [m.over_since + hold for m in ending if not m.over(now, route.flap_hold_s)]
    if silent is not None:
        plans = [(max(at, silent), reason) for at, reason in plans]
    alert.next_at, alert.next_reason = min(plans, default=(None, ""), key=lambda p: p[0] or now)
    moments = [at for at, _ in plans] + waits
    done.wake_at = max(min(moments), now + timedelta(milliseconds=1)) if moments else None

"""The feeds as the API shows them: state and lag, runs of timetables, hours of streams against what is usual."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from clickhouse_connect.driver.client import Client

from rules.calendar import Calendar
from rules.model import Book, Feed
from rules.timetable import next_run_after, runs_between
from rules.volume import WEEKS, Hour, Usual, hours_back, last_hour, promised, same_hours, usual, zone_of
from tower.api.wire import instant, plain
from tower.engine.feeds import FeedState, calendar_of, feed_states
from tower.engine.numbering import Gaps, read_gaps
from tower.model.connections import Connections
from tower.store.sql import load

DAY = timedelta(days=1)
HOURS = 24
SHOWN_RUNS, LEAST_RUNS = 48, 7
_COUNTED_RUNS = 10_000
_LOOK_BACK = (1, 8, 32, 400)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is looked at for one connection."""

    feed: Feed  # with an empty name where the rulebook has none
    calendar: Calendar | None
    zone: ZoneInfo


DRIFT = ("new_fields", "changed_types", "unknown_codes")


def feed_rows(
    client: Client, book: Book, connections: Connections, now: datetime, known_at: datetime | None
) -> list[dict[str, Any]]:
    """Return a row per configured connection, in the order of the file.

    known_at: what was known then, with that as now; what is usual, gaps and what waits are told for the present only.
    """
    moment = known_at or now
    promises = {f.connection: f for f in book.feeds}
    plans = {}
    for connection in connections.entries:
        feed = promises.get(connection.name, Feed(""))
        calendar = calendar_of(book, feed)
        plans[connection.name] = Plan(feed, calendar, zone_of(feed, calendar))
    streams = {name: plan for name, plan in plans.items() if not plan.feed.scheduled}
    hours = _hours(client, streams, moment) if known_at is None else {}
    totals = _pairs(client, "feeds_totals", {"connections": list(plans)})
    gaps = read_gaps(client, plans, moment.date()) if known_at is None else {}
    waiting = _pairs(client, "feeds_waiting") if known_at is None else {}
    held = _pairs(client, "feeds_quarantined")
    drift = _pairs(client, "feeds_drift")
    rows = []
    for state in feed_states(client, book, connections, now, known_at):
        plan = plans[state.connection]
        row = _row(state, plan.feed, moment)
        row["events"] = int(totals.get(state.connection, (None, 0))[-1])
        row["quarantined"] = int(held.get(state.connection, (0,))[0])
        if plan.feed.scheduled:
            row |= _timetable(client, state.connection, plan, moment)
        else:
            row |= _stream(state, plan, hours.get(state.connection, []), moment)
        row["gaps"] = _gaps(gaps.get(state.connection, []))
        orders, unknown, value = waiting.get(state.connection, (0, 0, None))
        row["waiting"] = {"orders": orders, "unknown": unknown, "value": plain(value)}
        row["drift"] = dict(zip(DRIFT, drift.get(state.connection, (0, 0, 0)), strict=True))
        rows.append(row)
    return rows


def unconfigured(book: Book, connections: Connections) -> list[str]:
    """Return the connections that the rulebook has a feed of and the connections file does not have."""
    names = {c.name for c in connections.entries}
    return [f.connection for f in book.feeds if f.connection not in names]


def _pairs(client: Client, name: str, parameters: dict[str, Any] | None = None) -> dict[str, tuple[Any, ...]]:
    return {row[0]: tuple(row[1:]) for row in client.query(load(name), parameters=parameters).result_rows}


def _row(state: FeedState, feed: Feed, now: datetime) -> dict[str, Any]:
    told = state.watermark
    return {
        "connection": state.connection,
        "kind": state.kind,
        "state": state.state,
        "watermark": instant(told),
        "last_seen_at": instant(state.last_seen_at),
        "expected": None,
        "got": None,
        "level": None,
        "gates": state.gates,
        "reason": state.reason or None,
        "late_since": instant(state.since),
        "next_due_at": instant(state.next_due_at),
        "lag_s": max(0, int((now - told).total_seconds())) if told else None,
        "expects": expects(feed) if state.gates else None,
        "quiet_after_s": feed.quiet_after_s,
        "grace_s": feed.grace_s or None,
        "calendar": feed.calendar,
        "zone": feed.zone if feed.scheduled else None,
        "company": state.company or None,
        "warehouse": state.warehouse or None,
        "partner": state.partner or None,
        "expected_min": None,
        "expected_max": None,
        "expected_by": None,
        "window_from": None,
        "window_to": None,
        "hours": [],
        "runs": [],
    }


def expects(feed: Feed) -> str:
    """Return what a feed promises, as the rulebook says it."""
    if feed.cron:
        return f"cron {feed.cron}"
    if feed.every_s:
        return f"every {_duration(feed.every_s)}"
    parts = []
    if feed.quiet_after_s is not None:
        parts.append(f"a message every {_duration(feed.quiet_after_s)}")
    if feed.volume is not None and feed.volume.least is not None:
        parts.append(f"at least {feed.volume.least} an hour")
    if feed.volume is not None and feed.volume.most is not None:
        parts.append(f"at most {feed.volume.most} an hour")
    return ", ".join(parts)


def _duration(seconds: int) -> str:
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


# -- timetables -------------------------------------------------------------------------------------------------------


def _timetable(client: Client, name: str, plan: Plan, now: datetime) -> dict[str, Any]:
    """Return runs due and arrived in the last 24 hours, and the latest of them one by one."""
    feed, calendar = plan.feed, plan.calendar
    day = list(islice(runs_between(feed, now - DAY, now, calendar), _COUNTED_RUNS))
    listed = day
    for days in _LOOK_BACK[1:]:
        if len(listed) >= LEAST_RUNS:
            break
        listed = list(runs_between(feed, now - timedelta(days=days), now, calendar))
    runs = day if len(day) >= LEAST_RUNS else listed[-LEAST_RUNS:]
    if not runs:
        return {"expected": 0, "got": 0, "level": "ok"}
    parameters = {"connection": name, "since": runs[0], "known_at": now}
    arrivals = [row[0] for row in client.query(load("feeds_arrivals"), parameters=parameters).result_rows]
    ends = [*runs[1:], next_run_after(feed, runs[-1], calendar) or now + DAY]
    told = [_run(run, end, arrivals, feed.grace_s, now) for run, end in zip(runs, ends, strict=True)]
    counted = told[-len(day) :] if day else []
    got = sum(r["arrived_at"] is not None for r in counted)
    missing = sum(r["state"] == "missing" for r in counted)
    return {"expected": len(day), "got": got, "level": "low" if missing else "ok", "runs": told[-SHOWN_RUNS:]}


def _run(run: datetime, end: datetime, arrivals: Sequence[datetime], grace_s: int, now: datetime) -> dict[str, Any]:
    """Return one run with the first message that came before the next one was due."""
    at = bisect_left(arrivals, run)
    arrived = arrivals[at] if at < len(arrivals) and arrivals[at] < end else None
    limit = run + timedelta(seconds=grace_s)
    in_grace = now < limit if arrived is None else arrived <= limit
    state = {(True, True): "arrived", (True, False): "late", (False, True): "due", (False, False): "missing"}
    return {"due_at": instant(run), "arrived_at": instant(arrived), "state": state[arrived is not None, in_grace]}


# -- streams ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Brought:
    """An hour with what it brought and what is usual for it."""

    hour: Hour
    events: int
    usual: Usual | None


def _hours(client: Client, streams: Mapping[str, Plan], now: datetime) -> dict[str, list[Brought]]:
    """Return the hour under way and those of the last day, latest first, for each connection."""
    names = list(streams)
    if not names:
        return {}
    until = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=2)
    span = timedelta(hours=HOURS + 6)  # with room for the hour that a change of the clocks moves
    parameters = {
        "connections": names,
        "since": until - span - timedelta(weeks=WEEKS),
        "until": until,
        "week_s": int(span.total_seconds()),
    }
    quarters: dict[str, dict[datetime, int]] = {}
    for name, quarter, events in client.query(load("feeds_hours"), parameters=parameters).result_rows:
        quarters.setdefault(name, {})[quarter] = int(events)
    first = {name: row[0] for name, row in _pairs(client, "feeds_totals", {"connections": names}).items() if row[1] > 0}

    def brought(name: str, hour: Hour) -> int:
        counts = quarters.get(name, {})
        return sum(counts.get(hour.start + timedelta(minutes=m), 0) for m in (0, 15, 30, 45))

    found: dict[str, list[Brought]] = {}
    for name, plan in streams.items():
        began = first.get(name, datetime.max.replace(tzinfo=UTC))
        found[name] = []
        for hour in hours_back(now, plan.zone, plan.calendar, HOURS):
            past = [h for h in same_hours(hour, plan.zone, plan.calendar) if h.start >= began]
            known = usual([(brought(name, h), h.open_s) for h in past], hour.open_s)
            found[name].append(Brought(hour, brought(name, hour), known))
    return found


def _stream(state: FeedState, plan: Plan, hours: Sequence[Brought], now: datetime) -> dict[str, Any]:
    """Return what the last whole hour brought against what was promised, else against what is usual."""
    judged = last_hour(plan.feed, plan.calendar, now)
    row: dict[str, Any] = {"hours": [_hour(b, plan.feed) for b in reversed(hours)]}
    if judged is None:
        return row | {"level": "closed" if state.gates else None}
    at = next((b for b in hours if b.hour.start == judged.start), None)
    got = at.events if at is not None else state.brought
    least, most = promised(plan.feed, judged)
    row |= {"window_from": instant(judged.start), "window_to": instant(judged.end), "got": got}
    if least is not None or most is not None:
        row |= {"expected": least if least is not None else most, "expected_by": "rulebook"}
        low, high = least, most
    elif at is not None and at.usual is not None:
        row |= {"expected": round(at.usual.middle), "expected_by": "history"}
        low, high = _whole(at.usual)
    else:
        return row | {"level": "learning" if at is not None else None}
    row |= {"expected_min": low, "expected_max": high}
    if got is None:
        return row
    level = "low" if low is not None and got < low else "high" if high is not None and got > high else "ok"
    return row | {"level": level}


def _whole(known: Usual) -> tuple[int, int]:
    """Return the bounds as whole numbers that a count is compared with: lower than the first, higher than the last."""
    low, high = int(known.low), int(known.high)
    return (low if low == known.low else low + 1), high


def _hour(brought: Brought, feed: Feed) -> dict[str, Any]:
    least, most = promised(feed, brought.hour)
    low, high = _whole(brought.usual) if brought.usual else (None, None)
    return {
        "from": instant(brought.hour.start),
        "open": brought.hour.open_s > 0,
        "got": brought.events,
        "expected": round(brought.usual.middle) if brought.usual else None,
        "min": least if least is not None else low,
        "max": most if most is not None else high,
    }


def _gaps(found: Sequence[Gaps]) -> dict[str, Any]:
    """Return how many numbers are missing and where; numberings with nothing missing are counted only."""
    return {
        "numberings": len(found),
        "missing": sum(g.missing for g in found),
        "ranges": [
            {"sequence_of": g.sequence_of, "from": str(low), "to": str(high), "missing": high - low + 1}
            for g in found
            for low, high in g.ranges
        ],
        "restarts": sum(g.restarts for g in found),
    }

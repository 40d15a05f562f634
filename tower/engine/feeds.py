"""How far each connection has been heard: watermarks, lateness, and how far it vouches for the past.

A watermark is the latest occurrence heard from a connection; for a timetable it is the last scheduled run that
arrived. While a feed is closed and was fine, its watermark is now. Only feeds of configured connections gate
verdicts; a connection without a feed entry never does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from clickhouse_connect.driver.client import Client

from rules.calendar import Calendar
from rules.model import Book, Feed
from rules.timetable import last_run_before, next_run_after
from rules.volume import Hour, last_hour, promised
from tower.model.connections import Connection, Connections
from tower.store.sql import load

_DAWN = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER = datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard from one connection. promised_at: when the rulebook first had a feed of it."""

    watermark: datetime | None = None
    last_at: datetime | None = None
    promised_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FeedState:
    """One connection's freshness at a moment.

    reason says why it is late: silent, never_heard, run_missing or too_few. since: when its promise was broken; None
    while it is fine, and while it was never heard but has had no time to speak yet. next_due_at: when it will be late
    unless it is heard; None when it is late, or promises nothing.
    """

    connection: str
    kind: str
    company: str
    warehouse: str
    partner: str
    state: str  # ok, late
    watermark: datetime | None
    last_seen_at: datetime | None
    gates: bool  # whether the rulebook has a feed entry for it
    reason: str = ""
    since: datetime | None = None
    next_due_at: datetime | None = None
    hour: Hour | None = None  # the one that the promised counts were last held against
    least: int | None = None
    most: int | None = None
    brought: int | None = None
    held_at: datetime | None = None  # how far it vouches while it settles after a silence

    @property
    def gate(self) -> datetime:
        """How far this feed vouches for the past; the beginning of time when it was never heard."""
        return self.held_at or self.watermark or _DAWN


def heard_now(client: Client) -> dict[str, Heard]:
    """Return what is stored of each connection by now; the cost does not grow with history."""
    return _heard(client.query(load("feeds_latest")).result_rows)


def heard_by(client: Client, known_at: datetime) -> dict[str, Heard]:
    """Return what was known of each connection at a moment."""
    return _heard(client.query(load("feeds_known"), parameters={"known_at": known_at}).result_rows)


def _heard(rows: Iterable[Sequence[Any]]) -> dict[str, Heard]:
    return {
        name: Heard(
            watermark if watermark > _DAWN else None,
            last_at if last_at > _DAWN else None,
            promised_at if promised_at < _NEVER else None,
        )
        for name, promised_at, watermark, last_at in rows
    }


def feed_states(
    client: Client,
    book: Book,
    connections: Connections,
    now: datetime,
    known_at: datetime | None = None,
    heard: Mapping[str, Heard] | None = None,
) -> list[FeedState]:
    """Return the state of every configured connection, in the order of the file.

    known_at None: by all that is stored; else by what was received by then, judged with that as now. heard: what was
    read of them before, instead.
    """
    if heard is None:
        heard = heard_now(client) if known_at is None else heard_by(client, known_at)
    moment = known_at or now
    promises = {feed.connection: feed for feed in book.feeds}
    brought = _brought(client, book, connections, moment, known_at)
    return [
        _state(c, promises.get(c.name), heard.get(c.name, Heard()), book, moment, brought.get(c.name))
        for c in connections.entries
    ]


def calendar_of(book: Book, feed: Feed | None) -> Calendar | None:
    """Return the calendar a feed names, None for always open."""
    return book.calendars[feed.calendar] if feed is not None and feed.calendar else None


def _brought(
    client: Client, book: Book, connections: Connections, now: datetime, known_at: datetime | None
) -> dict[str, tuple[Hour, int]]:
    """Return for each connection with a promised volume the last whole hour and how many events it brought."""
    names = {c.name for c in connections.entries}
    hours = {
        feed.connection: hour
        for feed in book.feeds
        if feed.volume is not None
        and feed.connection in names
        and (hour := last_hour(feed, calendar_of(book, feed), now)) is not None
    }
    if not hours:
        return {}
    counts = five_minutes(
        client, hours, min(h.start for h in hours.values()), max(h.end for h in hours.values()), known_at
    )
    return {
        name: (hour, sum(n for at, n in counts.get(name, {}).items() if hour.start <= at < hour.end))
        for name, hour in hours.items()
    }


def five_minutes(
    client: Client, connections: Iterable[str], since: datetime, until: datetime, known_at: datetime | None = None
) -> dict[str, dict[datetime, int]]:
    """Return connection -> start of five minutes -> how many events they brought, by the time events tell of."""
    parameters = {"connections": list(connections), "since": since, "until": until}
    name = "feeds_counts"
    if known_at is not None:
        name, parameters = "feeds_counts_known", {**parameters, "known_at": known_at}
    found: dict[str, dict[datetime, int]] = {}
    for connection, bucket, events in client.query(load(name), parameters=parameters).result_rows:
        found.setdefault(connection, {})[bucket] = int(events)
    return found


def _state(
    connection: Connection,
    feed: Feed | None,
    heard: Heard,
    book: Book,
    now: datetime,
    brought: tuple[Hour, int] | None,
) -> FeedState:
    calendar = calendar_of(book, feed)
    watermark, reason, since, due = heard.watermark, "", None, None
    if feed is not None and feed.scheduled:
        watermark, reason, since, due = _timetable(feed, calendar, heard, now)
    elif feed is not None and feed.quiet_after_s is not None:
        watermark, reason, since, due = _stream(feed.quiet_after_s, calendar, heard, now)
    hour, events = brought or (None, None)
    least, most = promised(feed, hour) if feed is not None and hour is not None else (None, None)
    if feed is not None and not reason and hour is not None and least is not None and events is not None:
        grown_up = heard.promised_at is None or heard.promised_at <= hour.start
        if events < least and grown_up:
            reason, since = "too_few", hour.end
    return FeedState(
        connection.name, connection.kind, connection.company, connection.warehouse, connection.partner,
        "late" if reason else "ok", watermark, heard.last_at, feed is not None,
        reason, since, None if reason else due, hour, least, most, events,
    )  # fmt: skip


_Verdict = tuple[datetime | None, str, datetime | None, datetime | None]  # watermark, reason, since, next due


def _stream(quiet_after_s: int, calendar: Calendar | None, heard: Heard, now: datetime) -> _Verdict:
    def limit(start: datetime) -> datetime:
        return calendar.add(start, quiet_after_s) if calendar else start + timedelta(seconds=quiet_after_s)

    if heard.watermark is None:
        ends = limit(heard.promised_at) if heard.promised_at else None
        return None, "never_heard", ends if ends and ends < now else None, None
    silent = calendar.working_seconds(heard.watermark, now) if calendar else (now - heard.watermark).total_seconds()
    if silent > quiet_after_s:
        return heard.watermark, "silent", limit(heard.watermark), None
    closed = calendar is not None and not calendar.is_open(now)
    return now if closed else heard.watermark, "", None, limit(heard.watermark)


def _timetable(feed: Feed, calendar: Calendar | None, heard: Heard, now: datetime) -> _Verdict:
    grace = timedelta(seconds=feed.grace_s)

    def after(at: datetime) -> datetime | None:
        run = next_run_after(feed, at, calendar)
        return run + grace if run else None

    due = last_run_before(feed, now - grace, calendar)
    if heard.last_at is None:
        ends = after(heard.promised_at) if heard.promised_at else None
        return None, "never_heard" if due else "", ends if ends and ends <= now else None, None
    arrived = last_run_before(feed, heard.last_at, calendar)
    if due is not None and (arrived is None or arrived < due):
        return arrived, "run_missing", after(arrived or heard.last_at), None
    return arrived, "", None, after(max(arrived, now - grace) if arrived else now - grace)


def gating(states: Iterable[FeedState]) -> list[FeedState]:
    """Return the feeds that gate verdicts: those the rulebook makes promises about."""
    return [s for s in states if s.gates]


def record_promises(client: Client, book: Book, now: datetime) -> None:
    """Note since when each feed of the book has been promised; the earliest note counts."""
    known: Mapping[str, Heard] = heard_now(client)
    fresh = [f.connection for f in book.feeds if known.get(f.connection, Heard()).promised_at is None]
    if fresh:
        client.insert("heard_latest", [[name, now] for name in fresh], column_names=["connection", "promised_at"])

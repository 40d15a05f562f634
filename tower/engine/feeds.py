"""How far each connection has been heard: watermarks, lateness, and how far it vouches for the past.

A watermark is the latest occurrence heard from a connection; for a timetable it is the last scheduled run that
arrived. While a feed is closed and was fine, its watermark is now. Only feeds of configured connections gate
verdicts; a connection without a feed entry never does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from clickhouse_connect.driver.client import Client

from rules.model import Book, Feed
from rules.timetable import last_run_before, next_run_after
from tower.model.connections import Connection, Connections

_HEARD = """
SELECT connection, max(watermark) AS watermark, max(last_at) AS last_at, sum(events) AS events
FROM heard
WHERE received_at <= {known_at:DateTime64(3, 'UTC')}
GROUP BY connection
"""
_DAWN = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FeedState:
    """One connection's freshness at a moment. expected and got count runs of a timetable in the last 24 hours."""

    connection: str
    kind: str
    company: str
    warehouse: str
    partner: str
    state: str  # ok, late
    watermark: datetime | None
    last_seen_at: datetime | None
    expected: int | None
    got: int | None
    events: int
    gates: bool  # whether the rulebook has a feed entry for it

    @property
    def gate(self) -> datetime:
        """How far this feed vouches for the past; the beginning of time when it was never heard."""
        return self.watermark or _DAWN


def feed_states(client: Client, book: Book, connections: Connections, known_at: datetime) -> list[FeedState]:
    """Return the state of every configured connection, in the order of the file, as known at a moment."""
    heard = {
        row[0]: (row[1], row[2], int(row[3]))
        for row in client.query(_HEARD, parameters={"known_at": known_at}).result_rows
    }
    promises = {feed.connection: feed for feed in book.feeds}
    return [
        _state(c, promises.get(c.name), *heard.get(c.name, (None, None, 0)), book, known_at)
        for c in connections.entries
    ]


def _state(
    connection: Connection,
    feed: Feed | None,
    heard: datetime | None,
    seen: datetime | None,
    events: int,
    book: Book,
    now: datetime,
) -> FeedState:
    watermark, late, expected, got = heard, False, None, None
    if feed is not None and feed.quiet_after_s is not None:
        calendar = book.calendars[feed.calendar] if feed.calendar else None
        if heard is None:
            late = True
        else:
            silent = calendar.working_seconds(heard, now) if calendar else (now - heard).total_seconds()
            late = silent > feed.quiet_after_s
            if calendar and not late and not calendar.is_open(now):
                watermark = now
    elif feed is not None:
        watermark = last_run_before(feed, seen) if seen else None
        due = last_run_before(feed, now - timedelta(seconds=feed.grace_s))
        late = due is not None and (watermark is None or watermark < due)
        expected, got = _runs(feed, seen, now)
    return FeedState(
        connection.name, connection.kind, connection.company, connection.warehouse, connection.partner,
        "late" if late else "ok", watermark, seen, expected, got, events, feed is not None,
    )  # fmt: skip


def _runs(feed: Feed, seen: datetime | None, now: datetime) -> tuple[int, int]:
    """Return how many runs were due in the last day, and how many of them lie before the last message."""
    expected = got = 0
    at = now - timedelta(days=1)
    while (run := next_run_after(feed, at)) is not None and run <= now and expected < 10_000:
        expected += 1
        got += seen is not None and run <= seen
        at = run
    return expected, got


def gating(states: list[FeedState]) -> list[FeedState]:
    """Return the feeds that gate verdicts: those the rulebook makes promises about."""
    return [s for s in states if s.gates]

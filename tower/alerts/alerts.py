"""The alerting step of a tick: what changed is read, decided about, written down and handed to the courier.

Written in this order, each synced: alerts with their breaches, notices, the rulebook they went by. A kill between two
of them is made good by the next step, which decides the same notice under the same id, or finds it written.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import structlog

from rules.match import OF_BREACHES, parse_when
from rules.model import Book
from tower.alerts.alive import Pings
from tower.alerts.body import body_of
from tower.alerts.courier import Courier
from tower.alerts.delivery import Delivery, write_deliveries
from tower.alerts.desk import Desk, Plan, Stepped
from tower.alerts.faults import point
from tower.alerts.notice import Notice
from tower.alerts.outcome import set_outcomes
from tower.alerts.reader import read_changes
from tower.alerts.rows import fill_caps, read_acks, read_state, write_closed, write_state
from tower.alerts.suppress import Silence
from tower.alerts.targets import DownTargets
from tower.model.connections import Connections
from tower.model.secret import Secrets
from tower.store.client import Store
from tower.store.sql import load

DAWN = datetime(1970, 1, 1, tzinfo=UTC)
_SILENCES = """SELECT silence_id, matchers, starts_at, ends_at, author, comment
FROM silences FINAL
WHERE ends_at > {now:DateTime64(3, 'UTC')}"""
log = structlog.get_logger("tower.alerts")


class Alerts:
    """Alerting of one store. Only the engine owns one; `step` is called by its thread."""

    def __init__(
        self, store: Store, secrets: Secrets, connections: Connections, clock: Callable[[], datetime],
        wake: Callable[[], None], public_url: str = "",
    ) -> None:  # fmt: skip
        self._store, self._connections, self._url = store, connections, public_url
        self._courier = Courier(store, secrets, clock, wake, self._revise)
        self._pings = Pings(secrets)
        self._targets = DownTargets()
        self._revision = 0
        self._book = ""  # the rulebook that the desk goes by
        self._seen_book = ""  # ... and that of the cursor
        self._desk: Desk | None = None
        self._since = DAWN
        self._afresh = True  # after a start or a failure all that is open is compared, not only what changed
        self._said = -1

    def step(self, book: Book, now: datetime) -> int:
        """Decide about what changed and what fell due, and send; return how many notices were decided on.

        After a failure everything is taken up again from the rows: what was decided and not written was not decided.
        """
        try:
            return self._step(book, now)
        except Exception:
            self._desk, self._said, self._afresh = None, -1, True
            raise

    def _step(self, book: Book, now: datetime) -> int:
        with self._store.reader() as client:
            desk = self._ready(book, now)
            since = min(self._since, now - timedelta(milliseconds=1))
            [(count, word, down)] = client.query(load("alert_news"), parameters={"since": since}).result_rows
            changes = self._targets.changes(down, now)
            if count or self._afresh:
                changes += read_changes(client, book, self._connections, None if self._afresh else since)
            said = []
            if word != self._said or changes:
                said = read_acks(client, desk.alerts)
                desk.silences = [
                    Silence(row[0], parse_when(msgspec.json.decode(row[1]), _ignore, OF_BREACHES), *row[2:])
                    for row in client.query(_SILENCES, parameters={"now": now}).result_rows
                ]
        quiet = self._seen_book != book.hash
        stepped = desk.step(changes, now, quiet=quiet, said=said)
        self._keep(book, stepped, now)
        if changes or quiet:
            self._write_cursor(book, now)
        self._since, self._said, self._afresh = now, word, False
        self._courier.step(dict(desk.plan.receivers), now)
        self._pings.step(desk.plan.receivers, now)
        return len(stepped.notices)

    def close(self) -> None:
        """Stop sending."""
        self._courier.close()
        self._pings.close()

    def _ready(self, book: Book, now: datetime) -> Desk:
        """Return the desk, restored from the store the first time, and following the rulebook in force."""
        if self._desk is None:
            self._desk = self._restore(book, now)
            self._book = book.hash
        elif self._book != book.hash:
            self._keep(book, self._desk.adopt(Plan.of(book), now), now)
            self._book = book.hash
        return self._desk

    def _restore(self, book: Book, now: datetime) -> Desk:
        desk = Desk(Plan.of(book))
        with self._store.writer("engine") as client:
            rows = client.query("SELECT book FROM alert_cursor FINAL WHERE name = 'alerts'").result_rows
            if rows:
                self._seen_book = rows[0][0]
            alerts, again = read_state(client)
            known = desk.routes
            desk.restore(a for a in alerts if a.route in known)
            orphaned = [a for a in alerts if a.route not in known]
            for alert in orphaned:
                alert.closed_at, alert.next_at, alert.next_reason = now, None, ""
                again.touch(alert)
            self._targets.restore({k: m.breach for a in alerts for k, m in a.members.items()})
            longest = max((r.cap.per_s for r in book.receivers.values() if r.cap), default=0)
            fill_caps(client, desk.caps, now, longest)
            write_state(client, again, now, self._revise)
        if orphaned:
            moved = desk.step((m.breach for a in orphaned for m in a.open_members), now, quiet=True)
            self._keep(book, moved, now)
        self._courier.restore()
        return desk

    def _keep(self, book: Book, stepped: Stepped, now: datetime) -> None:
        """Write what changed: state first, then the notices that make it true."""
        if not stepped.alerts and not stepped.notices:
            return
        with self._store.writer("engine") as client:
            set_outcomes(client, stepped.alerts.values())
            write_state(client, stepped, now, self._revise)
            point("state")
            due = [d for n in stepped.notices for d in self._deliveries(book, n)]
            write_deliveries(client, due, now, self._revise())
            point("notices")
            write_closed(client, stepped, now, self._revise)
            point("closed")
        self._courier.add(due)
        for notice in stepped.notices:
            log.info(
                "alert", alert_id=notice.alert_id, receiver=notice.receiver, reason=notice.reason, held=notice.held,
                priority=notice.priority, told=len(notice.opened), ended=len(notice.ended),
            )  # fmt: skip

    def _deliveries(self, book: Book, notice: Notice) -> list[Delivery]:
        body = msgspec.json.encode(body_of(notice, self._url, book.value.currency)).decode()
        receiver = book.receivers[notice.receiver]
        return [
            Delivery(
                notice.notice_id, channel, notice.alert_id, notice.number, notice.receiver, notice.reason,
                notice.priority, notice.at, body, notice.covers, notice.urgent,
                "sent" if channel == "inbox" and not notice.held else "held" if notice.held else "due",
                sent_at=notice.at if channel == "inbox" and not notice.held else None,
            )
            for channel in receiver.channels
        ]  # fmt: skip

    def _write_cursor(self, book: Book, now: datetime) -> None:
        with self._store.writer("engine") as client:
            client.insert(
                "alert_cursor", [["alerts", now, book.hash, now]], column_names=["name", "seen_at", "book", "at"]
            )
        point("cursor")
        self._seen_book = book.hash

    def _revise(self) -> int:
        """Return a number that rises, also through restarts and clock changes of less than the time between them."""
        self._revision = max(self._revision + 1, time.time_ns() // 1000)
        return self._revision


def _ignore(_key: str, _problem: str, _hint: str) -> None:
    """A silence was checked when it was made."""

"""The alerting step of a tick: what changed is read, decided about, written down and handed to the courier.

Written in this order, each synced: alerts with their breaches, notices, the rulebook they went by. A kill between two
of them is made good by the next step, which decides the same notice under the same id, or finds it written.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import structlog

from rules.match import OF_BREACHES, parse_when
from rules.model import Book, Receiver
from tower.alerts.alive import Pings
from tower.alerts.body import body_of
from tower.alerts.courier import Courier
from tower.alerts.delivery import Delivery, write_deliveries
from tower.alerts.desk import Desk, Plan, Stepped
from tower.alerts.faults import point
from tower.alerts.links import Links
from tower.alerts.notice import Notice
from tower.alerts.outcome import set_outcomes
from tower.alerts.personal import NOBODY, Personal
from tower.alerts.reader import read_changes
from tower.alerts.rows import fill_caps, read_acks, read_state, write_closed, write_state
from tower.alerts.subscribers import Subscribers, questions
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
        wake: Callable[[], None], links: Links, public_url: str = "",
    ) -> None:  # fmt: skip
        self._store, self._connections, self._url = store, connections, public_url
        self._courier = Courier(store, secrets, clock, wake, self._revise, links)
        self._subscribers = Subscribers(store, connections, clock)
        self._pings = Pings(secrets)
        self._targets = DownTargets()
        self._revision = 0
        self._book = ""  # the rulebook that the desk goes by
        self._seen_book = ""  # ... and that of the cursor
        self._followed = NOBODY  # the subscriptions that the desk goes by
        self._asked = NOBODY  # ... and those whose addresses were asked whether they want it
        self._desk: Desk | None = None
        self._since = DAWN
        self._afresh = True  # after a start or a failure all that is open is compared, not only what changed
        self._said = -1

    def step(self, book: Book, now: datetime, touched: Sequence[int] | None = ()) -> int:
        """Decide about what changed and what fell due, and send; return how many notices were decided on.

        touched: numbers of the orders that were judged again, which may send their breaches elsewhere; None: many.
        After a failure everything is taken up again from the rows: what was decided and not written was not decided.
        """
        try:
            return self._step(book, now, touched)
        except Exception:
            self._desk, self._said, self._afresh, self._asked = None, -1, True, NOBODY
            raise

    def _step(self, book: Book, now: datetime, touched: Sequence[int] | None) -> int:
        with self._store.reader() as client:
            since = min(self._since, now - timedelta(milliseconds=1))
            rows = client.query(load("alert_news"), parameters={"since": since}).result_rows
            news: dict[str, int] = {what: number for what, number, _ in rows}
            word = max(news["acks"], news["silences"])
            personal = self._subscribers.personal(client, book, now, (news["subscribed"], news["keys"]))
            desk = self._ready(book, personal, now)
            changes = self._targets.changes((target for *_, targets in rows for target in targets), now)
            every = self._afresh or touched is None
            moved = desk.holds_of(touched or ())
            if news["changes"] or moved or every:
                changes += read_changes(client, book, self._connections, None if every else since, moved)
            said = []
            if word != self._said or changes:
                said = read_acks(client, desk.alerts)
                desk.silences = [
                    Silence(row[0], parse_when(msgspec.json.decode(row[1]), _ignore, OF_BREACHES), *row[2:])
                    for row in client.query(_SILENCES, parameters={"now": now}).result_rows
                ]
        quiet = self._seen_book != book.hash
        stepped = desk.step(changes, now, quiet=quiet, said=said)
        self._keep(book, desk.plan, stepped, now)
        self._ask(personal, now)
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

    def _ready(self, book: Book, personal: Personal, now: datetime) -> Desk:
        """Return the desk, restored from the store the first time, and following the rulebook and the subscriptions."""
        if self._desk is None:
            self._desk = self._restore(book, personal, now)
        elif self._book != book.hash or self._followed.roots != personal.roots:
            plan = Plan.of(book, personal)
            self._keep(book, plan, self._desk.adopt(plan, now), now)
        elif self._followed is not personal:
            self._desk.plan = Plan.of(book, personal)
        self._book, self._followed = book.hash, personal
        return self._desk

    def _ask(self, personal: Personal, now: datetime) -> None:
        """Ask new addresses whether they want it: once each, also through restarts."""
        if personal is self._asked:
            return
        with self._store.writer("engine") as client:
            due = questions(client, personal.asking, now)
            write_deliveries(client, due, now, self._revise())
        self._courier.add(due)
        self._asked = personal

    def _restore(self, book: Book, personal: Personal, now: datetime) -> Desk:
        desk = Desk(Plan.of(book, personal))
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
            longest = max((r.cap.per_s for r in desk.plan.receivers.values() if r.cap), default=0)
            fill_caps(client, desk.caps, now, longest)
            write_state(client, again, now, self._revise)
        if orphaned:
            moved = desk.step((m.breach for a in orphaned for m in a.open_members), now, quiet=True)
            self._keep(book, desk.plan, moved, now)
        self._courier.restore()
        return desk

    def _keep(self, book: Book, plan: Plan, stepped: Stepped, now: datetime) -> None:
        """Write what changed: state first, then the notices that make it true."""
        if not stepped.alerts and not stepped.notices:
            return
        with self._store.writer("engine") as client:
            set_outcomes(client, stepped.alerts.values())
            write_state(client, stepped, now, self._revise)
            point("state")
            due = [d for n in stepped.notices for d in self._deliveries(book, plan.receivers[n.receiver], n)]
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

    def _deliveries(self, book: Book, receiver: Receiver, notice: Notice) -> list[Delivery]:
        body = msgspec.json.encode(body_of(notice, self._url, book.value.currency)).decode()
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

"""Carries notices to their receivers: the row is claimed and the audit written before each send, which runs elsewhere.

A send that a kill cut off is repeated under the same id: at least once on the wire, once in the inbox.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from rules.model import Receiver
from tower.alerts.delivery import Delivery, Outcome, after, claimed, read_open, write_deliveries
from tower.alerts.faults import point
from tower.alerts.letter import letter_of, why_not
from tower.alerts.links import Links
from tower.alerts.people import send_to_people
from tower.alerts.personal import Subscriber
from tower.alerts.webhook import Webhooks, address_of
from tower.model.secret import Secrets
from tower.store.audit import Audit, Entry
from tower.store.client import Store

WORKERS = 4
MAX_UNDER_WAY = 64
PATIENCE = timedelta(seconds=60)  # a send without an answer for so long is given up and tried again
log = structlog.get_logger("tower.alerts")
_Sent = Future[tuple[Outcome, datetime]]


class Courier:
    """The notices that are not at their end, most urgent first. Used by the engine's thread alone."""

    def __init__(
        self, store: Store, secrets: Secrets, clock: Callable[[], datetime], wake: Callable[[], None],
        revise: Callable[[], int], links: Links,
    ) -> None:  # fmt: skip
        self._store, self._secrets, self._clock, self._wake, self._revise = store, secrets, clock, wake, revise
        self._audit, self._links = Audit(store), links
        self._webhooks = Webhooks(secrets)
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="notice")
        self._open: dict[tuple[str, str], Delivery] = {}
        self._under_way: dict[tuple[str, str], tuple[_Sent, datetime]] = {}
        self._off: set[tuple[str, str]] = set()
        self._chance = random.Random()  # noqa: S311 - spreads retries

    def restore(self) -> None:
        """Take up what was on its way when the process ended."""
        with self._store.reader() as client:
            self._open = {d.key: d for d in read_open(client)}
            rows = client.query("SELECT receiver, address FROM receivers_off FINAL").result_rows
        self._off = {(str(receiver), str(address)) for receiver, address in rows}

    def add(self, deliveries: Iterable[Delivery]) -> None:
        """Take notices that were written as due."""
        self._open.update((d.key, d) for d in deliveries if d.state == "due")

    def step(self, receivers: dict[str, Receiver], now: datetime) -> int:
        """Write down the answers that came, then send what is due; return how many notices moved."""
        return self._collect(receivers, now) + self._send(receivers, now)

    def close(self) -> None:
        """Let sends end that are under way; what has no answer is sent again after the next start."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._webhooks.close()

    def _collect(self, receivers: dict[str, Receiver], now: datetime) -> int:
        moved: list[Delivery] = []
        for key, (future, since) in list(self._under_way.items()):
            if not future.done() and now - since < PATIENCE:
                continue
            del self._under_way[key]
            if key not in self._open:
                continue
            outcome, at = future.result() if future.done() else (Outcome("unknown", "no answer in time"), now)
            delivery = after(self._open[key], outcome, at, self._chance.random())
            moved.append(delivery)
            if outcome.verdict == "gone":
                self._switch_off(receivers.get(delivery.receiver), outcome, now)
            log.info(
                "notice", notice_id=delivery.notice_id, receiver=delivery.receiver, channel=delivery.channel,
                state=delivery.state, attempts=delivery.attempts, detail=delivery.detail,
            )  # fmt: skip
        point("answer")
        self._write(moved, now)
        return len(moved)

    def _send(self, receivers: dict[str, Receiver], now: datetime) -> int:
        ready: list[Delivery] = []
        refused: list[Delivery] = []
        for delivery in sorted(self._open.values(), key=lambda d: (d.priority or "~", d.at, d.notice_id)):
            if delivery.key in self._under_way or (delivery.next_at is not None and delivery.next_at > now):
                continue
            if why := self._why_not(receivers.get(delivery.receiver), delivery):
                refused.append(replace(delivery, state="failed", detail=why))
            elif len(self._under_way) + len(ready) < MAX_UNDER_WAY:
                ready.append(claimed(delivery))
        self._write(refused, now)
        if not ready:
            return len(refused)
        self._audit.append([_entry(d) for d in ready], self._clock())
        point("audited")
        self._write(ready, now)
        point("claimed")
        for delivery in ready:
            self._submit(delivery, receivers[delivery.receiver], now)
        return len(ready) + len(refused)

    def _why_not(self, receiver: Receiver | None, delivery: Delivery) -> str:
        if receiver is None or delivery.channel not in receiver.channels:
            return "this receiver is no more, in the rulebook or as a subscription; nothing was sent"
        if isinstance(receiver, Subscriber) and delivery.channel != "inbox":
            return why_not(receiver, delivery.reason, self._links)
        off = receiver.webhook is not None and (receiver.name, address_of(receiver.webhook)) in self._off
        return "the receiver is switched off: its address answered 410" if off and delivery.channel == "webhook" else ""

    def _submit(self, delivery: Delivery, receiver: Receiver, now: datetime) -> None:
        def work() -> tuple[Outcome, datetime]:
            try:
                outcome = self._deliver(delivery, receiver)
            except Exception as error:  # the edge of one notice: it may have gone out, and the others go on
                log.exception("notice_broke", notice_id=delivery.notice_id, receiver=delivery.receiver)
                outcome = Outcome("unknown", f"sending broke with {type(error).__name__}; see the log")
            return outcome, self._clock()

        future = self._pool.submit(work)
        self._under_way[delivery.key] = (future, now)
        future.add_done_callback(lambda _: self._wake())

    def _deliver(self, delivery: Delivery, receiver: Receiver) -> Outcome:
        if delivery.channel == "webhook":
            assert receiver.webhook is not None
            outcome = self._webhooks.send(receiver.webhook, delivery.notice_id, delivery.body, self._clock())
            point("sent")
            return outcome
        letter = (
            letter_of(receiver, delivery.reason, self._links, self._clock())
            if isinstance(receiver, Subscriber)
            else None
        )
        return send_to_people(receiver.apprise, delivery.body, self._secrets, letter)

    def _switch_off(self, receiver: Receiver | None, outcome: Outcome, now: datetime) -> None:
        if receiver is None or receiver.webhook is None:
            return
        address = address_of(receiver.webhook)
        self._off.add((receiver.name, address))
        log.warning("receiver_off", receiver=receiver.name, detail=outcome.detail)
        self._audit.append(
            [Entry("engine", "receiver_off", f"receiver/{receiver.name}/{address}", why=outcome.detail)], now
        )
        with self._store.writer("engine") as client:
            client.insert(
                "receivers_off", [[receiver.name, address, now, outcome.detail]],
                column_names=["receiver", "address", "at", "detail"],
            )  # fmt: skip

    def _write(self, moved: list[Delivery], now: datetime) -> None:
        with self._store.writer("engine") as client:
            write_deliveries(client, moved, now, self._revise())
        for delivery in moved:
            if delivery.state in ("due", "sending"):
                self._open[delivery.key] = delivery
            else:
                self._open.pop(delivery.key, None)


def _entry(d: Delivery) -> Entry:
    detail = {"receiver": d.receiver, "channel": d.channel, "alert_id": d.alert_id, "reason": d.reason}
    return Entry("engine", "notice", f"notice/{d.notice_id}/{d.channel}#{d.attempts}", detail=detail)

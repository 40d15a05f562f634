"""The engine's hands: takes up what was asked for, sends it, and looks whether the business moved.

Per step: collect answers → seal cancellations → verify → claim and send. The audit row comes before the act, the
claimed row before the send, so a kill at any point repeats the same send under the same key and records it once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime

import structlog

from rules.model import Book, Target
from tower.actions.answer import Answer
from tower.actions.batch import UNSENT
from tower.actions.batches import Batches
from tower.actions.gates import Gates
from tower.actions.hand import entry_of, write_facts
from tower.actions.item import COLUMNS, ENGINE, Item, read_items, write_items
from tower.actions.outcome import after_answer, after_facts, claim, ended
from tower.actions.own import OwnRetries
from tower.actions.probes import Probes
from tower.actions.target import Sender
from tower.actions.verify import Told, look
from tower.model.secret import Secrets
from tower.store.audit import Audit, Entry
from tower.store.client import Store
from tower.store.sql import load

WORKERS = 4
MAX_UNDER_WAY = 64  # claimed and unanswered; bounds what a kill repeats, and leaves the rest to be cancelled
log = structlog.get_logger("tower.actions")

Sent = Future[tuple[Answer, datetime, datetime]]  # with when it went out and when it was answered


class Actions:
    """Runs the actions of one store. Only the engine owns one; `step` is called by one thread."""

    def __init__(
        self, store: Store, secrets: Secrets, clock: Callable[[], datetime], wake: Callable[[], None] | None = None
    ) -> None:
        """wake is called from a worker thread whenever an answer has arrived."""
        self._store = store
        self._audit = Audit(store)
        self._batches = Batches(store, self._audit)
        self._clock = clock
        self._wake = wake
        self._sender = Sender(secrets)
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="action")
        self._under_way: dict[str, tuple[Item, Target | None, Sent]] = {}
        self._gates = Gates(store, clock())
        self._own = OwnRetries(store)
        self._probes = Probes(store, self._gates, self._sender, self._pool, clock)

    def step(
        self,
        book: Book,
        kinds: frozenset[str] | None,
        now: datetime,
        watermarks: Mapping[str, datetime],
        *,
        behind: bool = False,
    ) -> int:
        """Move every item as far as it can go now; return how many changed.

        kinds: system kinds with a connection, None when none are configured. watermarks: how far each kind of
        system has told; a kind that is missing gates nothing. behind: the tower itself is slow.
        """
        collected = self._probes.step(book, now, self._wake) + self._collect(book)
        live = self._live(now)
        if self._own.step(book, now, live, behind=behind):
            live = self._live(now)
        sealed = self._seal([i for i in live if i.state == "cancelled"], now)
        waiting = [i for i in live if i.state in ("accepted", "verified") or self._unanswered(i)]
        verified = self._verify(waiting, book, kinds, now, watermarks)
        sent = self._send(book, now) if any(i.state in (*UNSENT, "sent") for i in live) else 0
        return collected + sealed + verified + sent

    def close(self) -> None:
        """Let running sends end and drop the connections; their answers are asked for again at the next start."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._sender.close()

    def _collect(self, book: Book) -> int:
        """Write down every answer that has arrived, what it says of its target first."""
        done = [(item, target, future) for item, target, future in self._under_way.values() if future.done()]
        moved: list[Item] = []
        entries: list[Entry] = []
        for item, target, future in done:
            answer, sent_at, at = future.result()
            if target is not None:
                self._gates.end(target, f"{item.item_id}#{item.attempts}", answer, sent_at, at)
            after = after_answer(item, answer, at, book.error_class(answer.detail, answer.status))
            moved.append(after)
            act = "unanswered" if after.state == "sent" else after.state
            entries.append(_entry(ENGINE, act, after, f"#{after.attempts}"))
        self._gates.flush()
        if moved:
            self._record(entries, moved)
        for item, _, _ in done:
            del self._under_way[item.item_id]
        return len(moved)

    def _seal(self, cancelled: list[Item], now: datetime) -> int:
        moved = [ended(i, "cancelled", i.detail, now) for i in cancelled]
        self._record([_entry(ENGINE, "cancelled", i) for i in moved], moved)
        return len(moved)

    def _send(self, book: Book, now: datetime) -> int:
        """Claim what is due and send it. Both hold the write lock, so a cancellation is either before or after."""
        with self._store.writer():
            live, gone = self._batches.ready(self._live(now), now)
            self._seal(gone, now)
            words = self._write_down([i for i in live if i.by_hand], now)
            live = [i for i in live if not i.by_hand]
            busy = {(i.rule_action, i.object) for i in live if i.state in ("sent", "accepted")}
            repeats: list[Item] = []
            claims: list[Item] = []
            ends: list[Item] = []
            room = MAX_UNDER_WAY - len(self._under_way)
            for item in sorted(live, key=lambda i: i.requested_by == ENGINE):  # what people asked for goes first
                if item.item_id in self._under_way or not _due(item, now):
                    continue
                if item.state == "requested" and (item.rule_action, item.object) in busy:
                    ends.append(ended(item, "cancelled", "the same act is already under way for this object", now))
                elif item.state == "requested" and item.too_old(now):
                    ends.append(ended(item, "expired", "it was never sent: it grew older than the policy allows", now))
                elif len(repeats) + len(claims) >= room or not self._let_through(item, book, now):
                    continue
                elif item.state == "sent" and item.next_at is None:
                    repeats.append(item)  # claimed by a process that did not live to hear the answer
                else:
                    busy.add((item.rule_action, item.object))
                    claims.append(claim(item, self._clock()))
            self._record([_entry(ENGINE, i.state, i) for i in ends], ends)
            self._record([_entry(i.requested_by, i.kind, i, f"#{i.attempts}", sends=True) for i in claims], claims)
            self._gates.flush()
        for item in repeats:
            log.info("action_repeated", action_id=item.action_id, item_id=item.item_id, attempt=item.attempts)
            self._submit(item, book, again=True)
        for item in claims:
            self._submit(item, book, again=item.attempts > 1)
        return len(repeats) + len(claims) + len(ends) + len(gone) + words

    def _write_down(self, words: list[Item], now: datetime) -> int:
        """Make facts of what people said by hand, audited first; return how many."""
        said = [i for i in words if i.state == "requested"]
        if said:
            self._audit.append([entry_of(i) for i in said], now)
            write_facts(self._store, said, now)
            with self._store.writer() as client:
                write_items(client, [ended(i, "verified", "", now) for i in said])
            if self._wake is not None:
                self._wake()  # the next tick judges by them
        return len(said)

    def _let_through(self, item: Item, book: Book, now: datetime) -> bool:
        """Return whether the item's target takes a call now, and count the call if it does."""
        target = book.targets.get(item.target)
        if target is None:
            return True  # ends as refused, with the reason
        if self._gates.closed_to(target, now):
            return False
        self._gates.begin(target, now)
        return True

    def _submit(self, item: Item, book: Book, *, again: bool) -> None:
        request = item.wire
        target = book.targets.get(item.target)

        def work() -> tuple[Answer, datetime, datetime]:
            sent_at = self._clock()
            return self._answer(target, request, again=again), sent_at, self._clock()

        future = self._pool.submit(work)
        self._under_way[item.item_id] = (item, target, future)
        if self._wake is not None:
            wake = self._wake
            future.add_done_callback(lambda _: wake())

    def _answer(self, target: Target | None, request: Mapping[str, object], *, again: bool) -> Answer:
        if target is None:
            said = f"the rulebook no longer has the target {request['target']}; nothing was sent"
            return Answer("refused", 0, said, reached=False)
        try:
            return self._sender.send(target, request, again=again)
        except Exception as error:  # the edge of one call: it may have gone out, so its outcome is unknown
            log.exception("action_send_failed", target=target.name)
            return Answer("unknown", 0, f"sending broke with {type(error).__name__}; see the log")

    def _verify(
        self,
        waiting: list[Item],
        book: Book,
        kinds: frozenset[str] | None,
        now: datetime,
        watermarks: Mapping[str, datetime],
    ) -> int:
        """Move the items about which the facts have something to say, or whose time is over and the feed has told."""
        if not waiting:
            return 0
        told = look(self._store, book, kinds, now)
        moved: list[Item] = []
        for item in waiting:
            found = told.get(item.item_id, Told())
            heard = min((watermarks[kind] for kind in found.asked if kind in watermarks), default=None)
            after = after_facts(item, found, heard, now)
            if after is not item:
                moved.append(after)
        self._record([_entry(ENGINE, i.state, i) for i in moved], moved)
        return len(moved)

    def _unanswered(self, item: Item) -> bool:
        """Return whether a send may have worked and nobody said so: the business may have moved all the same."""
        return item.state == "sent" and item.next_at is not None and item.item_id not in self._under_way

    def _record(self, entries: list[Entry], items: list[Item]) -> None:
        """Audit first, then the rows; both are synced on return."""
        if not items:
            return
        self._audit.append(entries, self._clock())
        with self._store.writer() as client:
            write_items(client, items)

    def _live(self, now: datetime) -> list[Item]:
        text = load("action_live").replace("$columns", ", ".join(COLUMNS))
        with self._store.reader() as client:
            found = client.query(text, parameters={"now": now})
        return read_items(found.result_rows, found.column_names)


def _due(item: Item, now: datetime) -> bool:
    """Return whether an item is to be sent now, as far as it says itself."""
    if item.state == "sent":
        return item.next_at is None or item.next_at <= now
    return item.state == "requested"


def _entry(actor: str, act: str, item: Item, suffix: str = "", *, sends: bool = False) -> Entry:
    """Return the audit entry of one step of an item. Requests are recorded as rendered: without secrets."""
    detail: dict[str, object] = {
        "order_id": item.order_id, "object_type": item.object_type, "object_id": item.object_id, "stage": item.stage,
        "action": item.rule_action, "attempt": item.attempts, "key": item.attempt_key,
        "requested_by": item.requested_by,
    }  # fmt: skip
    why = str(item.wire.get("why") or "") if sends else ""
    if sends:
        detail["seen_version"] = item.seen_version
        detail["request"] = {k: v for k, v in item.wire.items() if k not in ("headers", "why")}
    else:
        detail |= {"status_code": item.status_code, "said": item.detail}
    return Entry(actor, act, f"{item.action_id}/{item.item_id}{suffix}", why, detail)

"""The engine's hands: takes up what was asked for, sends it, and looks whether the business moved.

Per step: collect answers → seal cancellations → claim and send → verify. The audit row comes before the act, the
claimed row before the send, so a kill at any point repeats the same send under the same key and records it once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime

import structlog

from rules.compile.authority import authority_sql
from rules.model import Book, Target
from tower.actions.batch import UNSENT
from tower.actions.batches import Batches
from tower.actions.item import COLUMNS, Item, read_items, write_items
from tower.actions.outcome import after_answer, after_facts, claim, ended
from tower.actions.target import Answer, Sender
from tower.model.secret import Secrets
from tower.store.audit import Audit, Entry
from tower.store.client import Store
from tower.store.sql import load

WORKERS = 4
MAX_UNDER_WAY = 64  # claimed and unanswered; bounds what a kill repeats, and leaves the rest to be cancelled
ENGINE = "engine"
log = structlog.get_logger("tower.actions")

Sent = Future[tuple[Answer, datetime]]


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
        self._under_way: dict[str, tuple[Item, Sent]] = {}

    def step(self, book: Book, kinds: frozenset[str] | None, now: datetime, watermarks: Mapping[str, datetime]) -> int:
        """Move every item as far as it can go now; return how many changed.

        kinds: system kinds with a connection, None when none are configured. watermarks: how far each kind of
        system has told; a kind that is missing gates nothing.
        """
        collected = self._collect()
        live = self._live()
        sealed = self._seal([i for i in live if i.state == "cancelled"], now)
        sent = self._send(book, now) if any(i.state in (*UNSENT, "sent") for i in live) else 0
        accepted = [i for i in live if i.state == "accepted"]
        return collected + sealed + sent + self._verify(accepted, book, kinds, now, watermarks)

    def close(self) -> None:
        """Let running sends end and drop the connections; their answers are asked for again at the next start."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._sender.close()

    def _collect(self) -> int:
        """Write down every answer that has arrived."""
        done = [(key, item, future) for key, (item, future) in self._under_way.items() if future.done()]
        moved: list[Item] = []
        entries: list[Entry] = []
        for _, item, future in done:
            answer, at = future.result()
            after = after_answer(item, answer, at)
            moved.append(after)
            act = "unanswered" if after.state == "sent" else after.state
            entries.append(_entry(ENGINE, act, after, f"#{after.attempts}"))
        if moved:
            self._record(entries, moved)
        for key, _, _ in done:
            del self._under_way[key]
        return len(moved)

    def _seal(self, cancelled: list[Item], now: datetime) -> int:
        moved = [ended(i, "cancelled", i.detail, now) for i in cancelled]
        self._record([_entry(ENGINE, "cancelled", i) for i in moved], moved)
        return len(moved)

    def _send(self, book: Book, now: datetime) -> int:
        """Claim what is due and send it. Both hold the write lock, so a cancellation is either before or after."""
        with self._store.writer():
            live, gone = self._batches.ready(self._live(), now)
            self._seal(gone, now)
            busy = {(i.rule_action, i.object) for i in live if i.state in ("sent", "accepted")}
            repeats: list[Item] = []
            claims: list[Item] = []
            refused: list[Item] = []
            room = MAX_UNDER_WAY - len(self._under_way)
            for item in live:
                if item.item_id in self._under_way or len(repeats) + len(claims) >= room:
                    continue
                if item.state == "sent" and item.next_at is None:
                    repeats.append(item)  # claimed by a process that did not live to hear the answer
                elif item.state == "sent" and item.next_at is not None and item.next_at <= now:
                    claims.append(claim(item, self._clock()))
                elif item.state == "requested" and (item.rule_action, item.object) in busy:
                    refused.append(ended(item, "cancelled", "the same act is already under way for this object", now))
                elif item.state == "requested":
                    busy.add((item.rule_action, item.object))
                    claims.append(claim(item, self._clock()))
            self._record([_entry(ENGINE, "cancelled", i) for i in refused], refused)
            self._record([_entry(i.requested_by, i.kind, i, f"#{i.attempts}", sends=True) for i in claims], claims)
        for item in repeats:
            log.info("action_repeated", action_id=item.action_id, item_id=item.item_id, attempt=item.attempts)
            self._submit(item, book, again=True)
        for item in claims:
            self._submit(item, book, again=item.attempts > 1)
        return len(repeats) + len(claims) + len(refused) + len(gone)

    def _submit(self, item: Item, book: Book, *, again: bool) -> None:
        request = item.wire
        target = book.targets.get(str(request["target"]))

        def work() -> tuple[Answer, datetime]:
            return self._answer(target, request, again=again), self._clock()

        future = self._pool.submit(work)
        self._under_way[item.item_id] = (item, future)
        if self._wake is not None:
            wake = self._wake
            future.add_done_callback(lambda _: wake())

    def _answer(self, target: Target | None, request: Mapping[str, object], *, again: bool) -> Answer:
        if target is None:
            return Answer("refused", 0, f"the rulebook no longer has the target {request['target']}; nothing was sent")
        try:
            return self._sender.send(target, request, again=again)
        except Exception as error:
            log.exception("action_send_failed", target=target.name)
            return Answer("unknown", 0, f"sending broke with {type(error).__name__}; see the log")

    def _verify(
        self,
        accepted: list[Item],
        book: Book,
        kinds: frozenset[str] | None,
        now: datetime,
        watermarks: Mapping[str, datetime],
    ) -> int:
        """End the accepted items whose milestone came, or whose time is over and the feed has passed it."""
        if not accepted:
            return 0
        text = load("action_seen").replace("$authority", authority_sql(book, kinds, "wanted.milestone", "o"))
        with self._store.reader() as client:
            rows = client.query(text).result_rows
        told = {item_id: (authority, at if seen else None) for item_id, authority, at, seen in rows}
        moved: list[Item] = []
        for item in accepted:
            authority, seen_at = told.get(item.item_id, ("", None))
            after = after_facts(item, seen_at, watermarks.get(authority), now)
            if after is not item:
                moved.append(after)
        self._record([_entry(ENGINE, i.state, i) for i in moved], moved)
        return len(moved)

    def _record(self, entries: list[Entry], items: list[Item]) -> None:
        """Audit first, then the rows; both are synced on return."""
        if not items:
            return
        self._audit.append(entries, self._clock())
        with self._store.writer() as client:
            write_items(client, items)

    def _live(self) -> list[Item]:
        text = load("action_live").replace("$columns", ", ".join(COLUMNS))
        with self._store.reader() as client:
            found = client.query(text)
        return read_items(found.result_rows, found.column_names)


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

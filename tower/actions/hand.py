"""Facts by hand: what people say about an order beside what systems say. Asked for like any action, sent to nobody.

One model for all of them: a kind says a word about the order, or takes the earlier ones of that word back. The engine
writes each down once, the audit first; the next judgement goes by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from tower.actions.item import Item, digest, item_id_of
from tower.store.audit import Entry
from tower.store.client import Store

_COLUMNS = ["fact_id", "order_no", "order_id", "what", "undo", "by", "assignee", "said", "occurred_at", "received_at"]


@dataclass(frozen=True, slots=True)
class ByHand:
    """One kind of action. column: of `orders`, that tells whether the word holds now; '' for notes.

    closed: it may be said of a closed order, too.
    """

    what: str
    column: str = ""
    undo: bool = False
    needs_reason: bool = False
    safety: str = "R0"
    closed: bool = False


BY_HAND: Mapping[str, ByHand] = {
    "hold": ByHand("held", "held_by", needs_reason=True),
    "release": ByHand("held", "held_by", undo=True, closed=True),
    "assign": ByHand("assigned", "assignee"),
    "unassign": ByHand("assigned", "assignee", undo=True, closed=True),
    "note": ByHand("noted", needs_reason=True, closed=True),
    "escalate": ByHand("escalated", "escalated_by", needs_reason=True),
    "deescalate": ByHand("escalated", "escalated_by", undo=True, closed=True),
    "mark_done": ByHand("marked_done", "closed_by", needs_reason=True, safety="R2"),
    "reopen": ByHand("marked_done", "closed_by", undo=True, needs_reason=True, closed=True),
}


def refusal(kind: str, order: Mapping[str, Any], version: str | None) -> tuple[str, str]:
    """Return (result, why) when the word cannot be said of the order now, else ('', '').

    order: a row of action_orders.sql. Only a mark as done asks that the order is as it was seen.
    """
    word = BY_HAND[kind]
    if order["closed_at"] is not None and not word.closed:
        return "gone", "the order is closed"
    if kind == "mark_done" and version is not None and version != order["version"]:
        return "stale", "the order has changed since you saw it; look again"
    holds = order[word.column] if word.column else ""
    if word.undo and not holds:
        return "not_retryable", f"nothing to take back: the order is not {_WORDS[word.what]}"
    if kind == "escalate" and holds:
        return "not_retryable", f"{holds} has escalated it already"
    return "", ""


def item_of(
    kind: str, order: Mapping[str, Any], action_id: str, actor: str, assignee: str, reason: str, now: datetime
) -> Item:
    """Return the item that says the word; it goes to no target."""
    word = BY_HAND[kind]
    item_id = item_id_of(action_id, order["order_id"], "", "order", order["order_id"])
    request = {
        "target": "", "what": word.what, "undo": word.undo, "assignee": assignee if kind == "assign" else "",
        "why": reason,
    }  # fmt: skip
    return Item(
        action_id=action_id, item_id=item_id, rule_action=kind, kind=kind, order_no=order["order_no"],
        order_id=order["order_id"], object=order["object"], object_type="order", object_id=order["order_id"],
        stage="", seen_version=order["version"], error="", amount=order["amount"], contract="{}",
        request=msgspec.json.encode(request).decode(), ordinal=1, state="requested", attempts=0,
        attempt_key=digest("attempt", item_id), requested_by=actor, requested_at=now, noted_at=None, sent_at=None,
        accepted_at=None, verify_by=None, next_at=None, finished_at=None, status_code=0, detail="", updated_at=now,
        revision=1,
    )  # fmt: skip


def entry_of(item: Item) -> Entry:
    """Return the audit entry of a word, under whoever said it."""
    wire = item.wire
    detail = {"order_id": item.order_id, **{k: wire[k] for k in ("what", "undo", "assignee")}}
    return Entry(item.requested_by, item.kind, f"{item.action_id}/{item.item_id}", str(wire["why"]), detail)


def write_facts(store: Store, items: list[Item], now: datetime) -> None:
    """Store the words as facts; synced on return. The same items again change nothing."""
    rows = [
        [i.item_id, i.order_no, i.order_id, w["what"], int(w["undo"]), i.requested_by, w["assignee"], w["why"],
         i.requested_at, now]
        for i in items for w in [i.wire]
    ]  # fmt: skip
    if rows:
        with store.writer() as client:
            client.insert("hand_facts", rows, column_names=_COLUMNS)


_WORDS = {
    "held": "held", "assigned": "assigned to anybody", "escalated": "escalated", "marked_done": "marked done by hand",
}  # fmt: skip

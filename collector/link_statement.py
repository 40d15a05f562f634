"""What an operator says about two objects, as an event of the tower's own: link them, name them as one, or undo it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec

from collector.canonical import canonical
from collector.decode import decode
from collector.instant import instant
from collector.rejection import Rejection
from collector.senders import OPERATORS, Sender
from collector.sink import Unavailable
from collector.stream import Stream
from rules.vocabulary import LINKED, TYPE_PREFIX
from tower.model.problem import Problem

SOURCE = f"{OPERATORS}links"


@dataclass(frozen=True, slots=True)
class LinkSaid:
    """One statement. from_ and to are objects as `type:id`; retract takes what any system said back."""

    id: str
    from_: str
    to: str
    relation: str
    retract: bool
    reason: str


def say_link(said: LinkSaid, events: Stream, now: datetime) -> int:
    """Put the statement into the journal and return the position after it, synced. Raises Problem."""
    link = {"from": said.from_, "to": said.to, "retract": said.retract}
    if said.relation:
        link["relation"] = said.relation
    event = {
        "specversion": "1.0", "id": said.id, "source": SOURCE, "type": f"{TYPE_PREFIX}{LINKED}", "time": now,
        "data": {"links": [link], "reason": said.reason},
    }  # fmt: skip
    raw = msgspec.json.encode(event)
    head = msgspec.json.encode({"received_at": instant(now, "received_at"), "connection": "", "kind": "tower"})[1:-1]
    sender = Sender(True, "", "tower", "", frozenset(), head)
    try:
        line = canonical(decode(raw), raw, sender, frozenset(), now)
    except Rejection as refused:
        raise Problem(400, refused.code, refused.detail) from None
    try:
        return events.commit_here(line.text)
    except Unavailable as error:
        raise Problem(503, "journal_failed", f"nothing was kept: {error}; send it again", retry_after_s=5) from None

"""A person's address is taken out of the store: their subscriptions end, and what they said keeps no address."""

from __future__ import annotations

from datetime import datetime

import msgspec

from tower.alerts.subscribers import records
from tower.alerts.subscription import CHANGED, CREATED, ENDED, Subscription, fold
from tower.alerts.wish import Wish
from tower.store.audit import Audit, Entry
from tower.store.client import Store
from tower.store.sql import load

ACTOR = "purge"
_COLUMNS = ["subscription_id", "revision", "fact", "owner", "actor", "at", "body"]


def forget_address(store: Store, address: str, now: datetime) -> int:
    """Return in how many facts the address stood; none of them names it afterwards, nor a hash of it.

    Subscriptions that go to it have ended before, each with a row in the audit. Safe to repeat. For a stopped tower.
    """
    with store.reader() as client:
        facts = records(client, "subscriptions_all", {"owner": "", "id": ""})
    wishes = [
        wish
        for row in facts
        if row["fact"] in (CREATED, CHANGED)
        if (wish := msgspec.json.decode(row["body"], type=Wish)).address == address
    ]
    if not wishes:
        return 0
    going = [one for one in fold(facts).values() if one.live and one.wish.address == address]
    said = [Entry(ACTOR, "end_subscription", one.receiver, detail={"owner": one.owner}) for one in going]
    Audit(store).append(said, now)
    last = max(row["revision"] for row in facts)
    ends = [[s.subscription_id, last + n, ENDED, s.owner, ACTOR, now, "{}"] for n, s in enumerate(going, 1)]
    keys = sorted({Subscription("", "", wish, now, now, 0).address_key for wish in wishes})
    with store.writer() as client:
        if ends:
            client.insert("subscription_facts", ends, column_names=_COLUMNS)
        done = {"mutations_sync": 1}
        old, new = (f'"address":{msgspec.json.encode(text).decode()}' for text in (address, ""))
        client.command(load("subscriptions_forget_address"), parameters={"old": old, "new": new}, settings=done)
        client.command(load("subscriptions_forget_answers"), parameters={"keys": keys}, settings=done)
    return len(wishes)

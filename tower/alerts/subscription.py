"""A subscription: what its facts add up to. Pure; facts are never changed, only added to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec

from tower.alerts.wish import Wish

CREATED, CHANGED, CONFIRMED, ENDED = "created", "changed", "confirmed", "ended"
PREFIX = "subscription/"  # of the receivers that are a person's own


@dataclass(frozen=True, slots=True)
class Subscription:
    """since: when it last began to hear as it does now. asked: number of the fact that named the present address."""

    subscription_id: str
    owner: str
    wish: Wish
    created_at: datetime
    since: datetime
    asked: int
    confirmed_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str = ""

    @property
    def confirmed(self) -> bool:
        """Whether its address may be used; the inbox is the owner's own."""
        return self.wish.channel == "inbox" or self.confirmed_at is not None

    @property
    def live(self) -> bool:
        """Whether it has not ended."""
        return self.ended_at is None

    @property
    def receiver(self) -> str:
        """Name of its receiver."""
        return PREFIX + self.subscription_id

    @property
    def address_key(self) -> str:
        """Names the address without telling it: a confirmation of one is none of another."""
        return hashlib.sha256(f"{self.wish.channel}\x1f{self.wish.address}".encode()).hexdigest()[:16]


def fold(facts: Iterable[Mapping[str, Any]]) -> dict[str, Subscription]:
    """Return subscriptions by id. facts: rows of subscription_facts in the order of subscription_id, revision."""
    found: dict[str, Subscription] = {}
    for row in facts:
        known = found.get(row["subscription_id"])
        new = _after(known, row)
        if new is not None:
            found[new.subscription_id] = new
    return found


def _after(known: Subscription | None, row: Mapping[str, Any]) -> Subscription | None:
    fact, at, body = row["fact"], row["at"], row["body"]
    if known is None:
        if fact != CREATED:
            return None
        wish = msgspec.json.decode(body, type=Wish)
        return Subscription(row["subscription_id"], row["owner"], wish, at, at, row["revision"])
    if not known.live:
        return known
    if fact == CHANGED:
        new = replace(known, wish=msgspec.json.decode(body, type=Wish), since=at)
        if new.confirmed_at is None or new.address_key != known.address_key:
            new = replace(new, confirmed_at=None, asked=row["revision"])
        return new
    if fact == CONFIRMED and known.confirmed_at is None:
        if msgspec.json.decode(body).get("address") != known.address_key:
            return known
        return replace(known, confirmed_at=at, since=at)
    if fact == ENDED:
        return replace(known, ended_at=at, ended_by=row["actor"])
    return known

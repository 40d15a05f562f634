"""Subscriptions as route trees: each a root of its own beside the tree of the book, with its receiver and quiet hours.

What its key may see is part of the matcher, and is looked up again whenever keys change: a subscription never tells of
an order that its owner may not see.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from rules.calendar import Calendar
from rules.errors import RulebookError
from rules.model import Book, Condition, Digest, Receiver, Route
from tower.alerts.subscription import Subscription
from tower.alerts.wish import calendar_of, matcher_of, narrowed
from tower.model.connections import Connections
from tower.model.principal import Principal
from tower.model.scope import Scope, scope_of

log = structlog.get_logger("tower.alerts")
_DAY_S = 86_400
# How long notices of an order wait for others, by the word of `deliver`; a daily one has its time of day instead.
_GROUPING: dict[str, dict[str, Any]] = {
    "at_once": {"group_by": ("stage", "system"), "group_wait_s": 0, "group_interval_s": 60, "flap_hold_s": 300},
    "hourly": {"group_wait_s": 3600, "group_interval_s": 3600},
    "daily": {"group_wait_s": 0},
}


@dataclass(frozen=True, slots=True)
class Subscriber(Receiver):
    """A person's own receiver. to: the address, which is used for nothing but its confirmation until it said yes."""

    subscription_id: str = ""
    label: str = ""
    to: str = ""
    address_key: str = ""
    confirmed: bool = True


@dataclass(frozen=True, slots=True)
class Personal:
    """What subscriptions add to a plan. since: when each root began to hear, by its key.

    asking: those whose address is not confirmed yet.
    """

    roots: tuple[Route, ...] = ()
    receivers: Mapping[str, Receiver] = field(default_factory=dict)
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    since: Mapping[str, datetime] = field(default_factory=dict)
    asking: tuple[Subscription, ...] = ()


NOBODY = Personal()


def personal_of(
    subscriptions: Iterable[Subscription], book: Book, owners: Mapping[str, Principal], connections: Connections,
    now: datetime,
) -> Personal:  # fmt: skip
    """Return the trees of the subscriptions that have not ended, whose key lives and whose way the book allows."""
    roots: list[Route] = []
    receivers: dict[str, Receiver] = {}
    calendars: dict[str, Calendar] = {}
    since: dict[str, datetime] = {}
    asking: list[Subscription] = []
    for one in subscriptions:
        owner = owners.get(one.owner)
        if not one.live or owner is None or one.wish.channel not in book.subscriptions.allow:
            continue
        receivers[one.receiver] = receiver_of(one, book)
        if not one.confirmed:
            asking.append(one)
            continue
        try:
            root, quiet = tree_of(one, book, scope_of(owner, connections), now)
        except RulebookError as error:
            log.error("subscription_rests", subscription_id=one.subscription_id, problem=str(error))
            continue
        if root is None:
            continue
        roots.append(root)
        since[root.key] = one.since
        if quiet is not None:
            calendars[one.receiver] = quiet
    return Personal(tuple(roots), receivers, calendars, since, tuple(asking))


def receiver_of(one: Subscription, book: Book) -> Subscriber:
    """Return whom a subscription tells."""
    wish, through = one.wish, book.subscriptions.through.get(one.wish.channel)
    return Subscriber(
        one.receiver, inbox=wish.channel == "inbox", apprise=(through,) if through else (), cap=book.subscriptions.cap,
        subscription_id=one.subscription_id, label=wish.label, to=wish.address, address_key=one.address_key,
        confirmed=one.confirmed,
    )  # fmt: skip


def tree_of(one: Subscription, book: Book, scope: Scope | None, now: datetime) -> tuple[Route | None, Calendar | None]:
    """Return the route and the quiet hours of a subscription; no route where the book has no rate for its amount.

    scope: what its owner may see; the matcher holds within it only. Raises RulebookError for hours that are none.
    """
    wish = one.wish
    when = matcher_of(wish, book, now.date())
    if when is None:
        return None, None
    limits = sorted(scope.limits.items()) if scope is not None else []
    when = narrowed(when, [Condition(name, "in", tuple(sorted(allowed))) for name, allowed in limits])
    says = [
        one.subscription_id, wish.when, wish.states, wish.above, wish.currency, wish.deliver,
        [[name, sorted(allowed)] for name, allowed in limits],
    ]  # fmt: skip
    key = hashlib.sha256(json.dumps(says, sort_keys=True, default=str).encode()).hexdigest()[:16]
    digest = None
    if wish.deliver == "daily":
        digest = Digest(f"{int(wish.daily_at[3:])} {int(wish.daily_at[:2])} * * *", wish.zone)
    quiet = calendar_of(wish, one.receiver) if wish.quiet else None
    route = Route(
        key, one.receiver, when, at_once=(), repeat_interval_s=_DAY_S, digest=digest,
        mute=(one.receiver,) if quiet is not None else (), **_GROUPING[wish.deliver],
    )  # fmt: skip
    return route, quiet

"""One item of an action: what is stored of it, and the values that travel frozen inside it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from clickhouse_connect.driver.client import Client

from rules.model import Action, Policy

ENGINE = "engine"  # who acts where no person asked
IN_FLIGHT = ("requested", "approved", "sent", "accepted")


class Patience(msgspec.Struct, frozen=True):
    """How often and how patiently to send; the part of a policy that travels with an item."""

    attempts: int
    backoff: str
    first_s: int
    max_s: int
    jitter: float = 0.0

    @classmethod
    def of(cls, policy: Policy) -> Patience:
        """Return the patience of a policy of the book."""
        return cls(policy.attempts, policy.backoff, policy.first_s, policy.max_s, policy.jitter)

    @property
    def policy(self) -> Policy:
        """The policy it came from, as far as sending goes."""
        return Policy(self.attempts, self.backoff, self.first_s, self.max_s, jitter=self.jitter)


class Contract(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was promised when the item was asked for: the milestone to see, by when, and how patiently to send."""

    milestone: str
    within_s: int
    attempts: int
    backoff: str
    first_s: int
    max_s: int
    jitter: float = 0.0
    give_up_at: datetime | None = None  # nothing is sent after it
    by_error: dict[str, Patience] = msgspec.field(default_factory=dict)  # by class of what the target answers
    system: str = ""  # whose word counts; '' for the milestone's authority
    once: tuple[str, ...] = ()  # milestones that may stand on one object only
    keep: tuple[str, ...] | None = None  # milestones that must stay; None for every other one

    @classmethod
    def of(
        cls, action: Action, policy: Policy, by_error: Mapping[str, Policy], give_up_at: datetime | None
    ) -> Contract:
        """Return the contract of an action of the book for one item; policy: the one that holds for it."""
        p, v = policy, action.verify
        classes = {name: Patience.of(one) for name, one in by_error.items()}
        return cls(
            v.milestone, v.within_s, p.attempts, p.backoff, p.first_s, p.max_s, p.jitter, give_up_at, classes,
            v.system, v.once, v.keep,
        )  # fmt: skip

    def policy(self, error_class: str) -> Policy:
        """Return how to go on sending after an answer of that class."""
        known = self.by_error.get(error_class)
        if known is not None:
            return known.policy
        return Policy(self.attempts, self.backoff, self.first_s, self.max_s, jitter=self.jitter)


@dataclass(frozen=True, slots=True)
class Item:
    """One row of action_items; see migration 0003 for the columns."""

    action_id: str
    item_id: str
    rule_action: str
    kind: str
    order_no: int
    order_id: str
    object: int
    object_type: str
    object_id: str
    stage: str
    seen_version: str
    error: str
    amount: Decimal | None
    contract: str
    request: str
    ordinal: int
    state: str
    attempts: int
    attempt_key: str
    requested_by: str
    requested_at: datetime
    noted_at: datetime | None
    sent_at: datetime | None
    accepted_at: datetime | None
    verify_by: datetime | None
    next_at: datetime | None
    finished_at: datetime | None
    status_code: int
    detail: str
    updated_at: datetime
    revision: int

    @property
    def promise(self) -> Contract:
        """The contract as a value."""
        return msgspec.json.decode(self.contract, type=Contract)

    @property
    def wire(self) -> dict[str, Any]:
        """The request as it goes on the wire, without secrets."""
        return msgspec.json.decode(self.request, type=dict[str, Any])

    @property
    def target(self) -> str:
        """The name of the target it goes to; '' for what is said by hand."""
        return str(self.wire["target"])

    @property
    def by_hand(self) -> bool:
        """Whether it is a word about an order and goes to no target."""
        return not self.target

    def too_old(self, now: datetime) -> bool:
        """Return whether nothing is to be sent for it any more."""
        give_up_at = self.promise.give_up_at
        return give_up_at is not None and now > give_up_at


COLUMNS = [f.name for f in fields(Item)]


def item_id_of(action_id: str, order_id: str, stage: str, object_type: str, object_id: str) -> str:
    """Return the id of an item: always the same for the same subject."""
    return digest(action_id, order_id, stage, object_type, object_id)


def digest(*parts: str) -> str:
    """Return 32 hex digits for a list of texts."""
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:32]


def write_items(client: Client, items: list[Item]) -> None:
    """Store new revisions; synced on return."""
    if items:
        client.insert("action_items", [[getattr(i, name) for name in COLUMNS] for i in items], column_names=COLUMNS)


def read_items(rows: Any, names: Any) -> list[Item]:
    """Return the items of a query that selects every column."""
    return [Item(**dict(zip(names, row, strict=True))) for row in rows]

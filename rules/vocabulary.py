"""The closed word lists of the tower: object types, attributes, states, and how named objects are linked.

Everything that names an object type or an order attribute imports it from here, so that code, SQL, YAML and
API cannot drift apart. The words are those of docs/architecture.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

# Each type with the types it may hang from, nearest first: the way up to the order.
PARENTS: dict[str, tuple[str, ...]] = {
    "order": (),
    "order_line": ("order",),
    "fulfillment": ("order_line", "order"),
    "shipment": ("fulfillment", "order_line", "order"),
    "invoice": ("shipment", "fulfillment", "order_line", "order"),
    "payment": ("invoice", "shipment", "fulfillment", "order_line", "order"),
    "return": ("order_line", "order"),
    "credit_memo": ("return", "order_line", "order"),
    "inventory_position": ("order_line", "order"),
    "load": ("shipment", "fulfillment", "order_line", "order"),
    "case": ("return", "payment", "invoice", "shipment", "fulfillment", "order_line", "order"),
    "document": ("payment", "invoice", "shipment", "fulfillment", "order_line", "order"),
}
OBJECT_TYPES: tuple[str, ...] = tuple(PARENTS)

# Documents that move or claim money: nothing about them is tried again without a person.
MONEY_OBJECTS: tuple[str, ...] = ("invoice", "payment", "credit_memo")

# The field of an event's data that names objects of a type.
ID_FIELDS: dict[str, str] = {f"{name}_id": name for name in OBJECT_TYPES}

# Inferred relation of a child type, in the words of the canonical model.
RELATIONS: dict[str, str] = {
    "order_line": "contains",
    "fulfillment": "fulfills",
    "shipment": "ships",
    "invoice": "bills",
    "payment": "pays",
    "return": "returns",
    "credit_memo": "credits",
    "inventory_position": "supplies",
    "load": "carries",
    "case": "concerns",
    "document": "documents",
}

# Relations between two names of one object; `from` is the further name. A weak one counts only while a single candidate
# is in question, and for so many days after it was last said.
ALIAS, WEAK_ALIAS = "alias", "weak_alias"
ALIASES: tuple[str, ...] = (ALIAS, WEAK_ALIAS)
WEAK_DAYS = 548
# A weak name that was said of more orders than this is no name of any.
MAX_CANDIDATES = 20

TEXT_ATTRIBUTES: tuple[str, ...] = (
    "currency",
    "customer_id",
    "customer_tier",
    "channel",
    "order_type",
    "company",
    "warehouse",
    "partner",
)
NUMBER_ATTRIBUTES: tuple[str, ...] = ("amount", "quantity")
TIME_ATTRIBUTES: tuple[str, ...] = ("promised_at", "requested_at")
# What a part of an order may have for itself: it goes before what the order says.
PART_ATTRIBUTES: tuple[str, ...] = ("company", "warehouse", "partner", "channel", "order_type")
ORDER_ATTRIBUTES: tuple[str, ...] = NUMBER_ATTRIBUTES + TEXT_ATTRIBUTES + TIME_ATTRIBUTES

# What routes, inhibitions and silences match beside the attributes of the order: the breach and its rule. `value` is
# the order's value at risk in the reporting currency, `target` where the action of its stage would go.
ALERT_TEXTS: tuple[str, ...] = (
    "kind",
    "rule",
    "stage",
    "severity",
    "owner",
    "system",
    "milestone",
    "error",
    "order_id",
    "object_type",
    "object_id",
    "connection",
    "target",
)
ALERT_NUMBERS: tuple[str, ...] = ("value",)

# How a person's subscription may reach them; all but the inbox through a service that the book names.
WAYS: tuple[str, ...] = ("inbox", "mailto", "sms")
DELIVERIES: tuple[str, ...] = ("at_once", "hourly", "daily")
# Order state -> kinds of findings that give it: what a subscription to a state hears of.
STATE_KINDS: dict[str, tuple[str, ...]] = {
    "failing": ("failing",),
    "late": ("late",),
    "diverging": ("diverging", "out_of_order", "duplicate", "sync_late"),
}

# Order states from worst to best; the position is the rank used everywhere.
OPEN_STATES: tuple[str, ...] = ("failing", "late", "diverging", "unknown", "at_risk", "on_track")
CLOSED_STATES: tuple[str, ...] = ("done", "cancelled")
STUCK_STATES: tuple[str, ...] = ("failing", "late", "diverging")
AT_RISK_STATES: tuple[str, ...] = ("failing", "late", "diverging", "unknown", "at_risk")

# What milestones can mean for the figures of executives, with those of the shipped book that do.
MEANINGS: dict[str, tuple[str, ...]] = {
    "order": ("order_captured", "order_accepted"),
    "ship": ("shipment_confirmed",),
    "invoice": ("invoice_released",),
    "fulfil": ("delivered",),
    "cash": ("payment_applied",),
}

CLOCK_STATES: tuple[str, ...] = ("running", "paused", "stopped", "ended")
POLARITIES: tuple[str, ...] = ("reached", "failed", "reversed")
FINDING_KINDS: tuple[str, ...] = (
    "late",
    "too_fast",
    "failing",
    "diverging",
    "out_of_order",
    "duplicate",
    "sync_late",
    "feed_late",
)
ACTION_ITEM_STATES: tuple[str, ...] = (
    "requested",
    "approved",
    "sent",
    "accepted",
    "verified",
    "no_effect",
    "duplicated",
    "regressed",
    "failed",
    "expired",
    "cancelled",
)

# What a request template of an action may name.
TEMPLATE_FIELDS: tuple[str, ...] = (
    "order_id", "object_type", "object_id", "stage", "attempt", "action_id", "item_id", "requested_by", "reason",
    "state", "error", "system", "from_milestone", "milestone", "since", "due_at", "priority", "amount", "currency",
    "customer_id", "customer_tier", "channel", "order_type", "company", "warehouse", "partner",
)  # fmt: skip

HEARTBEAT = "heartbeat"
# The type of an event that states links and reaches nothing, o2c.linked.
LINKED = "linked"
TYPE_PREFIX = "o2c."

# An object that would reach more orders than this attaches to none of them.
MAX_ORDERS_PER_OBJECT = 5000


class ObjectRef(NamedTuple):
    """One object as an event names it."""

    type: str
    id: str


class Link(NamedTuple):
    """One child hanging from one parent; retract takes an earlier statement back."""

    child: ObjectRef
    parent: ObjectRef
    relation: str
    retract: bool = False


def infer_links(named: Mapping[str, Sequence[str]]) -> list[Link]:
    """Return the links between the objects that one event names, nearest named type on the way to the order.

    named: ids by object type, as sent. Two lists are linked only if one of them has a single member, so a list
    of orders beside a list of shipments says nothing. Order of the result is stable.
    """
    links: list[Link] = []
    for child_type in OBJECT_TYPES:
        children = named.get(child_type)
        if not children:
            continue
        parent_type = next((p for p in PARENTS[child_type] if named.get(p)), None)
        if parent_type is None:
            continue
        parents = named[parent_type]
        if len(children) > 1 and len(parents) > 1:
            continue
        relation = RELATIONS[child_type]
        links.extend(
            Link(ObjectRef(child_type, c), ObjectRef(parent_type, p), relation) for c in children for p in parents
        )
    return links


def deepest(named: Mapping[str, Sequence[str]], links: Sequence[Link]) -> list[ObjectRef]:
    """Return the named objects that no link of the same event puts above another: where the fact is kept."""
    above = {link.parent for link in links if not link.retract and link.relation not in ALIASES}
    return [
        ref
        for object_type in OBJECT_TYPES
        for ref in (ObjectRef(object_type, i) for i in named.get(object_type, ()))
        if ref not in above
    ]


def is_above(upper: str, lower: str) -> bool:
    """Return whether objects of type upper lie on the way from type lower to the order."""
    return upper in PARENTS[lower]


def orient(one: ObjectRef, other: ObjectRef) -> tuple[ObjectRef, ObjectRef]:
    """Return (child, parent) of an explicit link: the type farther from the order is the child.

    Two objects of one type, or of types on different branches, keep the order in which they were named.
    """
    if is_above(one.type, other.type):
        return other, one
    return one, other

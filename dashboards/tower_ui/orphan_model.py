"""What the Orphans page says of each object, and what an object of its kind may hang from. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from dashboards.tower_ui import fmt

# Object types with the types they may hang from, as docs/events.md has them.
ABOVE: dict[str, tuple[str, ...]] = {
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
TYPES = tuple(ABOVE)
SORTS = {"-value": "Value", "first_at": "Oldest first", "-last_at": "Latest heard first"}


@dataclass(frozen=True, slots=True)
class OrphanView:
    """One object without an order on the board."""

    object_type: str
    object_id: str
    key: str
    scope: str
    number: str
    events: int
    first_at: datetime | None
    last_at: datetime | None
    age_s: float | None
    milestones: tuple[str, ...]
    sources: tuple[str, ...]
    amount: Decimal | None
    currency: str
    value: Decimal | None
    orders: tuple[str, ...]
    candidates: tuple[tuple[str, str], ...]

    @property
    def ref(self) -> str:
        """Its name as links are written: type:id."""
        return f"{self.object_type}:{self.object_id}"

    def why(self) -> str:
        """Return in words why it belongs to no order."""
        if self.candidates:
            return f"May be any of {fmt.plural(len(self.candidates), self.candidates[0][0])}"
        if self.object_type == "order":
            return "An order that nothing has started"
        if self.orders:
            return f"Its order {self.orders[0]} has not started"
        return "Nothing says what it belongs to"


@dataclass(frozen=True, slots=True)
class Orphans:
    """Some orphans, with how many there are and what they are worth."""

    rows: tuple[OrphanView, ...]
    total: int
    value: Decimal | None


def above(object_type: str) -> tuple[str, ...]:
    """Return what an object may be tied to: the order first, the nearest next, and another name of the same last."""
    nearest = ABOVE.get(object_type, ("order",))
    return tuple(dict.fromkeys((*(t for t in ("order",) if t in nearest), *nearest, object_type)))


def read_orphans(body: Mapping[str, Any]) -> Orphans:
    """Return the orphans of an answer, in its order."""
    rows = tuple(_orphan(row) for row in body.get("orphans") or () if isinstance(row, Mapping))
    return Orphans(rows, int(body.get("total") or len(rows)), fmt.decimal(body.get("value_total")))


def _orphan(row: Mapping[str, Any]) -> OrphanView:
    return OrphanView(
        str(row.get("object_type") or ""), str(row.get("object_id") or ""), str(row.get("key") or ""),
        str(row.get("scope") or ""), str(row.get("number") or row.get("object_id") or ""), int(row.get("events") or 0),
        fmt.instant(row.get("first_at")), fmt.instant(row.get("last_at")), row.get("age_s"),
        tuple(map(str, row.get("milestones") or ())), tuple(map(str, row.get("sources") or ())),
        fmt.decimal(row.get("amount")), str(row.get("currency") or ""), fmt.decimal(row.get("value")),
        tuple(map(str, row.get("orders") or ())),
        tuple((str(c.get("object_type")), str(c.get("object_id"))) for c in row.get("candidates") or ()),
    )  # fmt: skip

"""A breach as alerts see it: its life, and what routes, inhibitions and silences may ask of it and its order."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

NO_VALUE = Decimal(0)


@dataclass(frozen=True, slots=True)
class Breach:
    """state: open, resolved or retracted; over_at is when it ceased. facts: attributes by the names of matchers."""

    breach_id: str
    state: str
    opened_at: datetime
    detected_at: datetime
    over_at: datetime | None
    facts: Mapping[str, str | Decimal | None]
    order_no: int = 0

    @property
    def is_open(self) -> bool:
        """Whether it lasts."""
        return self.state == "open"

    @property
    def priority(self) -> str:
        """P1 and so on; '' for what belongs to no order."""
        return str(self.facts.get("priority") or "")

    @property
    def value(self) -> Decimal:
        """Value at risk of its order in the reporting currency."""
        value = self.facts.get("value")
        return value if isinstance(value, Decimal) else NO_VALUE

    def at_once(self, priorities: Collection[str]) -> bool:
        """Whether it waits for no group: its priority is one of those, or a person escalated it."""
        return self.priority in priorities or self.facts.get("kind") == "escalated"

    def text(self, name: str) -> str:
        """An attribute as text, '' when it is not known."""
        return str(self.facts.get(name) or "")

    @property
    def urgency(self) -> tuple[str, Decimal, datetime]:
        """What comes first when sorted: the class, then the money, then the age."""
        return (self.priority or "~", -self.value, self.opened_at)

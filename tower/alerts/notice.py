"""A notice: one message about one alert to one receiver, with the reason why it goes out now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from tower.alerts.breach import Breach

NEW, MORE, REPEAT, ESCALATED = "new", "more", "repeat", "escalated"
PARTLY, RESOLVED, SUMMARY = "partly_resolved", "resolved", "summary"
CONFIRM = "confirm"  # asks an address whether it wants notices; belongs to no alert
SAYS = {
    NEW: "first notice",
    MORE: "further breaches",
    REPEAT: "still open",
    ESCALATED: "nobody has acknowledged",
    PARTLY: "some are over",
    RESOLVED: "all is over",
    SUMMARY: "more notices than the receiver's cap",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """What is to be said. opened and ended: breaches it is about, the most urgent first. held: kept for a summary."""

    notice_id: str
    alert_id: str
    number: int
    receiver: str
    reason: str
    at: datetime
    labels: dict[str, str]
    opened: tuple[Breach, ...] = ()
    ended: tuple[Breach, ...] = ()
    open_count: int = 0
    priority: str = ""
    value: Decimal = Decimal(0)
    orders: int = 0
    urgent: bool = False
    held: bool = False
    covers: tuple[str, ...] = ()  # notices that a summary stands for

    @property
    def urgency(self) -> tuple[str, Decimal, str]:
        """Business order: the class, then the money."""
        return (self.priority or "~", -self.value, self.notice_id)

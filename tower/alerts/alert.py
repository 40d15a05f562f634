"""An alert: the breaches of one group, and what its receiver was told of each. Only the engine's thread changes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from tower.alerts.breach import Breach

SKIPPED = -1  # told_over of a breach whose end nobody wants to hear


@dataclass(slots=True)
class Member:
    """A breach of the alert. told, told_over: number of the notice that said so, 0 for none yet."""

    breach: Breach
    told: int = 0
    told_over: int = 0
    quiet: bool = False  # history when it was detected: listed, never told
    held_by: str = ""  # 'silence ID' or 'breach ID' that kept it back when last looked at

    def over(self, now: datetime, hold_s: int) -> bool:
        """Whether it has ceased, and stayed so for the flap hold. What never was has no hold."""
        if self.breach.is_open:
            return False
        if self.breach.state == "retracted" or self.breach.over_at is None:
            return True
        return now >= self.over_since + timedelta(seconds=hold_s)

    @property
    def over_since(self) -> datetime:
        """When it ceased, as far as we know; late news count from when they were learned."""
        assert self.breach.over_at is not None
        return self.breach.over_at


@dataclass(slots=True)
class Alert:
    """The state of one group from its first breach until all are over. opened_at and anchor: see `times`."""

    alert_id: str
    group: str
    route: str
    receiver: str
    labels: dict[str, str]
    opened_at: datetime
    anchor: datetime
    members: dict[str, Member] = field(default_factory=dict)
    number: int = 0  # of notices
    first_at: datetime | None = None  # first notice
    last_at: datetime | None = None  # last notice to its own receiver
    reason: str = ""  # of the last notice
    escalated: int = 0  # steps taken
    told_to: list[str] = field(default_factory=list)
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None
    note: str = ""
    flush_at: datetime | None = None  # when the group looks next whether there is something to say
    next_at: datetime | None = None  # when the next notice goes out if nothing changes
    next_reason: str = ""
    closed_at: datetime | None = None
    outcome: str = ""
    untold: dict[str, Member] = field(default_factory=dict)  # open and not told yet
    ending: dict[str, Member] = field(default_factory=dict)  # told, ceased and its end not told yet
    standing: dict[str, Member] = field(default_factory=dict)  # open
    lasting: dict[str, Member] = field(default_factory=dict)  # open and told

    def put(self, breach: Breach, *, quiet: bool) -> Member | None:
        """Take up a breach as it is now; return its member if anything has changed, else None."""
        member = self.members.get(breach.breach_id)
        if member is None:
            if not breach.is_open:
                return None
            member = self.members[breach.breach_id] = Member(breach, quiet=quiet)
        elif member.breach == breach:
            return None
        else:
            again = breach.is_open and not member.breach.is_open
            if again and member.told_over:  # its end was told: it is news again
                member.told = member.told_over = 0
            member.breach = breach
        self.sort_in(member)
        return member

    def sort_in(self, member: Member) -> None:
        """Put a member into the sets of what there is to tell."""
        key, is_open = member.breach.breach_id, member.breach.is_open
        self.untold.pop(key, None)
        self.ending.pop(key, None)
        self.standing.pop(key, None)
        self.lasting.pop(key, None)
        if is_open:
            self.standing[key] = member
            if member.told:
                self.lasting[key] = member
        if member.quiet:
            return
        if is_open and not member.told:
            self.untold[key] = member
        if not is_open and member.told and not member.told_over:
            self.ending[key] = member

    @property
    def open_members(self) -> list[Member]:
        """Members whose breach lasts."""
        return list(self.standing.values())

    @property
    def state(self) -> str:
        """closed, acknowledged or open."""
        return "closed" if self.closed_at else "acknowledged" if self.acknowledged_by else "open"

    def urgency(self) -> tuple[str, Decimal, int]:
        """Return the best priority, the value at risk and the number of the orders that are open, else of all."""
        chosen = self.open_members or list(self.members.values())
        orders: dict[str, Decimal] = {}
        for member in chosen:
            if order_id := member.breach.text("order_id"):
                orders[order_id] = max(member.breach.value, orders.get(order_id, Decimal(0)))
        best = min((m.breach.priority for m in chosen if m.breach.priority), default="")
        return best, sum(orders.values(), Decimal(0)), len(orders)

"""What a backtest found, as values: verdicts gained, lost and moved by rule, by day, and the orders behind them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdicts of two books over a window, compared.

    rules: one row a rule and kind that may differ: gained, lost, differently, same (None where only differences were
    looked for), their orders and values, earlier, later, lead_p50_s (negative: found earlier). days: openings by rule,
    kind and day under each book, notices: those of receivers by day. orders: single verdicts, the
    worthiest first, cut at `limit`.
    """

    old: str
    new: str
    since: datetime
    until: datetime
    currency: str
    rules: list[dict[str, Any]]
    days: list[dict[str, Any]]
    notices: list[dict[str, Any]]
    orders: list[dict[str, Any]]
    changed_rules: tuple[str, ...]
    judged_orders: int
    limits_only: bool
    seconds: float

    def total(self, name: str) -> int:
        """Return the sum of one column over all rules."""
        return sum(int(row[name] or 0) for row in self.rules)

    @property
    def busiest_day(self) -> int:
        """How many notices one receiver would get under the new book on the worst day."""
        return max((int(row["under_new"]) for row in self.notices), default=0)

"""The score that orders are worked off by: a sum of terms, each shown. The class P1 to P4 stays what the book says.

Weights are points. All terms but ageing lie between 0 and their weight; ageing grows by its weight each day without an
end, so that a small order is reached one day. docs/rulebook.md explains each; rules/compile/score.py is it in SQL.
"""

from __future__ import annotations

import math
from datetime import datetime

from rules.model import Score, Value

VALUE_DECADES = 6  # an amount of a million in the reporting currency earns the whole weight
CASH_DECADES = 4  # ten thousand of capital cost so far does
SLACK_S = 7 * 86_400  # a promise further away than this earns nothing
_DAY_S = 86_400
_YEAR_S = 365 * _DAY_S
PLACES = 4


def score_terms(
    score: Score,
    value: Value,
    *,
    amount: float | None,
    tier: str,
    since: datetime | None,
    promised_at: datetime | None,
    odds: float | None,
    now: datetime,
) -> dict[str, float]:
    """Return the points of each term of an open order. amount: in the reporting currency, None when not known.

    since: start of its worst clock. odds: chance to breach, 1 for an order that is stuck, None when not known.
    """
    age_s = max(0.0, (now - since).total_seconds()) if since is not None else 0.0
    worth = max(0.0, amount or 0.0)
    cost = worth * float(value.cost_of_capital or 0) * age_s / _YEAR_S
    slack = 1.0 if promised_at is None else (promised_at - now).total_seconds() / SLACK_S
    points = {
        "value": score.value * min(1.0, math.log10(1 + worth) / VALUE_DECADES),
        "tier": score.tiers.get(tier, 0.0),
        "promise": score.promise * min(1.0, max(0.0, 1 - slack)),
        "cash": score.cash * min(1.0, math.log10(1 + cost) / CASH_DECADES),
        "ageing": score.ageing * age_s / _DAY_S,
        "odds": score.odds * (odds or 0.0),
    }
    return {name: round(p, PLACES) for name, p in points.items()}


def total(terms: dict[str, float]) -> float:
    """Return the score: the sum of its terms."""
    return round(sum(terms.values()), PLACES)

"""One figure as it is told: a number with its formula, what went into it, and how many; or why there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from tower.value.ground import Totals

Number = float | int | Decimal


@dataclass(frozen=True, slots=True)
class Told:
    """What a metric gives in a window: a value with its inputs and counts, or a reason for none."""

    value: Number | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    refused: str = ""
    low: Number | None = None
    high: Number | None = None


def refuse(reason: str, **counts: int) -> Told:
    """Return that there is no figure, and why."""
    return Told(refused=reason, counts=counts)


@dataclass(frozen=True, slots=True)
class Sums:
    """All totals of one window by name of their units, and what the book says they are worth."""

    totals: Mapping[str, Totals]
    seconds: float
    terms: Mapping[str, Any]

    def __getitem__(self, units: str) -> Totals:
        return self.totals.get(units, Totals())


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of the page: what it is called, how it is reckoned, and which rows are behind it.

    better: 'less' or 'more' is good, '' for neither. behind: units of the way down; where: which of their rows.
    """

    id: str
    label: str
    unit: str
    better: str
    formula: str
    behind: str
    where: str = "true"


@dataclass(frozen=True, slots=True)
class Counted(Metric):
    """A figure that is made of the sums of one window."""

    reckon: Callable[[Sums], Told] = field(kw_only=True)


def shown(value: Any) -> Any:
    """Return a value as JSON has it: money as exact text, numbers to six places, instants in UTC."""
    if isinstance(value, Decimal):
        return format(value.quantize(Decimal("0.01")), "f")
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value


def as_json(metric: Metric, told: Told) -> dict[str, Any]:
    """Return the figure as the API tells it."""
    reply: dict[str, Any] = {
        "value": shown(told.value), "unit": metric.unit, "low": shown(told.low), "high": shown(told.high),
        "label": metric.label, "better": metric.better, "formula": metric.formula,
        "inputs": {k: shown(v) for k, v in told.inputs.items()}, "counts": dict(told.counts), "behind": metric.behind,
    }  # fmt: skip
    if told.refused:
        reply["refused"] = told.refused
    return reply

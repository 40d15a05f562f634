"""The stages as the flow map and the wall show them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from dashboards.tower_ui import fmt
from dashboards.tower_ui.charts import Flow

STUCK = ("failing", "late", "diverging")


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage with what is in it now; counts are clocks, `orders` counts orders."""

    id: str
    label: str
    system: str
    counts: Mapping[str, int]
    orders: int
    value: Decimal | None
    p90_age_s: float | None
    completed_24h: int
    buckets: tuple[tuple[str, int, Decimal | None], ...]

    @property
    def stuck(self) -> int:
        """Clocks that are failing, late or diverging."""
        return sum(self.counts.get(s, 0) for s in STUCK)

    @property
    def worst(self) -> str:
        """The worst state any clock of it has; on_track when all is well."""
        return next((s for s in fmt.STATES if self.counts.get(s, 0)), "on_track")


def read_stages(body: Mapping[str, Any]) -> list[Stage]:
    """Return the stages in process order."""
    return [
        Stage(
            id=str(s.get("id") or ""),
            label=fmt.label(s),
            system=str(s.get("system") or ""),
            counts={k: int(s.get(k) or 0) for k in ("failing", "late", "diverging", "unknown", "at_risk", "on_track")},
            orders=int(s.get("orders") or 0),
            value=fmt.decimal(s.get("value")),
            p90_age_s=None if s.get("p90_age_s") is None else float(s["p90_age_s"]),
            completed_24h=int(s.get("completed_24h") or 0),
            buckets=tuple(
                (str(b.get("label") or ""), int(b.get("clocks") or 0), fmt.decimal(b.get("value")))
                for b in s.get("age_buckets") or ()
            ),
        )
        for s in body.get("stages") or ()
    ]


def flows(stages: Sequence[Stage], *, value: bool, currency: str) -> list[Flow]:
    """Return what the sankey draws. By value, what passed is shown in the stuck orders' mean value: its true value is
    not kept, and the picture needs one unit."""
    known = [s for s in stages if s.stuck or s.completed_24h]
    if not value:
        return [Flow(s.label, s.completed_24h, s.stuck, fmt.count(s.stuck)) for s in known]
    total = sum((s.value or Decimal(0) for s in known), Decimal(0))
    mean = float(total) / max(1, sum(s.stuck for s in known))
    return [
        Flow(s.label, s.completed_24h * mean, float(s.value or 0), fmt.money_short(s.value, currency)) for s in known
    ]


def by_system(groups: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, int, Decimal]]:
    """Return (stage, system, orders, value) summed over errors, largest first."""
    sums: dict[tuple[str, str], tuple[int, Decimal]] = {}
    for group in groups:
        key = (str(group.get("stage") or ""), str(group.get("system") or ""))
        number, value = sums.get(key, (0, Decimal(0)))
        sums[key] = (number + int(group.get("count") or 0), value + (fmt.decimal(group.get("value")) or Decimal(0)))
    rows = [(stage, system, number, value) for (stage, system), (number, value) in sums.items()]
    return sorted(rows, key=lambda r: (-r[2], r[0], r[1]))

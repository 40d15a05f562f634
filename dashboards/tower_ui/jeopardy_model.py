"""What the odds rest on and how they came out, as the page needs it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dashboards.tower_ui import fmt

ENOUGH = 20  # predictions that a tenth needs before its distance means anything


@dataclass(frozen=True, slots=True)
class Tenth:
    """Predictions of about the same odds. predicted: their mean; breached: the share that did."""

    predictions: int
    predicted: float
    breached: float

    @property
    def told(self) -> str:
        """Return the point in words."""
        said, came = fmt.percent(self.predicted, 1), fmt.percent(self.breached, 1)
        return f"{self.predictions:,} predictions of about {said}%: {came}% breached"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the predictions of a stage came out; '' names all stages together. Brier scores: less is better."""

    rule: str
    settled: int
    breached: int
    waiting: int
    brier: float | None
    brier_mean: float | None
    brier_share: float | None
    worst_gap: float | None
    tenths: tuple[Tenth, ...]


def read_outcomes(body: Mapping[str, Any]) -> list[Outcome]:
    """Return how predictions came out, all stages together first."""
    return [
        Outcome(
            str(c.get("rule") or ""),
            int(c.get("settled") or 0),
            int(c.get("breached") or 0),
            int(c.get("waiting") or 0),
            c.get("brier"),
            c.get("brier_mean"),
            c.get("brier_share"),
            c.get("worst_gap"),
            tuple(
                Tenth(int(b["predictions"]), float(b["predicted"]), float(b["breached"])) for b in c.get("bins") or ()
            ),
        )
        for c in body.get("calibration") or ()
    ]


def curve_rows(body: Mapping[str, Any], labels: Mapping[str, str]) -> list[list[str]]:
    """Return the table of curves as plain texts: stages in process order, the whole stage before its segments."""
    order = list(labels)

    def key(c: Mapping[str, Any]) -> tuple[int, str, str]:
        rule = str(c.get("rule"))
        return order.index(rule) if rule in order else len(order), rule, str(c.get("segment"))

    return [
        [
            _label(str(c.get("rule")), labels),
            str(c.get("segment") or "all"),
            fmt.count(c.get("cases")),
            fmt.count(c.get("ended")),
            "too few" if c.get("thin") else fmt.duration(c.get("median_s")),
            "too few" if c.get("thin") else fmt.duration(c.get("p90_s")),
            fmt.duration(c.get("budget_s")),
            _share(c.get("outlasts_budget")),
        ]
        for c in sorted(body.get("curves") or (), key=key)
    ]


def _label(rule: str, labels: Mapping[str, str]) -> str:
    if rule.endswith(".failed"):
        return f"{fmt.milestone(rule.removesuffix('.failed'), 'failed')} failed"
    return labels.get(rule, fmt.words(rule))


def _share(value: Any) -> str:
    share = fmt.percent(value, 1)
    return fmt.NONE if share is None else f"{share}%"

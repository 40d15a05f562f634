"""What a measurement says: a figure, the ratio it is judged by, and the bound it must keep."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median as median_of

__all__ = ["Figure", "median_of", "percentile", "spread", "table"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the report. judged: the number compared with the target, e.g. a ratio or milliseconds."""

    measurement: str
    name: str
    figure: str
    judged: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    unit: str = ""
    note: str = ""

    @property
    def target(self) -> str:
        """The bound in words, '' when the figure is only information."""
        if self.at_least is not None:
            return f">= {self.at_least:g}{self.unit}"
        return "" if self.at_most is None else f"<= {self.at_most:g}{self.unit}"

    @property
    def verdict(self) -> str:
        """ok or miss against the target; info without one; skipped when nothing was measured."""
        if not self.target:
            return "info"
        if self.judged is None or math.isnan(self.judged):
            return "skipped"
        kept = self.judged >= self.at_least if self.at_least is not None else self.judged <= (self.at_most or 0)
        return "ok" if kept else "miss"


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of all values do not exceed; nan without values."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def spread(ratios: Sequence[float]) -> str:
    """Return the range of several rounds in words."""
    return f"rounds {min(ratios):.2f} to {max(ratios):.2f}"


def table(figures: Iterable[Figure]) -> str:
    """Return the report as aligned text."""
    head = ("measurement", "figure", "", "ratio", "target", "", "")
    rows = [
        (
            f.measurement,
            f.name,
            f.figure,
            "" if f.judged is None else f"{f.judged:.3g}{f.unit}",
            f.target,
            f.verdict,
            f.note,
        )
        for f in figures
    ]
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in [head, *rows]
    )

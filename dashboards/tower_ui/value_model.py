"""What the executive page shows, worked out from the tower's answer. Pure: no Streamlit, no clock of its own."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from dashboards.tower_ui import fmt

# Period -> how long it is; none: as long as the baseline's window, or since it ended.
PERIODS: dict[str, timedelta | None] = {
    "As the baseline": None, "Since the baseline": None, "1 day": timedelta(days=1), "7 days": timedelta(days=7),
    "28 days": timedelta(days=28), "90 days": timedelta(days=90),
}  # fmt: skip
USUAL, SINCE = "As the baseline", "Since the baseline"
HEADLINES = ("on_time", "exceptions_per_1000", "ship_to_invoice_p50", "shipped_not_invoiced")
_SUMS = ("orders", "money")  # their parts over time are smaller than the whole, so the baseline is no level of theirs


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure as it stands on the page. tone: good, bad or muted; refused: why there is no value."""

    id: str
    label: str
    unit: str
    text: str
    change: str
    tone: str
    before: str
    formula: str
    refused: str
    counts: str
    inputs: tuple[tuple[str, str], ...]
    course: tuple[float | None, ...]
    baseline: float | None


@dataclass(frozen=True, slots=True)
class Won:
    """One stage's line of what acting won: text, and the interval as places from 0 to 1 on a common scale."""

    stage: str
    hours: str
    interval: str
    share: str
    value: str
    rests: str
    refused: str
    low: float = 0.0
    at: float = 0.0
    high: float = 0.0
    zero: float = 0.0


def question(period: str, by: str, now: datetime, baseline_until: datetime | None) -> dict[str, str]:
    """Return the parameters that ask for a period; its end is the answer's own moment."""
    params = {"by": by}
    length = PERIODS.get(period)
    if period == SINCE and baseline_until is not None:
        params["from"] = baseline_until.isoformat()
    elif length is not None:
        # To the minute, so that everyone who looks in the same minute asks the same.
        params["from"] = (now.replace(second=0, microsecond=0) - length).isoformat()
    return params


def told(value: object, unit: str, currency: str, *, full: bool = False) -> str:
    """Return a figure as people read it; a dash for none."""
    if value is None:
        return fmt.NONE
    if unit == "money":
        return (fmt.money_full if full else fmt.money_short)(fmt.decimal(value), currency)
    number = float(str(value))
    if unit == "share":
        return f"{number * 100:.1f} %"
    if unit.endswith("seconds"):
        return f"{number:.1f}s" if abs(number) < 10 else fmt.duration(number)
    if unit == "orders":
        return fmt.count(round(number))
    if unit == "hours":
        return f"{number:,.1f} h" if abs(number) < 100 else f"{number:,.0f} h"
    return f"{number:,.1f}" if abs(number) < 1000 else f"{number:,.0f}"


def read_figures(answer: Mapping[str, Any]) -> list[Figure]:
    """Return every figure of an answer, in its order."""
    currency = str(answer.get("currency") or "")
    trend: Sequence[Mapping[str, Any]] = answer.get("trend") or ()
    return [_figure(name, figure, trend, currency) for name, figure in (answer.get("figures") or {}).items()]


def _figure(name: str, figure: Mapping[str, Any], trend: Sequence[Mapping[str, Any]], currency: str) -> Figure:
    unit = str(figure.get("unit") or "")
    before = (figure.get("baseline") or {}).get("value")
    change = figure.get("change") or {}
    course = [p.get(name) for p in trend]
    drawn = tuple(None if v is None else float(str(v)) for v in course)
    inputs = tuple((fmt.words(k), plain(k, v, currency)) for k, v in (figure.get("inputs") or {}).items())
    return Figure(
        name,
        str(figure.get("label") or fmt.words(name)),
        unit,
        told(figure.get("value"), unit, currency),
        _change(change),
        _tone(change.get("value"), str(figure.get("better") or "")),
        f"{told(before, unit, currency)} before" if before is not None else "",
        str(figure.get("formula") or ""),
        str(figure.get("refused") or ""),
        counted(figure.get("counts") or {}),
        inputs,
        drawn if any(v is not None for v in drawn) else (),
        None if before is None or unit in _SUMS else float(str(before)),
    )


def counted(counts: Mapping[str, Any]) -> str:
    """Return counts in words: `412 exceptions · 390 orders with exceptions`."""
    return " · ".join(f"{int(v):,} {k.replace('_', ' ')}" for k, v in counts.items() if v or k != "not_priced")


def plain(name: str, value: object, currency: str) -> str:
    """Return an input as text; its name says its unit."""
    if value is None:
        return fmt.NONE
    if name.endswith("_s"):
        return fmt.duration(float(str(value)))
    if isinstance(value, str) and fmt.decimal(value) is not None:
        return fmt.money_full(fmt.decimal(value), currency)
    return f"{value:,.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _change(change: Mapping[str, Any]) -> str:
    value = change.get("value")
    if value is None:
        return ""
    points = change.get("in") == "points"
    percent = float(value) * 100
    sign = "+" if percent > 0 else "−" if percent < 0 else "±"
    arrow = "↑" if percent > 0 else "↓" if percent < 0 else "="
    return f"{arrow} {sign}{abs(percent):.1f}{' points' if points else ' %'}"


def _tone(change: object, better: str) -> str:
    """Return whether a change is good; the direction that is good depends on the figure."""
    value = 0.0 if change is None else float(str(change))
    if not value or not better:
        return "muted"
    return "good" if (value > 0) == (better == "more") else "bad"


def read_won(answer: Mapping[str, Any], labels: Mapping[str, str]) -> list[Won]:
    """Return what acting won, all together first, with intervals on one scale for all stages."""
    currency = str(answer.get("currency") or "")
    parts = answer.get("earned") or ()
    hours = [p["figures"]["hours_saved"] for p in parts]
    ends = [float(h[e]) for h in hours for e in ("low", "high") if h.get(e) is not None]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    span = (high - low) or 1.0

    def place(value: float) -> float:
        return (value - low) / span

    lines: list[Won] = []
    for part in parts:
        figures, stage = part["figures"], str(part["stage"])
        name = "All stages" if stage == "all" else labels.get(stage, fmt.words(stage))
        h, counts = figures["hours_saved"], figures["hours_saved"].get("counts") or {}
        rests = f"{counts.get('matched', 0):,} of {counts.get('acts', 0):,} acts"
        rests += f" · twins of {counts.get('twin_orders', 0):,} orders"
        if h.get("refused"):
            lines.append(Won(name, fmt.NONE, "", fmt.NONE, fmt.NONE, rests, str(h["refused"])))
            continue
        share = figures["moved_share"]
        lines.append(
            Won(
                name,
                told(h["value"], "hours", currency),
                f"{told(h['low'], 'hours', currency)} to {told(h['high'], 'hours', currency)}",
                f"{float(share['value']) * 100:+.0f} points",
                told(figures["value_earned"]["value"], "money", currency),
                rests,
                "",
                low=place(float(h["low"])),
                at=place(float(h["value"])),
                high=place(float(h["high"])),
                zero=place(0.0),
            )
        )
    return lines


def column(means: str) -> str:
    """Return the heading of a column behind a figure: what it is, without its unit, which its values show."""
    return fmt.words(
        means.replace("open seconds", "open time").replace("elapsed seconds", "elapsed time").removeprefix("seconds ")
    )


def behind(value: object, means: str) -> str:
    """Return one value behind a figure: a length of time, a yes, or a plain number."""
    if value is None:
        return fmt.NONE
    if isinstance(value, bool):
        return "✓" if value else ""
    return told(value, "seconds" if "seconds" in means else "", "")


def realized(answer: Mapping[str, Any]) -> tuple[int, str, int]:
    """Return how many acts were proved, the money that moved after them, and how many had no price."""
    rows = answer.get("realized") or ()
    amounts = [a for r in rows if (a := fmt.decimal(r.get("amount"))) is not None]
    acts = round(sum(float(r.get("acts") or 0) for r in rows))
    money = fmt.money_short(sum(amounts, Decimal(0)), str(answer.get("currency") or ""))
    return acts, money, sum(int(r.get("not_priced") or 0) for r in rows)


def as_csv(answer: Mapping[str, Any]) -> str:
    """Return every figure of an answer as a table: value, baseline, change, interval, formula and counts."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        ["stage", "figure", "label", "value", "unit", "low", "high", "baseline", "change", "change_in", "refused",
         "counts", "formula", "from", "to", "as_of", "currency", "rate_date"]
    )  # fmt: skip
    moment = [answer.get(k) for k in ("from", "to", "as_of", "currency", "rate_date")]
    parts = [("", answer.get("figures") or {}), *((p["stage"], p["figures"]) for p in answer.get("earned") or ())]
    for stage, figures in parts:
        for name, f in figures.items():
            change = f.get("change") or {}
            writer.writerow(
                [stage, name, f.get("label"), f.get("value"), f.get("unit"), f.get("low"), f.get("high"),
                 (f.get("baseline") or {}).get("value"), change.get("value"), change.get("in"), f.get("refused"),
                 counted(f.get("counts") or {}), f.get("formula"), *moment]
            )  # fmt: skip
    return out.getvalue()


def spark(course: Sequence[float | None], baseline: float | None) -> str:
    """Return a course as small bars: from nought up, gaps where there is no figure, the baseline dashed."""
    known = [v for v in course if v is not None]
    top = max([*known, baseline or 0.0, 1e-9]) if known else 1.0
    bars = "".join('<i class="none"></i>' if v is None else f'<i style="height:{_height(v, top)}"></i>' for v in course)
    level = "" if baseline is None else f'<s style="bottom:{_height(baseline, top)}"></s>'
    return f'<div class="t-spark" aria-hidden="true">{bars}{level}</div>'


def _height(value: float, top: float) -> str:
    return f"{max(3.0, 100 * value / top):.0f}%"

"""What acting won in a window, by stage and in all: hours, share and money moved, capital saved; or why no figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np

from rules.model import Book
from tower.value.effect import Effect, Estimate, effect, thin
from tower.value.figure import Metric, Told, as_json, refuse
from tower.value.ground import Ground, Window
from tower.value.match import Pairs, match
from tower.value.spells import Spells, read_spells

ALL = "all"
USUAL_HORIZON_S = 86400
_YEAR_S = 365 * 86400.0
_SEED = 20260101  # any number, always the same

EARNED: tuple[Metric, ...] = (
    Metric(
        "hours_saved", "Hours won by acting", "hours", "more",
        "(mean time untreated twins still waited − mean time after an act, both up to the horizon) × acts with twins",
        "acted",
    ),
    Metric(
        "moved_share", "Share moved that would not have", "share", "more",
        "share that reached its milestone within the horizon after an act − the same of untreated twins", "acted",
    ),
    Metric(
        "value_earned", "Value moved that would not have", "money", "more",
        "share moved that would not have × amounts of the acts with twins", "acted",
    ),
    Metric(
        "capital_saved", "Cost of capital saved", "money", "more",
        "mean time won × amounts of the acts with twins × cost_of_capital ÷ a year", "acted",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Earned:
    """One stage, or all: its figures by id, with what they rest on."""

    stage: str
    told: Mapping[str, Told]
    treated: int
    matched: int
    twins: int

    def json(self) -> dict[str, Any]:
        """Return it as the API tells it."""
        return {"stage": self.stage, "figures": {m.id: as_json(m, self.told[m.id]) for m in EARNED}}


def earned(ground: Ground, window: Window) -> list[Earned]:
    """Return what the acts of a window won, all together first, then each stage that was acted on.

    Twins come from everything that got stuck within the widest window of the ground.
    """
    spells = read_spells(ground, ground.widest)
    acted = np.isfinite(spells.treated)
    stages = [s.id for s in ground.book.stages if (acted & (spells.stage == s.id)).any()]
    return [_reckon(spells, stage, ground, window) for stage in (ALL, *stages)]


def horizon_of(book: Book) -> int:
    """Return how long after an act its effect is looked for, in seconds."""
    return book.value.horizon_s or USUAL_HORIZON_S


def _reckon(spells: Spells, stage: str, ground: Ground, window: Window) -> Earned:
    book, horizon_s = ground.book, horizon_of(ground.book)
    calendar = book.calendars.get(book.value.calendar or "")
    chosen = spells if stage == ALL else spells.where(spells.stage == stage)
    pairs = match(
        chosen, (window.since.timestamp(), window.until.timestamp()), horizon_s, ground.as_of.timestamp(),
        calendar.zone if calendar else "UTC", _SEED,
    )  # fmt: skip
    counts = {
        "acts": pairs.eligible, "matched": len(pairs), "orders": len(np.unique(pairs.order)),
        "twin_orders": pairs.twins,
        "too_fresh": pairs.too_fresh, "not_stuck": pairs.not_stuck,
    }  # fmt: skip
    reason = thin(pairs)
    told = {m.id: refuse(reason, **counts) for m in EARNED} if reason else _worth(pairs, book, horizon_s, counts)
    return Earned(stage, told, pairs.eligible, len(pairs), pairs.twins)


def _worth(pairs: Pairs, book: Book, horizon_s: int, counts: dict[str, int]) -> dict[str, Told]:
    """Return the figures of pairs that suffice."""
    won = effect(pairs, horizon_s, _SEED)
    known = np.isfinite(pairs.amount)
    amount = float(pairs.amount[known].sum())
    inputs = _inputs(won, horizon_s, amount)
    priced = {**counts, "not_priced": int((~known).sum())}
    told = {
        "hours_saved": _told(won.saved_s.times(len(pairs) / 3600), inputs, counts),
        "moved_share": _told(won.moved, inputs, counts),
        "value_earned": _money(_told(won.moved.times(amount), inputs, priced)),
    }
    yearly = book.value.cost_of_capital
    if yearly is None:
        told["capital_saved"] = refuse("the book declares no cost_of_capital", **priced)
    else:
        saved = won.saved_s.times(amount * float(yearly) / _YEAR_S)
        told["capital_saved"] = _money(_told(saved, {**inputs, "cost_of_capital": yearly}, priced))
    return told


def _inputs(won: Effect, horizon_s: int, amount: float) -> dict[str, Any]:
    return {
        "horizon_s": horizon_s, "saved_s_an_act": won.saved_s.value, "saved_s_low": won.saved_s.low,
        "saved_s_high": won.saved_s.high, "moved_after_acts": won.moved_treated, "moved_of_twins": won.moved_twins,
        "amount": Decimal(f"{amount:.2f}"), "interval": "95 %",
    }  # fmt: skip


def _told(estimate: Estimate, inputs: Mapping[str, Any], counts: Mapping[str, int]) -> Told:
    return Told(estimate.value, inputs, counts, "", estimate.low, estimate.high)


def _money(told: Told) -> Told:
    """Return an estimate in money: exact text on the wire, as all money."""
    value, low, high = (None if n is None else Decimal(f"{n:.2f}") for n in (told.value, told.low, told.high))
    return replace(told, value=value, low=low, high=high)

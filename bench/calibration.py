"""Whether odds come true, on held-back parts of logs that other people recorded.

The curves are those of the tower, fitted by its own SQL. What is held back, in two ways: the future (curves are
fitted to what was known at a moment and asked about clocks at later moments; then fitted anew, as the tower does),
and every second start (curves of one half are asked about the other, of the same time; a pace that changes weighs on
both). Every clock is asked at four ages, while it runs. A step may take as long as 70 % of its clocks kept at the
first fit. Compared with: the step's own rate, and the rule "at risk from 75 % of the time on".
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from clickhouse_connect.driver.client import Client

from bench.figure import Figure
from bench.process_logs import DATA, LOGS, Clock, last_instant
from rules.odds import FALLBACK_SHARE, LEAST_ENDED, Curves
from tower.engine.curves import read_curves
from tower.store.client import Store
from tower.store.migrate import migrate
from tower.store.sql import load

NAME = "calibration"
AGES = (0.05, 0.25, 0.5, 0.75)
BOUND = 0.05  # how far a tenth may lie from what came
ENOUGH = 400  # clocks that a tenth needs: twice the binomial error of an even chance is then the bound itself
_FIRST_FIT = 0.4  # of the clocks have started
_KEPT = 0.7


@dataclass(frozen=True, slots=True)
class Prediction:
    """What was said of one clock at one age, and what came of it. rate: what the stage's own rate says."""

    odds: float
    rate: float
    share: float
    breached: bool
    clock: tuple[str, int]  # its step and its place there; all predictions of a clock come true or none does


@dataclass(frozen=True, slots=True)
class Tenth:
    """Predictions whose odds lie in one tenth, of how many clocks: the mean of what was said, the share that came."""

    predictions: int
    clocks: int
    said: float
    came: float

    @property
    def gap(self) -> float:
        """How far what came lies from what was said."""
        return abs(self.said - self.came)

    @property
    def noise(self) -> float:
        """Twice the binomial error of what came, of so many clocks."""
        return 2 * math.sqrt(self.came * (1 - self.came) / self.clocks)

    def __str__(self) -> str:
        return f"{self.said:.0%} said {self.came:.0%} came ±{100 * self.noise:.0f} ({self.clocks:,})"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the predictions for one log came out. gap: the largest of a tenth with ENOUGH clocks, nan without."""

    predictions: int
    brier: float
    brier_rate: float
    brier_share: float
    gap: float
    tenths: list[Tenth]


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    """Return for each log at hand how the odds came out against both other ways of saying it."""
    if not DATA.is_dir():
        return [Figure(NAME, "error ÷ that of the rate", "the logs are not at hand", at_most=1.0)]
    store = Store(f"chdb://{folder}", database="calibration")
    migrate(store)
    figures = []
    try:
        for name, read in LOGS.items():
            steps = read()
            with store.writer() as client:
                found = outcome(predict(client, steps, fits=4 if quick else 24))
                other = outcome(predict_halves(client, steps))
            said = f"Brier {found.brier:.3f}; rate {found.brier_rate:.3f}, 75 % rule {found.brier_share:.3f}"
            size = f"{found.predictions:,} predictions"
            ratio, rule = found.brier / found.brier_rate, found.brier / found.brier_share
            figures += [
                Figure(NAME, f"{name}: error ÷ that of the rate", said, ratio, at_most=1.0, note=size),
                Figure(NAME, f"{name}: error ÷ that of the 75 % rule", "", rule, at_most=1.0),
                Figure(NAME, f"{name}: largest gap, the future", _told(found.tenths), found.gap, at_most=BOUND),
                Figure(NAME, f"{name}: largest gap, every second start", _told(other.tenths), other.gap, at_most=BOUND),
            ]
    finally:
        store.close()
    return figures


def predict(client: Client, steps: Mapping[str, Sequence[Clock]], fits: int) -> list[Prediction]:
    """Return what curves fitted at so many moments say of the clocks that run after them."""
    end = last_instant([list(c) for c in steps.values()])
    begun = sorted(start for clocks in steps.values() for start, _ in clocks)
    first = begun[int(len(begun) * _FIRST_FIT)]
    moments = [first + (end - first) * i // fits for i in range(fits)]
    curves = [fit(client, steps, at) for at in moments]
    return [
        prediction
        for stage, clocks in steps.items()
        if (budget := _budget(curves[0], stage)) is not None
        for place, clock in enumerate(clocks)
        if first <= clock[0] <= end - budget
        for prediction in _asked((stage, place), clock, budget, moments, curves, end)
    ]


def predict_halves(client: Client, steps: Mapping[str, Sequence[Clock]]) -> list[Prediction]:
    """Return what curves fitted to every second start of a log say of the others, and the other way round.

    Clocks that start in one instant, as the items of an order do, are of one half.
    """
    end = last_instant([list(c) for c in steps.values()])
    halves = [{stage: _half(clocks, which) for stage, clocks in steps.items()} for which in (0, 1)]
    said: list[Prediction] = []
    for which, half in enumerate(halves):
        curves = fit(client, halves[1 - which], end)
        for stage, clocks in half.items():
            budget = _budget(curves, stage)
            for place, clock in enumerate(clocks):
                if budget is not None and clock[0] <= end - budget:
                    said += _asked((stage, 2 * place + which), clock, budget, [0], [curves], end)
    return said


def _half(clocks: Sequence[Clock], which: int) -> list[Clock]:
    starts = {start: place for place, start in enumerate(sorted({start for start, _ in clocks}))}
    return [clock for clock in clocks if starts[clock[0]] % 2 == which]


def fit(client: Client, steps: Mapping[str, Sequence[Clock]], at: int) -> Curves:
    """Return the curves of all steps from what was known at a moment (epoch ms), fitted by the tower's statement."""
    columns = "rule String, segment String, dwell_ms Int64, ended UInt8"
    client.command(f"CREATE OR REPLACE TEMPORARY TABLE dwells ({columns}) ENGINE = Memory")
    rows = [
        [stage, "", min(stop or at, at) - start, int(stop is not None and stop <= at)]
        for stage, clocks in steps.items()
        for start, stop in clocks
        if start < at
    ]
    client.insert("dwells", rows, column_names=["rule", "segment", "dwell_ms", "ended"])
    now = datetime.fromtimestamp(at / 1000, UTC)
    client.command(load("curves_fit"), parameters={"now": now, "since": now, "book": "log", "least": LEAST_ENDED})
    return read_curves(client, now)


def _budget(curves: Curves, stage: str) -> int | None:
    curve = curves.choose(stage, "")
    if curve is None or curve.thin:
        return None
    return next((ms for ms, alive in zip(curve.at_ms, curve.alive, strict=True) if alive <= 1 - _KEPT), None)


def _asked(
    name: tuple[str, int], clock: Clock, budget: int, moments: Sequence[int], curves: Sequence[Curves], end: int
) -> list[Prediction]:
    start, stop = clock
    took = stop - start if stop is not None and stop <= end else None
    said = []
    for age in AGES:
        used = int(age * budget)
        if took is not None and took <= used:
            break
        curve = curves[bisect_right(moments, start + used) - 1].choose(name[0], "")
        odds = curve.odds(used, budget) if curve is not None else None
        if curve is not None and odds is not None:
            share = 1.0 if age >= float(FALLBACK_SHARE) else 0.0
            said.append(Prediction(odds, curve.outlasts(budget), share, took is None or took > budget, name))
    return said


def _told(tenths: Sequence[Tenth]) -> str:
    return ", ".join(str(t) for t in tenths if t.clocks >= ENOUGH)


def outcome(predictions: Sequence[Prediction]) -> Outcome:
    """Return mean squared errors, and how far each tenth of the odds lies from what came."""
    count = len(predictions)

    def brier(said: Sequence[float]) -> float:
        return sum((s - p.breached) ** 2 for s, p in zip(said, predictions, strict=True)) / count

    tenths: list[Tenth] = []
    for tenth in range(10):
        found = [p for p in predictions if min(9, int(p.odds * 10)) == tenth]
        if found:
            said, came = (sum(v) / len(found) for v in ([p.odds for p in found], [p.breached for p in found]))
            tenths.append(Tenth(len(found), len({p.clock for p in found}), said, came))
    return Outcome(
        count,
        brier([p.odds for p in predictions]),
        brier([p.rate for p in predictions]),
        brier([p.share for p in predictions]),
        max((t.gap for t in tenths if t.clocks >= ENOUGH), default=math.nan),
        tenths,
    )

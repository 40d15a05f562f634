"""What acting won against not acting: time until the milestone, and the share that reached it, with an interval.

Both arms are Kaplan-Meier curves up to a horizon; the area under one (restricted mean, Royston and Parmar 2013) is the
mean time still waited. Curves are drawn cell by cell and averaged: where slow cells are acted on more, their twins are
watched for less long, and a curve of all together would lean to the quick ones. Twins of one act share its weight.

The interval is a percentile bootstrap over orders, seeded: a cell gives all its members, or a random part of them, not
its nearest few, so the objection of Abadie and Imbens (2008) to bootstrapping matched samples does not apply.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tower.value.match import MOST_TREATED, Pairs
from tower.value.spells import Floats, Ints

REPLICATES = 500
LEAST_TREATED, LEAST_TWINS, LEAST_SHARE = 20, 20, 0.5
_BATCH = 50


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float

    def times(self, factor: float) -> Estimate:
        """Return it in another unit."""
        ends = sorted((self.low * factor, self.high * factor))
        return Estimate(self.value * factor, *ends)


@dataclass(frozen=True, slots=True)
class Effect:
    """saved_s: seconds an act won on average within the horizon; moved: by how much more moved in it."""

    saved_s: Estimate
    moved: Estimate
    moved_treated: float
    moved_twins: float


def thin(pairs: Pairs) -> str:
    """Return why these pairs carry no figure and what would be needed; '' if they do."""
    if not pairs.eligible:
        waiting = f"; the time of {pairs.too_fresh} is not over" if pairs.too_fresh else ""
        return f"nobody acted on anything stuck whose effect could be seen by now{waiting}"
    matched, twins = len(np.unique(pairs.order)), pairs.twins
    if matched < LEAST_TREATED:
        return f"{matched} orders that were acted on found twins; {LEAST_TREATED} are needed"
    if twins < LEAST_TWINS:
        return f"the untreated twins are of {twins} orders; {LEAST_TWINS} are needed"
    if len(pairs) < LEAST_SHARE * min(pairs.eligible, MOST_TREATED):
        return f"{len(pairs)} of {pairs.eligible} acts found twins; {LEAST_SHARE:.0%} of them are needed"
    return ""


def effect(pairs: Pairs, horizon_s: float, seed: int = 0) -> Effect:
    """Return what the acts won. There must be pairs; `thin` says whether they suffice."""
    rng = np.random.default_rng(seed)
    orders, places = np.unique(np.concatenate([pairs.order, pairs.twin_order]), return_inverse=True)
    own, theirs = places[: len(pairs)], places[len(pairs) :]
    starts = np.flatnonzero(np.diff(pairs.of, prepend=-1))
    point = _arms(pairs, horizon_s, np.ones((1, len(orders))), own, theirs, starts)[:, 0]
    drawn: list[Floats] = []
    for _ in range(REPLICATES // _BATCH):
        counts = rng.multinomial(len(orders), np.full(len(orders), 1 / len(orders)), size=_BATCH)
        drawn.append(_arms(pairs, horizon_s, counts.astype(np.float64), own, theirs, starts))
    all_drawn = np.concatenate(drawn, axis=1)
    saved = _estimate(point[2] - point[0], all_drawn[2] - all_drawn[0])
    moved = _estimate(point[3] - point[1], all_drawn[3] - all_drawn[1])
    return Effect(saved, moved, 1 - float(point[1]), 1 - float(point[3]))


def _estimate(value: float, drawn: Floats) -> Estimate:
    known = drawn[np.isfinite(drawn)]
    low, high = np.quantile(known, [0.025, 0.975]) if len(known) else (np.nan, np.nan)
    return Estimate(float(value), float(low), float(high))


def _arms(pairs: Pairs, horizon_s: float, counts: Floats, own: Ints, theirs: Ints, starts: Ints) -> Floats:
    """Return rows: mean wait and share still waiting of the treated, the same of the twins; a column a replicate.

    counts: how often each order was drawn. The twins of an act have together the weight of the act; an act whose twins
    were not drawn is left out with them.
    """
    twin = counts[:, theirs]
    together = np.add.reduceat(twin, starts, axis=1)
    act = np.where(together > 0, counts[:, own], 0.0)
    share = np.divide(act, together, out=np.zeros_like(act), where=together > 0)
    weight = twin * share[:, pairs.of]
    total = np.maximum(act.sum(axis=1), 1e-12)
    arms = np.zeros((4, len(counts)))
    for cell in np.unique(pairs.cell):
        own_part, twin_part = pairs.cell == cell, pairs.cell[pairs.of] == cell
        part = act[:, own_part].sum(axis=1) / total
        arms[:2] += part * restricted_mean(pairs.time[own_part], pairs.event[own_part], act[:, own_part], horizon_s)
        arms[2:] += part * restricted_mean(
            pairs.twin_time[twin_part], pairs.twin_event[twin_part], weight[:, twin_part], horizon_s
        )
    return arms


def restricted_mean(time: Floats, event: Floats, weight: Floats, horizon_s: float) -> Floats:
    """Return area and height at the horizon of the Kaplan-Meier curve, one of each for a row of weights.

    time: seconds until the event or the end of watching; event: 1 where it came, 0 where watching ended.
    """
    order = np.lexsort((-event, time))
    time, event, weight = time[order], event[order], weight[:, order]
    at_risk = np.cumsum(weight[:, ::-1], axis=1)[:, ::-1]
    lost = np.divide(weight * event, at_risk, out=np.zeros_like(weight), where=at_risk > 0)
    counted = (time <= horizon_s).astype(np.float64)
    standing = np.cumprod(1 - np.clip(lost * counted, 0, 1), axis=1)
    before = np.concatenate([np.ones((len(weight), 1)), standing], axis=1)
    edges = np.concatenate([[0.0], np.minimum(time, horizon_s), [horizon_s]])
    return np.stack([(before * np.diff(edges)).sum(axis=1), before[:, -1]])

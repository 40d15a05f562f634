"""Finds each act its untreated twins: what was stuck at the same age, and nobody had acted on it by then.

Risk-set matching (Li, Propert and Rosenbaum 2001) within coarsened cells (Iacus, King and Porro 2012): stage, system,
band of value and part of the week are equal; the age is equal because a twin is looked at when it was just as old. A
twin that is acted on later counts until then. docs/value.md says what this can and cannot show.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tower.value.spells import Floats, Ints, Spells, part_of_week

MOST_TWINS = 10  # a treated spell takes so many of its twins, drawn by a seed
LOOKED_AT = 400  # of those stuck and untouched at its age, before the part of the week is asked
MOST_TREATED = 1500
_STEP_S = 1e-3  # what ends within the store's own precision of the act ended before it


@dataclass(frozen=True)
class Pairs:
    """Treated spells that found twins, and one entry for each twin. Times are seconds since the act, or since that age.

    of: which treated spell a pair belongs to; pairs lie in its order. eligible: acts that could have been matched.
    cell: number of the stage, system and band of a treated spell.
    """

    eligible: int
    too_fresh: int  # acts whose horizon is not over
    not_stuck: int  # acts on what was not stuck, or had moved already when they were done
    order: Ints
    cell: Ints
    time: Floats
    event: Floats
    amount: Floats
    of: Ints
    twin_order: Ints
    twin_time: Floats
    twin_event: Floats

    def __len__(self) -> int:
        return len(self.order)

    @property
    def twins(self) -> int:
        """How many orders the twins are of."""
        return len(np.unique(self.twin_order))


def match(
    spells: Spells, acted: tuple[float, float], horizon_s: float, as_of: float, zone: str = "UTC", seed: int = 0
) -> Pairs:
    """Return the acts within [acted) with their twins; instants are seconds since the epoch. Equal seeds draw alike."""
    rng = np.random.default_rng(seed)
    moment = spells.opened + spells.treated
    done = np.isfinite(moment) & (moment >= acted[0]) & (moment < acted[1])
    stuck = done & (spells.treated >= 0) & (spells.end > spells.treated + _STEP_S)
    ripe = stuck & (moment + horizon_s <= as_of)
    chosen = np.flatnonzero(ripe)
    eligible = len(chosen)
    if eligible > MOST_TREATED:
        chosen = np.sort(rng.choice(chosen, MOST_TREATED, replace=False))
    free_until = np.minimum(spells.end, spells.treated)
    members = _cells(spells)
    number = {key: place for place, key in enumerate(members)}
    found: list[int] = []
    twins: list[Ints] = []
    for i in chosen:
        age = spells.treated[i]
        pool = members[_key(spells, int(i))]
        pool = pool[(free_until[pool] > age + _STEP_S) & (spells.order[pool] != spells.order[i])]
        if len(pool) > LOOKED_AT:
            pool = np.sort(rng.choice(pool, LOOKED_AT, replace=False))
        if len(pool):
            part = part_of_week(np.append(spells.opened[pool], spells.opened[i]) + age, zone)
            pool = pool[part[:-1] == part[-1]]
        if len(pool) > MOST_TWINS:
            pool = np.sort(rng.choice(pool, MOST_TWINS, replace=False))
        if len(pool):
            found.append(int(i))
            twins.append(pool)
    treated = np.array(found, dtype=np.int64)
    of = np.repeat(np.arange(len(twins)), [len(t) for t in twins])
    flat = np.concatenate(twins) if twins else np.array([], dtype=np.int64)
    ages = spells.treated[treated][of] if len(of) else np.array([], dtype=np.float64)
    return Pairs(
        eligible,
        int((stuck & ~ripe).sum()),
        int((done & ~stuck).sum()),
        spells.order[treated],
        np.array([number[_key(spells, i)] for i in found], dtype=np.int64),
        spells.end[treated] - spells.treated[treated],
        spells.reached[treated].astype(np.float64),
        spells.amount[treated],
        of,
        spells.order[flat],
        free_until[flat] - ages,
        (spells.reached[flat] & (spells.end[flat] <= spells.treated[flat])).astype(np.float64),
    )


_Key = tuple[str, str, int]


def _key(spells: Spells, place: int) -> _Key:
    return spells.stage[place], spells.system[place], int(spells.band[place])


def _cells(spells: Spells) -> dict[_Key, Ints]:
    """Return the spells of each cell by their places."""
    cells: dict[_Key, list[int]] = {}
    for place in range(len(spells)):
        cells.setdefault(_key(spells, place), []).append(place)
    return {key: np.array(places, dtype=np.int64) for key, places in cells.items()}

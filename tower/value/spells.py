"""What was stuck, for how long, and whether somebody acted: the rows of value_spells.sql as columns of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tower.store.sql import load
from tower.value.ground import Ground, Window

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_HOURS = 8  # a day has three parts, on working days and at the weekend


@dataclass(frozen=True)
class Spells:
    """Columns of equal length, one entry a spell. Seconds: since the epoch, or as it says."""

    order: Ints
    stage: NDArray[np.object_]
    system: NDArray[np.object_]
    opened: Floats
    end: Floats  # since opening
    reached: NDArray[np.bool_]  # whether it ended with its milestone
    treated: Floats  # since opening; infinite where nobody acted
    amount: Floats  # in the reporting currency; NaN without one

    def __len__(self) -> int:
        return len(self.order)

    def where(self, chosen: NDArray[np.bool_]) -> Spells:
        """Return some of them."""
        return Spells(*(getattr(self, f.name)[chosen] for f in fields(self)))

    @cached_property
    def band(self) -> Ints:
        """The power of ten of the amount, from hundreds up to millions; -1 without an amount."""
        known = np.isfinite(self.amount)
        floor = np.floor(np.log10(np.maximum(np.where(known, np.abs(self.amount), 1.0), 1.0)))
        return np.where(known, np.clip(floor, 2, 6), -1).astype(np.int64)


def read_spells(ground: Ground, window: Window) -> Spells:
    """Return the spells that opened within a window, as the moment of the ground shows them."""
    sql = load("value_spells").replace("$orders", ground.orders).replace("$breaches", ground.breaches)
    rows = ground.client.query(sql, parameters=ground.bound(window)).result_rows
    return spells_of(rows)


def spells_of(rows: Sequence[Sequence[Any]]) -> Spells:
    """Return rows (order_no, stage, system, opened_at, end_at, reached, treated_at, amount) as columns."""
    columns: list[Any] = list(zip(*rows, strict=True)) or [()] * 8
    opened = _seconds(columns[3])
    treated = np.array([np.inf if t is None else t.timestamp() for t in columns[6]], dtype=np.float64)
    return Spells(
        np.array(columns[0], dtype=np.uint64).view(np.int64),
        np.array(columns[1], dtype=object),
        np.array(columns[2], dtype=object),
        opened,
        _seconds(columns[4]) - opened,
        np.array(columns[5], dtype=bool),
        treated - opened,
        np.array([np.nan if a is None else a for a in columns[7]], dtype=np.float64),
    )


def _seconds(instants: Sequence[datetime]) -> Floats:
    return np.array([t.timestamp() for t in instants], dtype=np.float64)


def part_of_week(seconds: Floats, zone: str) -> Ints:
    """Return in which of six parts of the week instants lie: thirds of a day, on working days and at the weekend."""
    import pandas as pd  # here, since a start of the tower need not wait for it

    # Whole seconds are enough, and arrays of numbers spare the care that series take of each step.
    instants = pd.DatetimeIndex(np.floor(seconds).astype(np.int64).astype("datetime64[s]"))
    local = instants.tz_localize("UTC").tz_convert(zone)
    return np.asarray(local.hour, np.int64) // _HOURS + 3 * (np.asarray(local.day_of_week) >= 5)

"""The baseline: figures of a window before the tower went live, locked once, compared with for ever."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from clickhouse_connect.driver.client import Client

from tower.store.client import Store
from tower.store.sql import load
from tower.value.figure import Told, shown
from tower.value.ground import Window
from tower.value.metrics import METRICS

LANE = "value"  # the tables of figures have a write client of their own


@dataclass(frozen=True, slots=True)
class Baseline:
    """One locked window. figures: JSON, as they were told when it was locked."""

    baseline_id: str
    locked_at: datetime
    locked_by: str
    reason: str
    since: datetime
    until: datetime
    currency: str
    book: str
    figures: str

    @property
    def window(self) -> Window:
        """The window it is about."""
        return Window(self.since, self.until)

    @property
    def told(self) -> dict[str, dict[str, Any]]:
        """The figures by id."""
        return msgspec.json.decode(self.figures, type=dict[str, dict[str, Any]])

    def json(self) -> dict[str, Any]:
        """Return it as the API tells it, without its figures: those stand beside the present ones."""
        names = ("baseline_id", "locked_at", "locked_by", "reason", "since", "until", "currency", "book")
        return {name: shown(getattr(self, name)) for name in names}


_COLUMNS = [f.name for f in fields(Baseline)]


def read_baseline(client: Client, known_at: datetime) -> Baseline | None:
    """Return the baseline that counted at a moment."""
    rows = client.query(load("value_baseline"), parameters={"known_at": known_at}).result_rows
    return Baseline(*rows[0]) if rows else None


def write_baseline(store: Store, baseline: Baseline) -> None:
    """Lock it; synced on return."""
    with store.writer(LANE) as client:
        client.insert("value_baselines", [[getattr(baseline, c) for c in _COLUMNS]], column_names=_COLUMNS)


def against(figures: dict[str, dict[str, Any]], before: Mapping[str, Mapping[str, Any]]) -> None:
    """Put the baseline's value and the change since into each figure that has both.

    Shares change in points, everything else in parts of the baseline; what was nought then has no relative change.
    """
    for metric in METRICS:
        now, then = figures[metric.id], before.get(metric.id)
        if then is None:
            continue
        change = None
        if now["value"] is not None and then.get("value") is not None:
            was, is_now = float(then["value"]), float(now["value"])
            if metric.unit == "share":
                change = is_now - was
            elif was:
                change = is_now / was - 1
        now["baseline"] = {"value": then.get("value"), "counts": then.get("counts"), "refused": then.get("refused")}
        now["change"] = {"value": shown(change), "in": "points" if metric.unit == "share" else "parts"}


def told_of(figure: Mapping[str, Any]) -> Told:
    """Return what a stored figure told, enough to reckon on with."""
    inputs = dict(figure.get("inputs") or {})
    value = figure.get("value")
    return Told(
        None if value is None else Decimal(str(value)), inputs, figure.get("counts") or {}, figure.get("refused", "")
    )


def restated(figures: Mapping[str, Mapping[str, Any]], before: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the figures of the baseline's window that read differently today, each as locked and as now."""
    changed: dict[str, Any] = {}
    for name, locked in before.items():
        today = figures.get(name)
        if today is not None and today.get("value") != locked.get("value"):
            changed[name] = {"locked": locked.get("value"), "today": today.get("value")}
    return changed

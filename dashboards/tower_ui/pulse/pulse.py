"""Mounts the age line."""

from __future__ import annotations

from datetime import datetime, tzinfo
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from dashboards.tower_ui import fmt, theme
from dashboards.tower_ui.client import Snapshot

_HERE = Path(__file__).parent
STALE_S = 15.0
DEAD_S = 30.0
STILL_S = 1e9


@cache
def _component() -> Any:
    return st.components.v2.component(
        "tower.pulse",
        html='<div class="pulse"></div>',
        css=f".pulse{{{theme.variables('')}}}" + (_HERE / "pulse.css").read_text(encoding="utf-8"),
        js=(_HERE / "pulse.js").read_text(encoding="utf-8"),
    )


def payload(snapshot: Snapshot[Any], *, now: datetime, tz: tzinfo, every: float, big: bool = False) -> dict[str, Any]:
    """Return what the line needs to count on its own. every 0: the page stands still, and its age is no fault."""
    at = snapshot.at
    still = every == 0 and at is not None
    return {
        "at": None if at is None else int(at.timestamp() * 1000),
        "now": int(now.timestamp() * 1000),
        "time": fmt.clock(at, tz),
        "zone": fmt.zone_name(tz, at or now),
        "every": "" if still else f"{every:g}",
        "took": snapshot.took_ms,
        "error": bool(snapshot.error),
        "staleAfter": STILL_S if still else max(STALE_S, 3 * every) if not big else STALE_S,
        "deadAfter": STILL_S if still else max(DEAD_S, 4 * every) if not big else STALE_S,
        "big": big,
    }


def pulse(
    snapshot: Snapshot[Any],
    *,
    now: datetime,
    tz: tzinfo,
    every: float,
    key: str = "pulse",
    big: bool = False,
) -> None:
    """Draw the line."""
    data = payload(snapshot, now=now, tz=tz, every=every, big=big)
    _component()(key=key, data=data)

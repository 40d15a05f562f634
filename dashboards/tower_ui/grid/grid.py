"""Mounts the table and turns what happened in the browser into one typed gesture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from dashboards.tower_ui import theme

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Seen:
    """A row as the person saw it: its id and the version on their screen."""

    id: str
    version: str


@dataclass(frozen=True, slots=True)
class Gesture:
    """One click or key. kind: retry (one row), ask or say (a selection: retry it, or by hand), open.

    `click` is its own id, for idempotency.
    """

    kind: str
    click: str
    rows: tuple[Seen, ...]


@cache
def _component() -> Any:
    return st.components.v2.component(
        "tower.grid",
        html='<div class="root"></div>',
        css=f".root{{{theme.variables('')}}}" + (_HERE / "grid.css").read_text(encoding="utf-8"),
        js=(_HERE / "grid.js").read_text(encoding="utf-8"),
    )


def grid(payload: dict[str, Any], *, key: str, on_gesture: Callable[[Gesture], None]) -> None:
    """Draw the table; on_gesture runs before the page does, for each gesture, and more than once for one that was
    repeated on the way: its click says so."""

    def arrived() -> None:
        for gesture in read_gestures(getattr(st.session_state.get(key), "gestures", None)):
            on_gesture(gesture)

    _component()(key=key, data=payload, on_gestures_change=arrived)


def read_gestures(value: Any) -> list[Gesture]:
    """Return the gestures in what the browser sent, in their order; what is none is left out."""
    if not isinstance(value, list):
        return []
    return [g for g in map(_gesture, value) if g is not None]


def _gesture(value: Any) -> Gesture | None:
    if not isinstance(value, dict) or value.get("kind") not in ("retry", "ask", "say", "open"):
        return None
    rows = value.get("rows")
    click = value.get("click")
    if not isinstance(rows, list) or not isinstance(click, str) or not 8 <= len(click) <= 64:
        return None
    seen = [Seen(r["id"], r["version"]) for r in rows if _is_row(r)]
    return Gesture(value["kind"], click, tuple(seen)) if seen and len(seen) == len(rows) else None


def _is_row(row: Any) -> bool:
    return isinstance(row, dict) and isinstance(row.get("id"), str) and isinstance(row.get("version"), str)

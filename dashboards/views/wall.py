"""The screen on the wall: four figures, the stages, the seven worst orders. Nothing to click, read at three metres."""

from __future__ import annotations

from functools import cache
from html import escape
from pathlib import Path

import pandas as pd
import streamlit as st

from dashboards.settings import settings
from dashboards.tower_ui import flow_model, fmt, page
from dashboards.tower_ui.board_model import Filters, text_column
from dashboards.tower_ui.flow_model import Stage
from dashboards.tower_ui.grid.payload import NO_ERROR
from dashboards.tower_ui.page import Here

ROWS = 7
TILES = 7


def show() -> None:
    """Draw the page."""
    st.html(f"<style>{_css()}</style>")
    page.live(_draw, settings().refresh_s)


@cache
def _css() -> str:
    return Path(__file__).with_suffix(".css").read_text(encoding="utf-8")


def _draw(here: Here) -> None:
    snapshot = here.api.board(here.viewer, Filters().params(ROWS))
    st.html(f'<div class="w-title">Order-to-cash · stuck orders <span>{escape(here.zone)}</span></div>')
    here.pulse(snapshot, every=here.settings.refresh_s, big=True)
    board = snapshot.data
    if board is None:
        st.html(f'<div class="w-none">No data yet<small>{escape(snapshot.error or "Asking the tower …")}</small></div>')
        return
    late, failing = (_count(here, s) for s in ("late", "failing"))
    figures = [
        ("Stuck orders", fmt.count(board.total), "text"),
        ("Value at risk", fmt.money_short(board.value_total, page.currency(here)), "text"),
        (f"{fmt.state_mark('late')} Late", fmt.count(late), "late" if late else "text"),
        (f"{fmt.state_mark('failing')} Failing", fmt.count(failing), "failing" if failing else "text"),
    ]
    st.html(
        '<div class="w-figures">'
        + "".join(
            f'<div class="w-box"><div class="w-label">{n}</div>'
            f'<div class="w-big" style="color:var(--t-{t})">{v}</div></div>'
            for n, v, t in figures
        )
        + "</div>"
    )
    _tiles(here)
    if board.total == 0:
        st.html('<div class="w-none">Everything is moving</div>')
        return
    st.html(_table(here, _worst(here)))


def _count(here: Here, state: str) -> int:
    found = here.api.json(here.viewer, "/v1/orders", Filters().count_params(state)).data or {}
    return int(found.get("total") or 0)


def _tiles(here: Here) -> None:
    """Draw the stages with most stuck, in process order."""
    stages = flow_model.read_stages(here.api.json(here.viewer, "/v1/stages").data or {})
    chosen = {s.id for s in sorted(stages, key=lambda s: -s.stuck)[:TILES]}
    shown = [s for s in stages if s.id in chosen]
    most = max((s.stuck for s in shown), default=0)
    cells = [
        f'<div class="w-tile" style="--c:var(--t-{_tint(s, most)})">'
        f'<div class="w-label">{escape(s.label)}</div><div class="w-mid">{fmt.count(s.stuck)}</div>'
        f'<div class="w-small">{fmt.money_short(s.value, page.currency(here)) if s.stuck else "moving"}</div></div>'
        for s in shown
    ]
    st.html(f'<div class="w-tiles" style="--n:{max(1, len(shown))}">{"".join(cells)}</div>')


def _tint(stage: Stage, most: int) -> str:
    if not stage.stuck:
        return "groove"
    return "failing" if stage.stuck == most else "late"


def _worst(here: Here) -> pd.DataFrame:
    """Return the failing orders worth most, and late ones where there are not enough."""
    frames = []
    for view in ("failing", "late", "diverging"):
        found = here.api.board(here.viewer, Filters(view=view).params(ROWS)).data
        if found is not None and len(found.frame):
            frames.append(found.frame)
        if sum(map(len, frames)) >= ROWS:
            break
    return pd.concat(frames, ignore_index=True).head(ROWS) if frames else pd.DataFrame()


def _table(here: Here, frame: pd.DataFrame) -> str:
    """Return the worst orders; only what helps a person across the room to say which one and why."""
    labels = page.labels(here)
    columns = {n: text_column(frame, n) for n in ("order_id", "state", "customer_id", "stage", "error")}
    rows = []
    for i in range(min(ROWS, len(frame))):
        since = fmt.instant(frame["since"].iloc[i].to_pydatetime()) if frame["since"].notna().iloc[i] else None
        state = columns["state"][i]
        age = fmt.duration((here.now - since).total_seconds()) if since else fmt.NONE
        value = fmt.money_short(fmt.decimal(frame["value_at_risk"].iloc[i]), page.currency(here))
        stage = labels.get(columns["stage"][i], fmt.words(columns["stage"][i]))
        cells = [
            f'<td class="w-mark" style="color:var(--t-{escape(state)})">{fmt.state_mark(state)}</td>',
            f"<td>{escape(columns['order_id'][i])}</td>",
            f'<td class="w-r">{escape(value)}</td><td class="w-r">{escape(age)}</td>',
            f"<td>{escape(columns['customer_id'][i])}</td><td>{escape(stage)}</td>",
            f"<td>{escape(columns['error'][i] or NO_ERROR)}</td>",
        ]
        rows.append(f"<tr>{''.join(cells)}</tr>")
    head = "".join(
        f'<th class="{c}">{t}</th>'
        for t, c in (
            ("", "w-mark"),
            ("Order", ""),
            ("Value", "w-r"),
            ("Waiting", "w-r"),
            ("Customer", ""),
            ("Stuck in", ""),
            ("Error", ""),
        )
    )
    inside = f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody>"
    return f'<table class="w-table" aria-label="Worst orders">{inside}</table>'

"""Where orders sit: each stage in process order, what passed and what stuck, and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from html import escape

import streamlit as st

from dashboards.settings import settings
from dashboards.tower_ui import charts, flow_model, fmt, moment, page, widgets
from dashboards.tower_ui.board_model import address
from dashboards.tower_ui.flow_model import Stage
from dashboards.tower_ui.page import Here

EVERY_S = 2 * settings().refresh_s
PLOT = {"displayModeBar": False, "scrollZoom": False}


def show() -> None:
    """Draw the page."""
    page.who(page.here().viewer)
    with st.container(horizontal=True, vertical_alignment="center", key="flowhead"):
        st.title("Flow map", anchor=False, width="content")
        unit = st.segmented_control(
            "Count",
            ["orders", "value"],
            default="orders",
            required=True,
            key="unit",
            bind="query-params",
            format_func=str.capitalize,
            label_visibility="collapsed",
        )
        moment.picker(page.here())
    at = moment.wanted()
    if at is not None:
        moment.banner(page.here(), at)
    page.live(_draw, EVERY_S, unit == "value", at)


def _draw(here: Here, value: bool, at: datetime | None) -> None:
    with moment.patience(at):
        snapshot = here.api.json(here.viewer, "/v1/stages", moment.query(at), within_s=moment.kept_s(at))
    if at is None:
        here.pulse(snapshot, every=EVERY_S)
    if not widgets.banner(snapshot, now=here.now, tz=here.tz, what="stages"):
        return
    assert snapshot.data is not None
    currency = page.currency(here)
    stages = flow_model.read_stages(snapshot.data)
    if not stages:
        widgets.empty("No stages", "The rulebook in force declares none.")
        return
    _stage_cards(stages, value, currency)
    widgets.heading(
        "Last 24 h, and what is stuck on the way",
        "blue: passed each stage · branches: stuck there now, the largest red",
    )
    flows = flow_model.flows(stages, value=value, currency=currency)
    st.plotly_chart(charts.sankey(flows, here.tokens), key="sankey", theme=None, config=PLOT)
    left, right = st.columns(2, gap="medium")
    with left:
        widgets.heading(f"Stuck {'value' if value else 'clocks'} by time stuck", "a cell opens its stage")
        st.html(_heat(stages, value, currency))
    with right:
        widgets.heading("By system", "stuck orders, most first")
        _systems(here, currency, at)


def _board(**narrowed: str) -> str:
    """Return the link to the board of the same moment."""
    return page.path("", **narrowed, **moment.query(moment.wanted()))


def _stage_cards(stages: list[Stage], value: bool, currency: str) -> None:
    worst = max((s.stuck for s in stages), default=0)
    labels = {s.id: s.label for s in stages}
    cells = []
    for s in stages:
        figure = fmt.money_short(s.value, currency) if value else fmt.count(s.stuck)
        tone = "failing" if s.stuck and s.stuck == worst else "late" if s.stuck else "muted"
        parts = [f"{fmt.state_mark(k)} {s.counts[k]:,}" for k in fmt.STUCK if s.counts[k]]
        spoken = ", ".join(f"{s.counts[k]:,} {fmt.state_word(k).lower()}" for k in fmt.STUCK if s.counts[k])
        sub = "\u2002".join(parts) or "nothing stuck"
        age = f"p90 {fmt.duration(s.p90_age_s)}" if s.stuck else f"{fmt.count(s.completed_24h)} passed in 24 h"
        where = _board(**address(labels, stage=s.id))
        cells.append(
            f'<a class="t-card" data-go="1" href="{escape(where)}" title="{escape(s.label)}: {escape(spoken or sub)}">'
            f'<div class="t-label">{escape(s.label)}</div>'
            f'<div class="t-value" style="color:var(--t-{tone})">{escape(figure)}</div>'
            f'<div class="t-sub">{escape(sub)}</div>'
            f'<div class="t-sub">{escape(age)}<span class="t-open">Open →</span></div></a>'
        )
    per_row = len(cells) if len(cells) <= 8 else -(-len(cells) // -(-len(cells) // 8))
    st.html(f'<div class="t-cards" style="--n:{per_row}">{"".join(cells)}</div>')


def _heat(stages: list[Stage], value: bool, currency: str) -> str:
    """Return stage x time stuck as a table whose cells are links; darker means more."""
    labels = [label for label, _, _ in next((s.buckets for s in stages if s.buckets), ())]
    amounts = [float(b[2] or 0) if value else float(b[1]) for s in stages for b in s.buckets]
    top = max(amounts, default=0.0) or 1.0
    address_of = {s.id: s.label for s in stages}
    head = "".join(f'<th class="center" scope="col">{escape(label)}</th>' for label in labels)
    body = []
    for s in stages:
        cells = []
        for label, clocks, worth in s.buckets:
            amount = float(worth or 0) if value else float(clocks)
            text = (fmt.money_short(worth, currency) if value else fmt.count(clocks)) if clocks else "·"
            share = round(8 + 80 * (amount / top) ** 0.6) if clocks else 0
            where = _board(**address(address_of, stage=s.id, sort="longest"))
            cells.append(
                f'<td><a class="t-heat" data-go="1" href="{escape(where)}" style="--share:{share}%" '
                f'title="{escape(s.label)}, {escape(label)}: {clocks:,}">{escape(text)}</a></td>'
            )
        body.append(f'<tr><th class="left" scope="row">{escape(s.label)}</th>{"".join(cells)}</tr>')
    inside = f"<thead><tr><th></th>{head}</tr></thead><tbody>{''.join(body)}</tbody>"
    return f'<table class="t-heatmap" aria-label="Stuck by stage and time">{inside}</table>'


def _systems(here: Here, currency: str, at: datetime | None) -> None:
    groups = (here.api.json(here.viewer, "/v1/groups", moment.query(at), within_s=moment.kept_s(at)).data or {}).get(
        "groups"
    ) or ()
    rows = flow_model.by_system(groups)
    if not rows:
        widgets.empty("Everything is moving", "No system holds a stuck order.")
        return
    labels = page.labels(here)
    most = max(r[2] for r in rows)
    cells = [
        [
            _link(labels, stage, system),
            escape(fmt.system(system)),
            f'<div class="t-bar"><i style="width:{100 * number / most:.0f}%"></i><span>{number:,}</span></div>',
            fmt.money_full(value, currency),
        ]
        for stage, system, number, value in rows
    ]
    headers = [("Stage", "left"), ("System", "left"), ("Stuck orders", "left"), ("Value at risk", "right")]
    st.html(widgets.table(headers, cells, label="Stuck orders by stage and system"))


def _link(labels: Mapping[str, str], stage: str, system: str) -> str:
    where = _board(**address(labels, stage=stage, system=system))
    return f'<a data-go="1" href="{escape(where)}">{escape(labels.get(stage, fmt.words(stage)))}</a>'

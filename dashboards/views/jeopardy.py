"""What the odds rest on: whether they have been right so far, and how long steps take."""

from __future__ import annotations

from html import escape

import streamlit as st

from dashboards.tower_ui import fmt, page, widgets
from dashboards.tower_ui.jeopardy_model import Outcome, curve_rows, read_outcomes
from dashboards.tower_ui.page import Here
from dashboards.tower_ui.reliability import reliability
from dashboards.tower_ui.widgets import Card

EVERY_S = 30.0
PLOT = {"displayModeBar": False, "scrollZoom": False}


def show() -> None:
    """Draw the page."""
    page.who(page.here().viewer)
    st.title("Jeopardy", anchor=False)
    page.live(_draw, EVERY_S)


def _draw(here: Here) -> None:
    snapshot = here.api.json(here.viewer, "/v1/jeopardy")
    here.pulse(snapshot, every=EVERY_S)
    if not widgets.banner(snapshot, now=here.now, tz=here.tz, what="odds"):
        return
    body = snapshot.data or {}
    labels = page.labels(here)
    outcomes = read_outcomes(body)
    _outcomes(here, outcomes, labels)
    built = fmt.moment(fmt.instant(body.get("built_at")), here.tz, here.now)
    days = fmt.count(body.get("window_days"))
    widgets.heading("How long steps take", f"open time · clocks of the last {days} days · as of {built} {here.zone}")
    rows = curve_rows(body, labels)
    if not rows:
        widgets.note("info", "No clock has stopped yet.", "Odds appear once some have; the first look comes at once.")
        return
    headers = [
        ("Stage", "left"), ("Priority / type / warehouse", "left"), ("Cases", "right"), ("Stopped", "right"),
        ("Half by", "right"), ("Nine of ten by", "right"), ("Allowed", "right"), ("Take longer", "right"),
    ]  # fmt: skip
    st.html(widgets.table(headers, [[escape(c) for c in row] for row in rows], label="Curves"))


def _outcomes(here: Here, outcomes: list[Outcome], labels: dict[str, str]) -> None:
    whole = outcomes[0] if outcomes else None
    if whole is None or not whole.settled:
        waiting = whole.waiting if whole is not None else 0
        text = (
            f"{fmt.plural(waiting, 'prediction')} without an outcome yet." if waiting else "Nothing is predicted yet."
        )
        how = "Odds are written down as each quarter of a step's time begins, and settled when it ends."
        widgets.note("info", text, how)
        return
    names = {o.rule: labels.get(o.rule, fmt.words(o.rule)) if o.rule else "All stages" for o in outcomes}
    chosen = st.selectbox(
        "Stage", list(names), format_func=names.__getitem__, key="stage", width=320, label_visibility="collapsed"
    )
    found = next((o for o in outcomes if o.rule == chosen), whole)
    better = found.brier is not None and found.brier_mean is not None and found.brier < found.brier_mean
    counted = f"{fmt.count(found.breached)} breached, {fmt.count(found.waiting)} open"
    gap = fmt.NONE if found.worst_gap is None else f"{found.worst_gap * 100:.1f} pt"
    widgets.cards(
        [
            Card("Predictions", fmt.count(found.settled), counted),
            Card("Error of the odds", _score(found.brier), "Brier score: 0 is perfect"),
            Card("Of the stage's rate", _score(found.brier_mean), "the odds do better" if better else "no worse"),
            Card("Of the 75 % rule", _score(found.brier_share), "at risk from three quarters on"),
            Card("Largest gap", gap, "between said and come"),
        ]
    )
    widgets.heading("Said and come", "on the line the odds are right · pale: too few to tell")
    figure = reliability(found.tenths, here.tokens)
    st.plotly_chart(figure, key="reliability", theme=None, config=PLOT, width=560)


def _score(value: float | None) -> str:
    return fmt.NONE if value is None else f"{value:.3f}"

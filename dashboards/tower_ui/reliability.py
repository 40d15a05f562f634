"""The reliability plot: what was said against what came. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from dashboards.tower_ui.charts import FONT
from dashboards.tower_ui.jeopardy_model import ENOUGH, Tenth
from dashboards.tower_ui.theme import Tokens


def reliability(tenths: Sequence[Tenth], tokens: Tokens) -> go.Figure:
    """Return a point for each tenth of the odds; on the line they are right. Pale: too few predictions to tell."""
    figure = go.Figure()
    figure.add_trace(
        go.Scatter(
            x=[0, 1], y=[0, 1], mode="lines", line={"color": tokens.muted, "dash": "dot", "width": 1}, hoverinfo="skip"
        )
    )
    figure.add_trace(
        go.Scatter(
            x=[t.predicted for t in tenths],
            y=[t.breached for t in tenths],
            mode="lines+markers",
            line={"color": tokens.accent, "width": 1},
            marker={
                "size": [min(26, 7 + t.predictions**0.4) for t in tenths],
                "color": tokens.accent,
                "opacity": [1.0 if t.predictions >= ENOUGH else 0.35 for t in tenths],
                "line": {"width": 0},
            },
            hovertext=[t.told for t in tenths],
            hoverinfo="text",
        )
    )
    axis = {
        "range": [-0.03, 1.03], "tickformat": ".0%", "dtick": 0.2, "fixedrange": True, "zeroline": False,
        "gridcolor": tokens.hair, "tickfont": {"color": tokens.muted, "size": 12},
    }  # fmt: skip
    figure.update_xaxes(**axis, title={"text": "said", "font": {"color": tokens.muted, "size": 12}})
    figure.update_yaxes(**axis, title={"text": "breached", "font": {"color": tokens.muted, "size": 12}})
    figure.update_layout(
        height=360,
        margin={"l": 60, "r": 12, "t": 8, "b": 44},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "color": tokens.text, "size": 13},
        hoverlabel={"bgcolor": tokens.raised, "font": {"color": tokens.text, "family": FONT}},
        showlegend=False,
        dragmode=False,
    )
    return figure

"""A figure over time, before and after the baseline. A pure function from values to a chart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

import plotly.graph_objects as go

from dashboards.tower_ui import charts, value_model
from dashboards.tower_ui.theme import Tokens


def course(
    times: Sequence[datetime],
    values: Sequence[float | None],
    *,
    unit: str,
    currency: str,
    baseline: float | None,
    go_live: datetime | None,
    tz: tzinfo,
    tokens: Tokens,
    height: int = 190,
) -> go.Figure:
    """Return a line from nought up, gaps where there is no figure, the baseline as a level and its end as a mark."""
    figure = charts.base(tokens, height=height, left=62, right=10)
    local = [charts.local(at, tz) for at in times]
    scale = 100 if unit == "share" else 1
    figure.add_trace(
        go.Scatter(
            x=local,
            y=[None if v is None else v * scale for v in values],
            mode="lines+markers",
            connectgaps=False,
            line={"color": tokens.accent, "width": 2.5},
            marker={"size": 5},
            hovertext=[value_model.told(v, unit, currency, full=True) for v in values],
            hoverinfo="text+x",
            showlegend=False,
        )
    )
    if baseline is not None:
        figure.add_hline(
            y=baseline * scale, line={"color": tokens.muted, "width": 1.5, "dash": "dash"},
            annotation={"text": "baseline", "font": {"color": tokens.muted, "size": 12}},
            annotation_position="top right",
        )  # fmt: skip
    if go_live is not None:
        at = charts.local(go_live, tz)
        figure.add_shape(
            type="line",
            x0=at,
            x1=at,
            y0=0,
            y1=1,
            yref="paper",
            line={"color": tokens.at_risk, "width": 1.5, "dash": "dot"},
        )
        figure.add_annotation(
            x=at, y=1, yref="paper", text="baseline ends", showarrow=False, xanchor="left", yanchor="top",
            font={"color": tokens.at_risk, "size": 12},
        )  # fmt: skip
    axis = charts.axis(tokens)
    figure.update_xaxes(**axis, nticks=7)
    known = [v * scale for v in (*values, baseline) if v is not None]
    top = max(known, default=1.0) or 1.0
    steps = [top * i / 3 for i in range(4)]
    texts = [value_model.told(s / scale, unit, currency) for s in steps]
    figure.update_yaxes(**axis, range=[0, top * 1.12], tickvals=steps, ticktext=texts)
    return figure

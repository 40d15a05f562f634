"""Figures from plain values: where time went, what an attempt did, how orders flow. Pure functions, no Streamlit."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

import plotly.graph_objects as go

from dashboards.tower_ui import fmt
from dashboards.tower_ui.feed_model import HOUR, HourView
from dashboards.tower_ui.theme import Tokens

FONT = "Source Sans, system-ui, sans-serif"
ROW_PX = 31
STEPS = 500  # how finely a running clock moves on; about a pixel
_SANKEY_PX, _LABEL_PX = 250, 72


@dataclass(frozen=True, slots=True)
class Bar:
    """One clock on the milestone chart. end None: still running. due None: no target."""

    label: str
    start: datetime | None
    end: datetime | None
    due: datetime | None
    tone: str
    text: str


def milestone_bars(bars: Sequence[Bar], now: datetime, tz: tzinfo, tokens: Tokens) -> go.Figure:
    """Return one line per clock: when it ran, its target mark, and in words beside it how long of how much."""
    figure = base(tokens, height=64 + ROW_PX * max(1, len(bars)), left=8, right=8)
    instants = [i for b in bars for i in (b.start, b.end or (now if b.start else None), b.due) if i is not None]
    low, high = (min(instants), max(instants)) if instants else (now - timedelta(hours=1), now)
    span = max(high - low, timedelta(minutes=1))
    places = list(range(len(bars)))
    for y, bar in zip(places, bars, strict=True):
        if bar.start is not None:
            end = max(bar.end or now, bar.start + span / 250)
            figure.add_trace(
                go.Bar(
                    base=[local(bar.start, tz)],
                    x=[(end - bar.start).total_seconds() * 1000],
                    y=[y],
                    orientation="h",
                    width=0.62,
                    marker={"color": tokens.state(bar.tone), "line": {"width": 0}},
                    hovertext=f"{bar.label}: {bar.text}",
                    hoverinfo="text",
                    showlegend=False,
                )
            )
        if bar.due is not None:
            at = local(bar.due, tz)
            figure.add_shape(
                type="line",
                x0=at,
                x1=at,
                y0=y - 0.43,
                y1=y + 0.43,
                line={"color": tokens.text, "width": 2, "dash": "dot"},
            )
        figure.add_annotation(
            x=1.012,
            xref="paper",
            xanchor="left",
            y=y,
            text=bar.text,
            showarrow=False,
            align="left",
            font={"color": tokens.text if bar.start else tokens.muted, "size": 13},
        )
    pad = span * 0.015
    figure.update_xaxes(type="date", range=[local(low - pad, tz), local(high + pad, tz)], nticks=6, **axis(tokens))
    figure.update_yaxes(
        tickvals=places,
        ticktext=[b.label for b in bars],
        range=[len(bars) - 0.4, -0.6],
        automargin=True,
        tickfont={"color": tokens.text, "size": 13},
        showgrid=False,
        zeroline=False,
    )
    widest = max((len(b.text) for b in bars), default=8)
    figure.update_layout(margin={"r": 22 + 7 * widest, "t": 6, "b": 40, "l": 8})
    return figure


def standing(bars: Sequence[Bar], now: datetime) -> datetime:
    """Return for when to draw the clocks: now, less what cannot be seen, so that not each refresh draws them anew."""
    since = min((b.start for b in bars if b.start is not None), default=now)
    step_s = 2 ** max(0, math.floor(math.log2(max(1.0, (now - since).total_seconds() / STEPS))))  # doubles: steps nest
    return now - timedelta(seconds=now.timestamp() % step_s)


@dataclass(frozen=True, slots=True)
class Span:
    """One step of an attempt, offset from the attempt's start in ms. depth: steps above it; hop: where it failed."""

    name: str
    service: str
    start_ms: float
    duration_ms: float
    depth: int
    error: bool
    message: str
    hop: bool = False


def read_spans(raw: Sequence[Mapping[str, Any]], hop: str = "", limit: int = 60) -> list[Span]:
    """Return the spans of one trace in the order of their start, parents before children. hop: id of the failed one.

    Of more than `limit` the failed ones and what lies above them stay, then the earliest.
    """
    known = {str(s.get("span_id")): s for s in raw}
    starts = {name: _start_ms(s) for name, s in known.items()}
    first = min((ms for ms in starts.values() if ms is not None), default=0.0)
    spans: list[tuple[bool, float, Span]] = []
    failed = {name for name, s in known.items() if "error" in str(s.get("status") or "").lower()}
    telling = {above for name in failed for above in (name, *_above(name, known))}
    for name, source in known.items():
        start = starts[name]
        if start is None:
            continue
        span = Span(
            name=str(source.get("name") or ""),
            service=str(source.get("service") or ""),
            start_ms=start - first,
            duration_ms=max(0.0, float(source.get("duration_ms") or 0)),
            depth=len(_above(name, known)),
            error=name in failed,
            message=str(source.get("status_message") or ""),
            hop=name == hop,
        )
        spans.append((name not in telling, start, span))
    kept = [span for _, _, span in sorted(spans, key=lambda s: (s[0], s[1]))[:limit]]
    return sorted(kept, key=lambda s: (s.start_ms, s.depth))


def _start_ms(span: Mapping[str, Any]) -> float | None:
    """Return when a span began: since the start of its trace where that is told, else since 1970."""
    if (offset := span.get("offset_ms")) is not None:
        return float(offset)
    at = fmt.instant(span.get("started_at"))
    return None if at is None else at.timestamp() * 1000


def _above(name: str, known: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the ids of the spans above one, the nearest first."""
    way: list[str] = []
    above = str(known[name].get("parent_span_id") or "")
    while above in known and above not in way and above != name:
        way.append(above)
        above = str(known[above].get("parent_span_id") or "")
    return way


def waterfall(spans: Sequence[Span], tokens: Tokens) -> go.Figure:
    """Return the steps of one attempt over time; errors red, most of all where it failed, the rest by service."""
    figure = base(tokens, height=64 + ROW_PX * max(1, len(spans)), left=8, right=12)
    total = max((s.start_ms + s.duration_ms for s in spans), default=1.0) or 1.0
    palette = [tokens.accent, tokens.good, tokens.diverging, tokens.at_risk, tokens.unknown, tokens.late]
    services = {name: palette[i % len(palette)] for i, name in enumerate(dict.fromkeys(s.service for s in spans))}
    known = any(s.hop for s in spans)
    for y, span in enumerate(spans):
        width = max(span.duration_ms, total / 250)
        red = _fade(tokens.failing, 0.6) if known and not span.hop else tokens.failing
        figure.add_trace(
            go.Bar(
                base=[span.start_ms],
                x=[width],
                y=[y],
                orientation="h",
                width=0.62,
                showlegend=False,
                marker={"color": red if span.error else services[span.service], "line": {"width": 0}},
                hovertext=f"{span.name} · {span.service} · {_ms_text(span.duration_ms)} {span.message}".strip(),
                hoverinfo="text",
            )
        )
        ended = " · failed here" if span.hop else " · error" if span.error else ""
        text = f"{span.service} · {_ms_text(span.duration_ms)}{ended}"
        end = span.start_ms + width
        at, anchor, colour = (end, "left", tokens.text) if end < total * 0.66 else (span.start_ms, "right", tokens.text)
        if end >= total * 0.66 and span.start_ms < total * 0.34:
            at, anchor, colour = span.start_ms + total * 0.008, "left", tokens.background
            if span.error and red != tokens.failing:
                colour = tokens.text
        figure.add_annotation(
            x=at,
            y=y,
            text=text,
            showarrow=False,
            xanchor=anchor,
            xshift=4 if anchor == "left" else -4,
            font={"color": colour, "size": 13},
        )
    per_unit, unit = (1000.0, "s") if total >= 10_000 else (1.0, "ms")
    step = _round_step(total / per_unit / 5) * per_unit
    ticks = [i * step for i in range(int(total / step) + 1)]
    figure.update_xaxes(
        range=[-total * 0.005, total * 1.02],
        tickvals=ticks,
        ticktext=[f"{t / per_unit:,g} {unit}" for t in ticks],
        **axis(tokens),
    )
    figure.update_yaxes(
        tickvals=list(range(len(spans))),
        ticktext=["\u2003" * min(s.depth, 4) + textwrap.shorten(s.name, 34, placeholder="…") for s in spans],
        range=[len(spans) - 0.4, -0.6],
        automargin=True,
        tickfont={"color": tokens.text, "size": 13},
        showgrid=False,
        zeroline=False,
    )
    return figure


def _ms_text(ms: float) -> str:
    return f"{ms:,.0f} ms" if ms >= 10 else f"{ms:.1f} ms"


@dataclass(frozen=True, slots=True)
class Flow:
    """One stage in the flow: what passed in the last 24 h and what is stuck in it, in orders or money."""

    label: str
    passed: float
    stuck: float
    stuck_text: str


def sankey(flows: Sequence[Flow], tokens: Tokens, end: str = "Done") -> go.Figure:
    """Return the flow through the stages in process order with the stuck branching off; the largest branch is red."""
    figure = base(tokens, height=_SANKEY_PX + _LABEL_PX + 8, left=6, right=6)
    n = len(flows)
    worst = max(range(n), key=lambda i: flows[i].stuck, default=0)
    xs = [0.004 + 0.93 * i / max(1, n) for i in range(n)] + [0.996]
    sources, targets, values, colours = [], [], [], []
    least = max((f.passed for f in flows), default=1.0) / 70 or 0.01
    for i, flow in enumerate(flows):
        sources.append(i)
        targets.append(i + 1)
        values.append(max(flow.passed, least))
        colours.append(_fade(tokens.accent, 0.35))
        if flow.stuck > 0:
            sources.append(i)
            targets.append(n + 1 + i)
            values.append(max(flow.stuck, least))
            colours.append(_fade(tokens.failing if i == worst else tokens.late, 0.75))
    stuck_x = [min(0.996, x + 0.042) for x in xs[:n]]
    # Nodes are placed by their middle, as a share of the height: this puts the upper edges of the stages on one line
    # and the branches on the ground. The library scales all to the column of the branches, which it spaces by `pad`.
    sizes = [max(f.passed + f.stuck, flows[i - 1].passed if i else 0.0, least) for i, f in enumerate(flows)]
    sizes.append(max(flows[-1].passed if flows else 0.0, least))
    last = sizes[-1] + sum(max(f.stuck, 0.0) for f in flows)
    pad = min(max((_SANKEY_PX - 0.55 * _SANKEY_PX * last / max(sizes)) / max(1, n), 2), 0.8 * _SANKEY_PX / max(1, n))
    tall = min((_SANKEY_PX - n * pad) / last, (_SANKEY_PX - pad) / max(sizes)) / _SANKEY_PX
    tops = [0.01 + size * tall / 2 for size in sizes]
    grounds = [0.985 - max(f.stuck, least) * tall / 2 for f in flows]
    figure.add_trace(
        go.Sankey(
            arrangement="fixed",
            node={
                "x": xs + stuck_x,
                "y": tops + grounds,
                "label": [""] * (2 * n + 1),
                "color": [tokens.accent] * n
                + [tokens.good]
                + [tokens.failing if i == worst else tokens.late for i in range(n)],
                "thickness": 9,
                "pad": pad,
                "line": {"width": 0},
                "hoverinfo": "none",
            },
            link={"source": sources, "target": targets, "value": values, "color": colours, "hoverinfo": "none"},
            domain={"x": [0, 1], "y": [0, _SANKEY_PX / (_SANKEY_PX + _LABEL_PX)]},
        )
    )
    for i, flow in enumerate(flows):
        figure.add_annotation(
            x=xs[i],
            y=1.0 if i % 2 == 0 or n <= 8 else 1.0 - 0.5 * _LABEL_PX / (_SANKEY_PX + _LABEL_PX),
            xref="paper",
            yref="paper",
            xanchor="left",
            yanchor="top",
            align="left",
            showarrow=False,
            text="<br>".join(textwrap.wrap(flow.label, 18 if n > 8 else 15)),
            font={"color": tokens.text, "size": 13},
        )
        if flow.stuck > 0:
            figure.add_annotation(
                x=stuck_x[i] + 0.012,
                y=0.03,
                xref="paper",
                yref="paper",
                xanchor="left",
                yanchor="bottom",
                showarrow=False,
                text=flow.stuck_text,
                font={"color": tokens.failing if i == worst else tokens.late, "size": 13},
            )
    figure.add_annotation(
        x=0.998,
        y=1.0,
        xref="paper",
        yref="paper",
        xanchor="right",
        yanchor="top",
        text=end,
        showarrow=False,
        font={"color": tokens.good, "size": 13},
    )
    figure.update_layout(margin={"t": 4, "b": 4})
    return figure


def volume(hours: Sequence[HourView], tz: tzinfo, tokens: Tokens) -> go.Figure:
    """Return what each hour brought as bars, over the range and the middle of what was expected."""
    figure = base(tokens, height=270, left=52, right=8)
    middles = [local(h.start + HOUR / 2, tz) for h in hours]
    lows = [h.low or 0 for h in hours]
    highs = [h.high if h.high is not None else h.low for h in hours]
    figure.add_trace(
        go.Bar(
            x=middles,
            base=lows,
            y=[None if high is None else high - low for low, high in zip(lows, highs, strict=True)],
            width=3_600_000,
            marker={"color": _fade(tokens.accent, 0.2), "line": {"width": 0}},
            hoverinfo="skip",
            showlegend=False,
        )
    )
    colours = {"good": tokens.good, "warn": tokens.late, "muted": tokens.muted}
    figure.add_trace(
        go.Bar(
            x=middles,
            y=[h.got for h in hours],
            width=0.62 * 3_600_000,
            marker={"color": [colours[h.tone] for h in hours], "line": {"width": 0}},
            hovertext=[_told(h, tz) for h in hours],
            hoverinfo="text",
            showlegend=False,
        )
    )
    figure.add_trace(
        go.Scatter(
            x=middles,
            y=[h.expected for h in hours],
            mode="markers",
            marker={"symbol": "line-ew", "size": 15, "line": {"width": 2, "color": tokens.text}},
            hoverinfo="skip",
            showlegend=False,
        )
    )
    figure.update_xaxes(**axis(tokens), tickformat="%H:%M", showgrid=False)
    figure.update_yaxes(**axis(tokens), rangemode="tozero", nticks=5)
    return figure


def _told(hour: HourView, tz: tzinfo) -> str:
    at, end = local(hour.start, tz), local(hour.start + HOUR, tz)
    usual = f", {hour.expected:,} expected" if hour.expected is not None else ""
    note = "" if hour.whole else ", not over yet"
    return f"{at:%H:%M} to {end:%H:%M}: {hour.got:,} events{usual}{note}{'' if hour.open else ', closed'}"


def warm(tokens: Tokens) -> None:
    """Draw one of each unseen, so that the first reader does not wait for what plotly loads late."""
    now = datetime.now().astimezone()
    bar = Bar("x", now, now, now, "late", "x")
    for figure in (
        milestone_bars([bar], now, now.tzinfo or fmt.zone(None), tokens),
        sankey([Flow("x", 1, 1, "1")], tokens),
        volume([HourView(now, 1, 1, 0, 2, True, True)], now.tzinfo or fmt.zone(None), tokens),
    ):
        figure.to_json()


def base(tokens: Tokens, *, height: int, left: int, right: int) -> go.Figure:
    """Return an empty figure in the colours of the page."""
    figure = go.Figure()
    figure.update_layout(
        height=height,
        margin={"l": left, "r": right, "t": 6, "b": 32},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "color": tokens.text, "size": 13},
        hoverlabel={
            "bgcolor": tokens.raised,
            "font": {"color": tokens.text, "family": FONT},
            "bordercolor": tokens.border,
        },
        barmode="overlay",
        dragmode=False,
    )
    return figure


def _round_step(least: float) -> float:
    """Return 1, 2 or 5 times a power of ten, not below least."""
    power = 10.0 ** math.floor(math.log10(least)) if least > 0 else 1.0
    return next(m * power for m in (1, 2, 5, 10) if m * power >= least * 0.999)


def axis(tokens: Tokens) -> dict[str, Any]:
    """Return how an axis looks."""
    return {
        "tickfont": {"color": tokens.muted, "size": 12},
        "gridcolor": tokens.hair,
        "zeroline": False,
        "showline": False,
        "fixedrange": True,
    }


def local(at: datetime, tz: tzinfo) -> datetime:
    """Return the instant as the reader's wall clock shows it; plotly draws what it is given."""
    return at.astimezone(tz).replace(tzinfo=None)


def _fade(colour: str, alpha: float) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"

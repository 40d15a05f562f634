"""What the tower is worth: figures against the baseline, what acting won, what is at risk, each with its formula."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import streamlit as st

from dashboards.tower_ui import fmt, page, value_model, widgets
from dashboards.tower_ui.client import ApiError, Refused
from dashboards.tower_ui.course import course
from dashboards.tower_ui.page import Here
from dashboards.tower_ui.value_model import HEADLINES, PERIODS, USUAL, Figure, Won

EVERY_S = 60.0
ROWS = 50
PLOT = {"displayModeBar": False, "scrollZoom": False}
PATH = "/v1/roi"


def show() -> None:
    """Draw the page."""
    page.who(page.here().viewer)
    with st.container(horizontal=True, vertical_alignment="center", key="valuehead"):
        st.title("Value", anchor=False, width="content")
        period = st.selectbox(
            "Period", list(PERIODS), key="period", bind="query-params", label_visibility="collapsed", width=190
        )
        by = st.segmented_control(
            "By",
            ["phase", "stage"],
            default="phase",
            required=True,
            key="by",
            bind="query-params",
            format_func=lambda name: f"By {name}",
            label_visibility="collapsed",
        )
    page.live(_draw, EVERY_S, str(period or USUAL), str(by or "phase"))


def _draw(here: Here, period: str, by: str) -> None:
    live = fmt.instant(st.session_state.get("baseline_until"))
    params = value_model.question(period, by, here.now, live)
    snapshot = here.api.json(here.viewer, PATH, params, within_s=EVERY_S / 2)
    here.pulse(snapshot, every=EVERY_S)
    if not widgets.banner(snapshot, now=here.now, tz=here.tz, what="figures", off="they stand still"):
        return
    answer = snapshot.data or {}
    baseline = answer.get("baseline")
    st.session_state["baseline_until"] = (baseline or {}).get("until")
    if period == value_model.SINCE and baseline and live is None:
        st.rerun(scope="fragment")
    figures = value_model.read_figures(answer)
    currency = str(answer.get("currency") or "")
    _what(here, answer)
    _headlines(answer, figures, currency)
    chosen = next((f for f in figures if f.id == st.query_params.get("figure")), None)
    if chosen is not None:
        _detail(here, answer, chosen, currency)
    _won(answer)
    widgets.heading("Before and now" if baseline else "Figures", "each opens its formula and the orders behind it")
    _cards(figures, chosen)
    _charts(here, answer, figures, currency)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        widgets.heading(f"By {by}", "of this period")
        _groups(answer, currency)
    with right:
        widgets.heading("Money at risk now", "stuck orders by stage, the most money first")
        _risk(answer, currency)
    _take_away(answer)


def labels_of(answer: Mapping[str, Any]) -> dict[str, str]:
    """Return stage id -> label, as the answer has them: who sees figures only may not ask for the rulebook."""
    return {str(k): fmt.label({"id": k, "label": v}) for k, v in (answer.get("labels") or {}).items()}


def _what(here: Here, answer: Mapping[str, Any]) -> None:
    """Say which window, against what, in which money and as of when."""

    def moment(name: str, of: Mapping[str, Any] = answer) -> str:
        return fmt.moment(fmt.instant(of.get(name)), here.tz, here.now)

    baseline = answer.get("baseline")
    rates = f", rates of {answer['rate_date']}" if answer.get("rate_date") else ""
    parts = [f"{moment('from')} to {moment('to')} {here.zone}", f"money in {answer.get('currency')}{rates}"]
    if baseline:
        since, until = moment("since", baseline), moment("until", baseline)
        parts.insert(1, f"baseline {since} to {until}, locked by {baseline.get('locked_by')}")
    st.html(f'<div class="t-muted">{escape(" · ".join(parts))}</div>')
    if not baseline:
        widgets.note(
            "info",
            "No baseline is locked, so no changes are shown.",
            "An administrator locks the figures of a window before go-live with POST /v1/roi/baseline (docs/value.md).",
        )


def _headlines(answer: Mapping[str, Any], figures: Sequence[Figure], currency: str) -> None:
    risk = answer.get("at_risk") or {}
    unpriced = int(risk.get("not_priced") or 0)
    held = f"{fmt.plural(int(risk.get('orders') or 0), 'stuck order')}" + (
        f", {unpriced:,} not priced" if unpriced else ""
    )
    cells = [
        f'<a class="t-card" data-go="1" href="."><div class="t-label">Money at risk now</div>'
        f'<div class="t-value">{escape(fmt.money_short(fmt.decimal(risk.get("value")), currency))}</div>'
        f'<div class="t-sub">{escape(held)}</div></a>'
    ]
    by_id = {f.id: f for f in figures}
    cells += [_card(by_id[name], None) for name in HEADLINES if name in by_id]
    st.html(f'<div class="t-cards" style="--n:{len(cells)}">{"".join(cells)}</div>')


def _card(figure: Figure, chosen: Figure | None) -> str:
    here = ' aria-current="true"' if chosen is not None and chosen.id == figure.id else ""
    where = page.path("executive", **{**_kept(), "figure": figure.id})
    delta = f'<span class="t-delta {figure.tone}">{escape(figure.change)}</span> ' if figure.change else ""
    under = escape(figure.before or ("" if figure.refused else figure.counts))
    sub = f'<div class="t-sub">{delta}{under}</div>'
    if figure.refused:
        sub = f'<div class="t-sub wrap">{escape("No figure: " + figure.refused)}</div>'
    line = value_model.spark(figure.course, figure.baseline) if figure.course else ""
    return (
        f'<a class="t-card" data-go="1"{here} href="{escape(where)}" title="{escape(figure.formula)}">'
        f'<div class="t-label">{escape(figure.label)}</div>'
        f'<div class="t-value">{escape(figure.text)}</div>{sub}{line}</a>'
    )


def _kept() -> dict[str, str]:
    """Return the parts of the address that a click on a figure keeps."""
    return {name: st.query_params[name] for name in ("period", "by") if name in st.query_params}


def _cards(figures: Sequence[Figure], chosen: Figure | None) -> None:
    shown = [f for f in figures if f.id not in HEADLINES]
    st.html(f'<div class="t-figures">{"".join(_card(f, chosen) for f in shown)}</div>')


def _detail(here: Here, answer: Mapping[str, Any], figure: Figure, currency: str) -> None:
    """Show how a figure is made, and the orders behind it."""
    close = f'<a class="t-link" data-go="1" href="{escape(page.path("executive", **_kept()))}">Close</a>'
    st.html(f'<h2 class="t-h2">{escape(figure.label)}: {escape(figure.text)}<span class="t-small">{close}</span></h2>')
    if figure.refused:
        widgets.note("info", "No figure.", figure.refused)
    inputs = "".join(f"<tr><td>{escape(k)}</td><td class='right'>{escape(v)}</td></tr>" for k, v in figure.inputs)
    st.html(
        f'<div class="t-formula"><b>{escape(figure.label)}</b> = {escape(figure.formula)}</div>'
        f'<div class="t-detail" style="padding-top:6px">{escape(figure.counts)}</div>'
        + (f'<table class="t-table" style="width:auto" aria-label="Inputs">{inputs}</table>' if inputs else "")
    )
    window = {k: str(answer[k]) for k in ("from", "to")}
    try:
        found = here.api.get(
            here.viewer, f"{PATH}/orders", {**window, "metric": figure.id, "limit": str(ROWS)}
        )  # fmt: skip
    except ApiError as error:
        if isinstance(error, Refused) and error.signed_out:
            raise
        widgets.note("warn", "The orders behind it are not shown.", str(error))
        return
    _orders(here, found, currency, labels_of(answer))


def _orders(here: Here, found: Mapping[str, Any], currency: str, labels: Mapping[str, str]) -> None:
    rows = found.get("orders") or ()
    if not rows:
        widgets.empty("No orders", "Nothing of this kind happened in this period.")
        return
    named = found.get("columns") or {}
    extra = [(name, str(named.get(name) or "")) for name in ("measure", "other", "good") if named.get(name)]
    cells = [
        [
            _order_link(str(r.get("order_id") or "")),
            escape(labels.get(str(r["stage"]), fmt.words(str(r["stage"]))) if r.get("stage") else fmt.NONE),
            escape(str(r["thing"])),
            escape(fmt.moment(fmt.instant(r.get("at")), here.tz, here.now)),
            *(escape(value_model.behind(r.get(name), means)) for name, means in extra),
            escape(fmt.money_full(fmt.decimal(r.get("amount")), currency)),
        ]
        for r in rows
    ]
    headers = [("Order", "left"), ("Stage", "left"), ("What", "left"), (f"When ({here.zone})", "left")]
    headers += [(value_model.column(means), "right") for _, means in extra]
    st.html(widgets.table([*headers, ("Amount", "right")], cells, label="The orders behind the figure"))
    if found.get("next_cursor") is not None:
        st.html(f'<div class="t-muted">The latest {ROWS}. GET /v1/roi/orders has them all.</div>')


def _order_link(order_id: str) -> str:
    where = page.path("order", id=order_id)
    return f'<a data-go="1" href="{escape(where)}">{escape(order_id)}</a>' if order_id else fmt.NONE


def _won(answer: Mapping[str, Any]) -> None:
    lines = value_model.read_won(answer, labels_of(answer))
    inputs = (f.get("inputs") or {} for p in answer.get("earned") or () for f in p["figures"].values())
    horizon = next((i["horizon_s"] for i in inputs if i), None)
    within = f", within {fmt.duration(float(horizon))} of an act" if horizon else ""
    how = f"estimated against untreated twins, 95 % interval{within}"
    widgets.heading("What acting won", how)
    told = [line for i, line in enumerate(lines) if i == 0 or not line.refused]
    untold = [line for line in lines if line not in told]
    headers = [
        ("Stage", "left"),
        ("Hours won", "right"),
        ("95 % interval", "left"),
        ("", "left"),
        ("Share moved", "right"),
        ("Value moved that would not have", "right"),
        ("Rests on", "left"),
    ]
    st.html(widgets.table(headers, map(_won_row, told), label="What acting won, by stage"))
    if untold:
        rows = [[escape(line.stage), escape(line.refused), escape(line.rests)] for line in untold]
        why = widgets.table([("Stage", "left"), ("Why", "left"), ("Rests on", "left")], rows, label="Without a figure")
        st.html(
            f'<details class="t-more"><summary>{fmt.plural(len(untold), "stage")} without a figure so far, and why'
            f"</summary>{why}</details>"
        )
    acts, money, unpriced = value_model.realized(answer)
    more = f", {unpriced:,} of them not priced" if unpriced else ""
    proved = f"{fmt.plural(acts, 'act')} proved by their milestone{more}; {money} moved after them."
    rest = "Some of it would have moved anyway, which is what the estimate takes off."
    st.html(f'<div class="t-muted"><b>Realized, apart from it:</b> {escape(proved)} {rest}</div>')


def _won_row(line: Won) -> list[str]:
    if line.refused:
        why = f'<span class="t-muted">No figure: {escape(line.refused)}</span>'
        return [escape(line.stage), fmt.NONE, why, "", fmt.NONE, fmt.NONE, escape(line.rests)]
    drawn = (
        f'<div class="t-interval"><s style="left:{line.zero:.1%}"></s>'
        f'<i style="left:{line.low:.1%};width:{line.high - line.low:.1%}"></i><b style="left:{line.at:.1%}"></b></div>'
    )
    cells = (line.stage, line.hours, line.interval)
    return [*map(escape, cells), drawn, escape(line.share), escape(line.value), escape(line.rests)]


def _charts(here: Here, answer: Mapping[str, Any], figures: Sequence[Figure], currency: str) -> None:
    drawn = [f for f in figures if f.id in ("exceptions_per_1000", "on_time", "ship_to_invoice_p50") and f.course]
    if not drawn:
        return
    times = [t for p in answer.get("trend") or () if (t := fmt.instant(p.get("at"))) is not None]
    live = fmt.instant((answer.get("baseline") or {}).get("until"))
    for column, figure in zip(st.columns(len(drawn), gap="medium"), drawn, strict=True):
        with column:
            widgets.heading(figure.label, "over time")
            chart = course(
                times, figure.course, unit=figure.unit, currency=currency, baseline=figure.baseline, go_live=live,
                tz=here.tz, tokens=here.tokens,
            )  # fmt: skip
            st.plotly_chart(chart, key=f"course-{figure.id}", theme=None, config=PLOT)


def _groups(answer: Mapping[str, Any], currency: str) -> None:
    labels = labels_of(answer)
    cells = [
        [
            escape(labels.get(str(g["group"]), fmt.words(str(g["group"])))),
            f"{int(g['exceptions']):,}",
            value_model.told(g.get("stages_in_time"), "share", currency),
            value_model.told(g.get("time_p50"), "seconds", currency),
            value_model.told(g.get("time_p90"), "seconds", currency),
            f"{int(g['touches']):,}",
            value_model.told(g.get("value_found"), "money", currency),
            value_model.told(g.get("value_moved"), "money", currency),
        ]
        for g in answer.get("groups") or ()
    ]
    if not cells:
        widgets.empty("No phases", "The rulebook names none under value.phases.")
        return
    headers = [(fmt.words(str(answer.get("by"))), "left"), ("Exceptions", "right"), ("In time", "right"),
               ("Median", "right"), ("Nine in ten", "right"), ("Touches", "right"), ("Value found", "right"),
               ("Moved after an act", "right")]  # fmt: skip
    st.html(widgets.table(headers, cells, label="Figures by part of the process"))


def _risk(answer: Mapping[str, Any], currency: str) -> None:
    rows = (answer.get("at_risk") or {}).get("stages") or ()
    if not rows:
        widgets.empty("Everything is moving", "No order is stuck.")
        return
    labels = labels_of(answer)
    most = max(float(r["value"] or 0) for r in rows) or 1.0
    cells = [
        [
            escape(labels.get(str(r["stage"]), fmt.words(str(r["stage"])))),
            f'<div class="t-bar"><i style="width:{100 * float(r["value"] or 0) / most:.0f}%"></i>'
            f"<span>{int(r['orders']):,}</span></div>",
            escape(fmt.money_full(fmt.decimal(r.get("value")), currency)),
        ]
        for r in rows
    ]
    st.html(
        widgets.table(
            [("Stage", "left"), ("Orders", "left"), ("Value", "right")], cells, label="Money at risk by stage"
        )
    )


def _take_away(answer: Mapping[str, Any]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="takeaway"):
        st.download_button(
            "Export CSV",
            value_model.as_csv(answer),
            file_name=f"value-{str(answer.get('to') or '')[:10]}.csv",
            mime="text/csv",
            on_click="ignore",
            icon=":material/download:",
        )
        st.html('<button class="t-print" data-print="1" type="button">Print</button>')

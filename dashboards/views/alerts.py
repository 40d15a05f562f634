"""The inbox of alerts in business order, and the scorecard of the rules behind them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from html import escape

import streamlit as st

from dashboards.settings import settings
from dashboards.tower_ui import alert_model, fmt, page, widgets
from dashboards.tower_ui.alert_model import AlertView
from dashboards.tower_ui.client import Refused
from dashboards.tower_ui.page import Here
from dashboards.tower_ui.watch import Watch
from dashboards.tower_ui.widgets import Card
from dashboards.views import alert

EVERY_S = 2 * settings().refresh_s
SHOWN = 200
_TABS = (("", "Open"), ("closed", "Closed"), ("scorecard", "Scorecard"))


def show() -> None:
    """Draw the page."""
    page.who(page.here().viewer)
    alert_id, tab = (str(st.query_params.get(name) or "") for name in ("id", "show"))
    st.title("Alerts", anchor=False)
    try:
        if alert_id:
            alert.show(alert_id)
        else:
            _tabs(tab)
            page.live(_draw, EVERY_S, tab)
    except Refused as error:
        page.signed_out(error)


def _tabs(current: str) -> None:
    links = []
    for name, text in _TABS:
        mark = ' aria-current="page"' if name == current else ""
        shown = f"<b>{escape(text)}</b>" if name == current else escape(text)
        links.append(f'<a class="t-link" data-go="1" href="{escape(page.path("alerts", show=name))}"{mark}>{shown}</a>')
    st.html(" &nbsp; ".join(links))


def _draw(here: Here, tab: str) -> None:
    watch = Watch.here()
    watch.speak()
    _scorecard(here) if tab == "scorecard" else _inbox(here, watch, closed=tab == "closed")


def _inbox(here: Here, watch: Watch, *, closed: bool) -> None:
    params = {"limit": str(SHOWN), **({"state": "closed"} if closed else {})}
    snapshot = here.api.json(here.viewer, "/v1/alerts", params)
    here.pulse(snapshot, every=EVERY_S)
    if not widgets.banner(snapshot, now=here.now, tz=here.tz, what="alerts", off="acknowledging is off"):
        return
    widgets.status_line(watch.say)
    for off in (snapshot.data or {}).get("receivers_off") or ():
        widgets.note(
            "bad",
            f"The receiver {off.get('receiver')} hears nothing by webhook any more.",
            f"{off.get('detail')}. Correct its address in the rulebook.",
        )
    alerts = alert_model.read_alerts(snapshot.data or {}, page.labels(here))
    if not alerts:
        widgets.empty("No alerts", "Nothing was closed yet." if closed else "Nobody has to be told of anything.")
        return
    if not closed:
        _cards(here, alerts)
    told = [a for a in alerts if closed or not a.quiet]
    quiet = [a for a in alerts if not closed and a.quiet]
    if told:
        widgets.heading(
            "Closed, the latest first" if closed else "What is to be done, most urgent first",
            "causes (feeds, targets), then priority, then value at risk",
        )
        _table(here, told, closed=closed)
    if quiet:
        widgets.heading("Not told", "waiting for their group, behind another alert, silenced, or history")
        _table(here, quiet, closed=False)


def _cards(here: Here, alerts: Sequence[AlertView]) -> None:
    told = [a for a in alerts if not a.quiet]
    mine = [a for a in told if not a.acknowledged_by]
    first = [a for a in mine if a.priority == "P1"]
    worth = sum((a.value or Decimal(0) for a in told), Decimal(0))
    upcoming = min((a.next_at for a in alerts if a.next_at), default=None)
    widgets.cards(
        [
            Card("Nobody has taken on", fmt.count(len(mine)), f"of {fmt.plural(len(told), 'alert')}", tone="late"),
            Card("Of these P1", fmt.count(len(first)), "told at once", tone="failing" if first else ""),
            Card("At risk", fmt.money_short(worth, page.currency(here)), "in alerts that were told"),
            Card(
                "Next notice",
                fmt.clock(upcoming, here.tz) if upcoming else fmt.NONE,
                f"{here.zone}, if nothing changes" if upcoming else "nothing is planned",
            ),
        ]
    )


def _table(here: Here, alerts: Sequence[AlertView], *, closed: bool) -> None:
    currency = page.currency(here)
    rows = [
        [
            escape(a.priority or "cause"),
            f'<a data-go="1" href="{escape(page.path("alerts", id=a.id))}">{escape(a.what)}</a>',
            f"{a.orders:,}",
            fmt.money_short(a.value, currency),
            escape(a.receiver),
            escape(alert_model.last_words(a, here.tz, here.now)),
            escape(alert_model.next_words(a, here.tz, here.now)),
            escape(alert_model.OUTCOMES.get(a.outcome, ("–", ""))[0] if closed else a.acknowledged_by or "nobody"),
        ]
        for a in alerts
    ]
    headers = [
        ("Priority", "left"),
        ("Alert", "left"),
        ("Orders", "right"),
        ("At risk", "right"),
        ("Told", "left"),
        (f"Last notice ({here.zone})", "left"),
        ("Next notice", "left"),
        ("Outcome" if closed else "Taken on by", "left"),
    ]
    st.html(widgets.table(headers, rows, label="Closed alerts" if closed else "Alerts"))


def _scorecard(here: Here) -> None:
    snapshot = here.api.json(here.viewer, "/v1/alerts/scorecard", within_s=30)
    here.pulse(snapshot, every=EVERY_S)
    if not widgets.banner(snapshot, now=here.now, tz=here.tz, what="scorecard", off="nothing can be corrected"):
        return
    scores = alert_model.read_scores(snapshot.data or {}, page.labels(here))
    if not scores:
        widgets.empty("No alert has closed yet", "The scorecard counts alerts that were told and are over.")
        return
    widgets.heading("How well rules alert", "the last 28 days; the least precise rule first: it is the one to mend")
    rows = [
        [
            escape(s.rule),
            f"{s.alerts:,}",
            f"{s.precision} %",
            *(f"{s.outcomes[name]:,}" for name in alert_model.OUTCOMES),
            fmt.duration(s.lead_s),
            fmt.duration(s.ack_s),
            fmt.duration(s.over_s),
        ]
        for s in scores
    ]
    headers = [("Rule", "left"), ("Alerts", "right"), ("Share real", "right")]
    headers += [(word, "right") for word, _ in alert_model.OUTCOMES.values()]
    headers += [("Before the promise", "right"), ("Taken on after", "right"), ("Over after", "right")]
    st.html(widgets.table(headers, rows, label="Scorecard of rules"))
    widgets.note("info", "; ".join(f"{word}: {means}" for word, means in alert_model.OUTCOMES.values()))

"""One alert: the orders in it, what was told and why, what comes next; take it on, or silence it with a preview."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC
from html import escape
from typing import Any

import streamlit as st

from dashboards.tower_ui import alert_model, fmt, page, widgets
from dashboards.tower_ui.alert_model import AlertView
from dashboards.tower_ui.client import ApiError, NotFound, Refused, Snapshot
from dashboards.tower_ui.page import Here
from dashboards.tower_ui.watch import Watch
from dashboards.tower_ui.widgets import Card


def show(alert_id: str) -> None:
    """Draw one alert; it stands still until something is done."""
    here, watch = page.here(), Watch.here()
    watch.speak()
    st.html(f'<a class="t-link" data-go="1" href="{escape(page.path("alerts"))}">All alerts</a>')
    try:
        row = here.api.get(here.viewer, f"/v1/alerts/{alert_id}")
    except NotFound as error:
        widgets.note("warn", "There is no such alert.", str(error))
        here.pulse(Snapshot(error="no answer"), every=0)
        return
    except Refused:
        raise
    except ApiError as error:
        widgets.note("bad", "The tower has not answered.", f"{error} Reload this page to ask again.")
        here.pulse(Snapshot(error="no answer"), every=0)
        return
    here.pulse(Snapshot(data=row, at=here.now), every=0)
    widgets.status_line(watch.say)
    alert = alert_model.read_alert(row, page.labels(here))
    widgets.heading(f"{alert.priority} {alert.what}".strip(), f"for {alert.receiver}")
    _cards(here, alert)
    _acts(here, alert)
    if connection := alert.labels.get("connection"):
        st.html(
            f'<a class="t-link" data-go="1" href="{escape(page.path("feeds"))}">'
            f"What {escape(connection)} brought, and the {fmt.plural(alert.orders, 'order')} that wait for it</a>"
        )
    _orders(here, row)
    _behind(here, row.get("behind") or ())
    _notices(here, row.get("sent") or ())


def _cards(here: Here, alert: AlertView) -> None:
    since = alert.opened_at
    taken = alert.acknowledged_by
    if alert.closed_at is not None:
        word, means = alert_model.OUTCOMES.get(alert.outcome, ("–", "nobody was told of it"))
        taken_card = Card("Outcome", word, means)
    else:
        taken_card = Card("Taken on by", taken or "nobody", alert.note, tone="" if taken else "late")
    widgets.cards(
        [
            Card("Orders", fmt.count(alert.orders), fmt.plural(alert.open, "open breach", "open breaches")),
            Card("At risk", fmt.money_short(alert.value, page.currency(here))),
            taken_card,
            Card(
                "Open for",
                fmt.duration(((alert.closed_at or here.now) - since).total_seconds()) if since else fmt.NONE,
                alert_model.last_words(alert, here.tz, here.now),
            ),
            Card("Next notice", alert_model.next_words(alert, here.tz, here.now), "if nothing changes"),
        ]
    )


def _acts(here: Here, alert: AlertView) -> None:
    may, over = here.viewer.may_act, alert.closed_at is not None
    help_ = "Your key may look, not act." if not may else "The alert is over." if over else None
    note, take, silence = st.columns([3, 1, 1], vertical_alignment="bottom")
    note.text_input("Note", key=f"note-{alert.id}", placeholder="what you are doing about it", disabled=not may or over)
    take.button(
        "Give it back" if alert.acknowledged_by else "Take it on",
        icon=":material/undo:" if alert.acknowledged_by else ":material/front_hand:",
        type="secondary" if alert.acknowledged_by else "primary",
        key="take",
        width="stretch",
        disabled=not may or over,
        help=help_ or "Nobody further is told and nothing is repeated; new breaches still are.",
        on_click=_take,
        args=(alert.id, not alert.acknowledged_by, secrets.token_hex(8)),
    )
    if silence.button("Silence…", icon=":material/notifications_off:", key="silence", width="stretch",
                      disabled=not may or over, help=help_):  # fmt: skip
        _silence(alert)


def _take(alert_id: str, on: bool, click: str) -> None:
    here, watch = page.here(), Watch.here()
    if not watch.first(click):
        return
    note = str(st.session_state.get(f"note-{alert_id}") or "").strip()
    try:
        here.api.post(here.viewer, f"/v1/alerts/{alert_id}/ack", {"acknowledged": on, "note": note})
        said = "Taken on: nobody further is told." if on else "Given back: the line starts again."
        watch.tell(said, "good")
    except ApiError as error:
        watch.tell(f"Nothing is known of it. {error}", "bad")


@st.dialog("Silence", width="large")
def _silence(alert: AlertView) -> None:
    """Say what, how long and why; show what it would catch before it is made."""
    here = page.here()
    widgets.dialog_style(here.tokens)
    known = [name for name in alert_model.MATCHED if name in alert.labels]
    chosen = st.multiselect(
        "Of breaches that have", known, default=known, format_func=lambda n: f"{fmt.words(n)}: {alert.labels[n]}"
    )
    length = st.selectbox("For", list(alert_model.LENGTHS), key="silence_for")
    matchers = alert_model.matchers_of(alert, chosen)
    ends = (here.now + alert_model.LENGTHS[length]).astimezone(UTC)
    wish = {"matchers": matchers, "ends_at": ends.isoformat(), "comment": "preview"}
    if not matchers:
        widgets.note("warn", "A silence needs something to go by.", "Keep at least one of what they have in common.")
    else:
        _preview(here, wish)
    st.text_input("Why, for the audit", key="silence_why", placeholder="planned move of the warehouse")
    if st.session_state.pop("silence_short", False):
        widgets.note("bad", "Say why in a few words: others read it when they miss a notice.")
    st.button(
        f"Silence until {fmt.moment(ends, here.tz, here.now)} {here.zone}",
        type="primary",
        key="silence_yes",
        disabled=not matchers,
        on_click=_make,
        args=(wish,),
    )
    if st.session_state.pop("silence_made", False):
        st.rerun()


def _preview(here: Here, wish: Mapping[str, Any]) -> None:
    try:
        seen = here.api.post(here.viewer, "/v1/silences?dry_run=true", dict(wish))
    except ApiError as error:
        widgets.note("bad", "What it would catch is not known.", str(error))
        return
    catches = seen.get("catches") or {}
    orders = ", ".join(map(str, (catches.get("orders") or ())[:20]))
    widgets.note("info", f"It would catch {alert_model.catches_words(catches, page.currency(here))}.", orders)


def _make(wish: Mapping[str, Any]) -> None:
    here, watch = page.here(), Watch.here()
    why = str(st.session_state.get("silence_why") or "").strip()
    if len(why) < 3:
        st.session_state["silence_short"] = True
        return
    try:
        here.api.post(here.viewer, "/v1/silences", {**wish, "comment": why})
        watch.tell("Silenced. What it keeps back is told when it ends, if it is still open then.", "good")
    except ApiError as error:
        watch.tell(f"Nothing is known of it. {error}", "bad")
    st.session_state["silence_made"] = True


def _orders(here: Here, row: Mapping[str, Any]) -> None:
    members: Sequence[Mapping[str, Any]] = row.get("members") or ()
    widgets.heading("Orders inside", f"open first, most urgent first; {fmt.plural(len(members), 'breach', 'breaches')}")
    currency, labels = page.currency(here), page.labels(here)
    rows = []
    for m in members:
        order = str(m.get("order_id") or "")
        link = _order_link(order) if order else escape(str(m.get("object_id") or ""))
        over = fmt.instant(m.get("over_at"))
        told = alert_model.told_words(m)
        rule = str(m.get("rule") or "")
        rows.append(
            [
                escape(str(m.get("priority") or "–")),
                link,
                escape(alert_model.rule_words(rule, labels)),
                escape(fmt.words(str(m.get("kind") or ""))),
                fmt.money_short(fmt.decimal(m.get("value")), currency),
                fmt.moment(fmt.instant(m.get("opened_at")), here.tz, here.now),
                f"{escape(str(m.get('state')))} {fmt.moment(over, here.tz, here.now)}" if over else "open",
                escape(told),
                escape(str(m.get("error") or "")[:120]),
            ]
        )
    headers = [
        ("Priority", "left"),
        ("Order", "left"),
        ("Rule", "left"),
        ("Finding", "left"),
        ("At risk", "right"),
        (f"Since ({here.zone})", "left"),
        ("Now", "left"),
        ("Told", "left"),
        ("Error", "left"),
    ]
    st.html(widgets.table(headers, rows, label="Orders of the alert"))


def _order_link(order_id: str) -> str:
    return f'<a data-go="1" href="{escape(page.path("order", id=order_id))}">{escape(order_id)}</a>'


def _behind(here: Here, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    widgets.heading("Behind it", "not told one by one while this is open")
    table = [
        [
            escape(str(m.get("priority") or "–")),
            _order_link(str(m.get("order_id") or "")),
            escape(alert_model.rule_words(str(m.get("rule") or ""), page.labels(here))),
            fmt.money_short(fmt.decimal(m.get("value")), page.currency(here)),
        ]
        for m in rows
    ]
    headers = [("Priority", "left"), ("Order", "left"), ("Rule", "left"), ("At risk", "right")]
    st.html(widgets.table(headers, table, label="Orders behind the alert"))


def _notices(here: Here, rows: Sequence[Mapping[str, Any]]) -> None:
    widgets.heading("Notices", "latest first")
    if not rows:
        widgets.note("info", "Nobody was told of it yet.")
        return
    table = [
        [
            fmt.moment(fmt.instant(n.get("at")), here.tz, here.now),
            escape(alert_model.REASONS.get(str(n.get("reason")), str(n.get("reason")))),
            escape(str(n.get("receiver"))),
            escape(str(n.get("channel"))),
            escape(str(n.get("state"))) + (f", {n.get('attempts')} tries" if int(n.get("attempts") or 0) > 1 else ""),
            escape(str(n.get("title") or "")),
            escape(str(n.get("detail") or "")),
        ]
        for n in rows
    ]
    headers = [
        (f"At ({here.zone})", "left"),
        ("Why", "left"),
        ("To", "left"),
        ("By", "left"),
        ("State", "left"),
        ("It says", "left"),
        ("Answer", "left"),
    ]
    st.html(widgets.table(headers, table, label="Notices of the alert"))

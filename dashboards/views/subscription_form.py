"""The form of a subscription: what to hear of, where and when, and beside it what it would have sent last week."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import streamlit as st

from dashboards.tower_ui import fmt, page, subscription_model, widgets
from dashboards.tower_ui.client import ApiError
from dashboards.tower_ui.page import Here
from dashboards.tower_ui.subscription_model import DAYS, DELIVERIES, FIELDS, STATES, WAYS, Form
from dashboards.tower_ui.watch import Watch

_NO_QUIET = ""


def zone() -> str:
    """Return the IANA name of the reader's zone."""
    return str(st.context.timezone or "UTC")


def show(here: Here, new: str, edit: str) -> None:
    """Draw the form. new: name of a template, else empty of one's own; edit: id of the subscription to change."""
    known = here.api.get(here.viewer, "/v1/subscriptions")
    if edit:
        begun = here.api.get(here.viewer, f"/v1/subscriptions/{edit}")
    else:
        begun = next((dict(t) for t in known.get("templates") or () if t.get("name") == new), {})
    form = subscription_model.form_of(begun, zone())
    labels = page.labels(here)
    mark = edit or new  # widgets of one form keep their values, those of another begin anew
    left, right = st.columns([3, 2], gap="large")
    with left:
        _content(form, labels, str(known.get("currency") or ""), mark)
        _way(form, known.get("allow") or (), mark)
        _times(form, mark)
    wish = subscription_model.wish_of(form)
    with right:
        _preview(here, wish, labels)
        suggestion = subscription_model.suggested_label(wish, labels)
        wish["label"] = (
            st.text_input("Name", value=form.label, key=f"label-{mark}", placeholder=suggestion).strip() or suggestion
        )
        st.button(
            "Save the change" if edit else "Subscribe", key="subscribe", type="primary", width="stretch",
            icon=":material/add_alert:", on_click=_save, args=(wish, edit, secrets.token_hex(8)),
        )  # fmt: skip
        if wish["channel"] != "inbox":
            st.caption(
                "The address is asked first; nothing else goes there until somebody says yes. Every notice can end it."
            )
    if st.session_state.pop("subscribed", False):
        page.go("subscriptions")


def _content(form: Form, labels: Mapping[str, str], currency: str, mark: str) -> None:
    widgets.heading("Of what", "all of it must hold; several values of one field: any of them")
    form.states = st.pills(
        "States", STATES, selection_mode="multi", default=[s for s in form.states if s in STATES], key=f"states-{mark}",
        format_func=fmt.state_word, help="None: whatever is stuck",
    )  # fmt: skip
    one, two = st.columns(2)
    for place, name in zip((one, two, one, two, one), FIELDS, strict=True):
        word, example = FIELDS[name]
        form.fields[name] = place.text_input(
            word, value=form.fields.get(name, ""), key=f"{name}-{mark}", placeholder=f"all; for example {example}"
        )
    known = [*labels, *(s for s in form.stages if s not in labels)]
    form.stages = two.multiselect(
        "Stages", known, default=form.stages, key=f"stages-{mark}", placeholder="all",
        format_func=lambda s: labels.get(s, s),
    )  # fmt: skip
    form.above = one.text_input("Worth more than", value=form.above, key=f"above-{mark}", placeholder="any amount")
    form.currency = two.text_input(
        "Currency", value=form.currency or currency, key=f"currency-{mark}", max_chars=3,
        help="Compared at the rate of the rulebook that is in force",
    ).upper()  # fmt: skip
    if form.rest:
        st.caption(f"Kept as it is: {', '.join(form.rest)}")


def _way(form: Form, allow: Sequence[str], mark: str) -> None:
    widgets.heading("Where")
    ways = list(allow) or ["inbox"]
    form.channel = st.radio(
        "Way", ways, index=ways.index(form.channel) if form.channel in ways else 0, key=f"way-{mark}", horizontal=True,
        format_func=lambda w: WAYS.get(w, w), label_visibility="collapsed",
    )  # fmt: skip
    if form.channel != "inbox":
        example = "+4915112345678" if form.channel == "sms" else "ann@example.com"
        form.address = st.text_input("Address", value=form.address, key=f"address-{mark}", placeholder=example)


def _times(form: Form, mark: str) -> None:
    widgets.heading("When", f"times in {form.zone}")
    ways = list(DELIVERIES)
    form.deliver = st.radio(
        "Told", ways, index=ways.index(form.deliver) if form.deliver in ways else 0, key=f"deliver-{mark}",
        horizontal=True, format_func=DELIVERIES.__getitem__, label_visibility="collapsed",
    )  # fmt: skip
    one, two, three = st.columns(3)
    if form.deliver == "daily":
        form.daily_at = one.time_input("At", value=form.daily_at, key=f"daily-{mark}", step=900)
    if form.rest_quiet:
        st.caption(f"Quiet hours kept as they are: {form.rest_quiet}")
        return
    days = [_NO_QUIET, *DAYS]
    form.quiet_days = one.selectbox(
        "Quiet hours", days, index=days.index(form.quiet_days), key=f"quiet-{mark}",
        format_func=lambda d: DAYS.get(d, "None"), help="What is still open when they end is told then",
    )  # fmt: skip
    if form.quiet_days:
        form.quiet_from = two.time_input("From", value=form.quiet_from, key=f"from-{mark}", step=900)
        form.quiet_until = three.time_input("Until", value=form.quiet_until, key=f"until-{mark}", step=900)


def _preview(here: Here, wish: dict[str, Any], labels: Mapping[str, str]) -> None:
    widgets.heading("Last week", "what it would have sent; nothing is sent now")
    if not (wish["when"] or wish["states"] or wish["above"]):
        widgets.note("info", "Say what to hear of, and this shows what it would have sent.")
        return
    asked = {**wish, "label": wish["label"] or subscription_model.suggested_label(wish, labels)}
    try:
        seen = here.api.post(here.viewer, "/v1/subscriptions/preview", {**asked, "channel": "inbox", "address": ""})
    except ApiError as error:
        widgets.note("bad", "That cannot be subscribed to.", str(error))
        return
    widgets.note("info", subscription_model.preview_words(seen))
    rows = [
        [
            fmt.moment(fmt.instant(n.get("at")), here.tz, here.now),
            escape(str(n.get("title") or "")) + (' <span class="t-small">held back</span>' if n.get("held") else ""),
        ]
        for n in (seen.get("latest") or ())[:8]
    ]
    if rows:
        headers = [(f"At ({here.zone})", "left"), ("It would have said", "left")]
        st.html(widgets.table(headers, rows, label="What it would have sent"))


def _save(wish: dict[str, Any], edit: str, click: str) -> None:
    here, watch = page.here(), Watch.here()
    if not watch.first(click):
        return
    try:
        if edit:
            made = here.api.change(here.viewer, "PUT", f"/v1/subscriptions/{edit}", wish)
        else:
            made = here.api.post(here.viewer, "/v1/subscriptions", wish)
        here.api.json(here.viewer, "/v1/subscriptions", fresh=True)
    except ApiError as error:
        watch.tell(f"Not saved. {error}", "bad")
        return
    asks = made.get("state") == "waiting"
    watch.tell(
        f"Saved. {'The address is asked now; it says yes by the link.' if asks else 'You are told from now on.'}",
        "good",
    )
    st.session_state["subscribed"] = True

"""The head of an order's page: what it is called, how it stands, and what may be done about it."""

from __future__ import annotations

import secrets
from html import escape

import streamlit as st

from dashboards.tower_ui import actions, by_hand, fmt, hand_model, moment, page, repairs, widgets
from dashboards.tower_ui.confirm import Confirm
from dashboards.tower_ui.grid.grid import Seen
from dashboards.tower_ui.order_model import OrderView
from dashboards.tower_ui.page import Here
from dashboards.tower_ui.watch import Watch

PAST = "This is the past; go back to now to retry."


def header(here: Here, order: OrderView, watch: Watch, *, live: bool, past: bool) -> None:
    """Draw the first line: id, state, who has it, and the acts that may be done from here."""
    where = f"in {order.stage_label}" if order.stuck and order.stage else ""
    said = (
        f"held by {order.held_by}" if order.held_by else "",
        f"escalated by {order.escalated_by}" if order.escalated_by else "",
        f"{order.assignee} works on it" if order.assignee else "",
    )
    known = (order.priority, order.customer, order.tier, *said)
    tags = "".join(f'<span class="t-tag">{escape(t)}</span>' for t in known if t)
    place = f'<span class="t-tag">{escape(where)}</span>' if where else ""
    with st.container(horizontal=True, vertical_alignment="center", key="orderhead"):
        st.html(f'<div class="t-head"><h1>{escape(order.id)}</h1>{widgets.state_chip(order.state)}{place}{tags}</div>')
        running = order.in_flight or watch.waiting.get(order.id) is not None
        may = here.viewer.may_act and live and order.stuck and order.retryable and not running and not past
        st.button(
            "Retry running…" if running else "Retry now",
            type="primary",
            icon=":material/replay:",
            key="retry",
            disabled=not may,
            help=PAST if past else _why_not(here, order, live=live, running=running),
            on_click=_retry,
            args=(here, order, secrets.token_hex(16)),
        )
        others = repairs.offered(page.acts(here), order.stage) if order.stuck else {}
        st.button(
            "Other repairs…",
            icon=":material/build:",
            key="repairs",
            disabled=past or not (others and here.viewer.may_act and live),
            help=", ".join(map(fmt.words, others)) or "The rulebook offers none here.",
            on_click=_repair,
            args=(repairs.Repair(Seen(order.id, order.version), order.stage, others),),
        )
        st.button(
            "By hand…",
            icon=":material/edit_note:",
            key="by_hand",
            disabled=past or not (here.viewer.may_act and live),
            help="Assign, hold, note, escalate or mark done" if here.viewer.may_act else "Your key may look, not act.",
            on_click=_by_hand,
            args=(order,),
        )
        if order.stuck and (heals := order.heals(here.tz, here.now)):
            st.html(f'<span class="t-muted">{escape(heals)}</span>')
        link = page.url("order", id=order.id, **moment.query(moment.wanted()))
        with st.popover("Copy link", icon=":material/link:"):
            st.code(link, language=None)


def _by_hand(order: OrderView) -> None:
    """Open the dialog; from the full run, since it must not hang on the part that refreshes."""
    words = hand_model.offered(
        closed=order.closed, held=bool(order.held_by), assigned=bool(order.assignee),
        escalated=bool(order.escalated_by), closed_by=order.closed_by,
    )  # fmt: skip
    st.session_state["say"] = by_hand.Say((Seen(order.id, order.version),), words)


def _repair(repair: repairs.Repair) -> None:
    """Open the dialog, as for a word by hand."""
    st.session_state["repair"] = repair


def _why_not(here: Here, order: OrderView, *, live: bool, running: bool) -> str | None:
    if running:
        return "A retry is on its way; its outcome appears here."
    if not here.viewer.may_act:
        return "Your key may look, not act."
    if not live:
        return "No data from the tower for 30 s; retries wait until it answers."
    if not order.stuck:
        return "This order is not stuck."
    if order.held_by:
        return f"{order.held_by} holds this order; release it first."
    return (
        None
        if order.retryable
        else "The rulebook offers no retry here, or no more of them. Correct it in the source system."
    )


def _retry(here: Here, order: OrderView, click: str) -> None:
    """One click, one request: the button carries its own id, so a second delivery does nothing."""
    watch = Watch.here()
    if not watch.first(click):
        return
    row = Seen(order.id, order.version)
    answer = actions.act(here.api, here.viewer, "retry", [row], click=click)
    if answer.wants_reason:
        st.session_state["confirm"] = Confirm(f"{click}-why", (row,), {}, page.currency(here))
    else:
        watch.sent(here, answer)

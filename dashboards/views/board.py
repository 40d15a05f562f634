"""Stuck orders: what needs a hand now, worth most first, and the click that helps."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from html import escape
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from dashboards.settings import settings
from dashboards.tower_ui import actions, board_model, by_hand, fmt, moment, page, widgets
from dashboards.tower_ui.board_model import Filters
from dashboards.tower_ui.client import ApiError, Board, Refused, Snapshot
from dashboards.tower_ui.confirm import Confirm, ask
from dashboards.tower_ui.grid.grid import Gesture, Seen, grid
from dashboards.tower_ui.grid.payload import board_payload, group_id, group_payload
from dashboards.tower_ui.page import Here
from dashboards.tower_ui.watch import Watch
from dashboards.tower_ui.widgets import Card

NOTE = "Click an error to see its orders; Retry group lists them before anything is sent"
COUNTED = ("failing", "late", "diverging", "at_risk")


def show() -> None:
    """Draw the page."""
    here = page.here()
    say = st.session_state.pop("say", None)
    confirm = st.session_state.pop("confirm", None)  # before the live part, which would run the page again for it
    for name, value in st.session_state.pop("goto", {}).items():
        st.session_state[name] = value  # in this run, in which the filters are drawn
    page.who(here.viewer)
    with st.container(horizontal=True, vertical_alignment="center", key="boardhead"):
        st.title("Stuck orders", anchor=False, width="content")
        moment.picker(here)
    at = moment.wanted()
    if at is not None:
        moment.banner(here, at)
    try:
        filters = _filters(page.labels(here), here.viewer.name)
        page.live(_draw, settings().refresh_s, filters, at)
    except Refused as error:
        page.signed_out(error)
    if confirm is not None:
        ask(confirm)
    elif say is not None:
        by_hand.ask(say)


def _filters(labels: dict[str, str], own: str) -> Filters:
    """Draw the filters; the address of the page is their state. own: the reader's name."""
    with st.container(key="filters"):
        view, stage, system, priority, whose, text, sort = st.columns(
            [7.3, 1.8, 1.3, 1.1, 1.3, 2, 1.7], vertical_alignment="bottom"
        )
    state = st.session_state
    chosen = {name: str(state.get(name) or "") for name in ("stage", "system")}
    with view:
        v = st.segmented_control(
            "View",
            list(board_model.VIEWS),
            default="stuck",
            required=True,
            key="view",
            bind="query-params",
            format_func=lambda k: board_model.VIEWS[k][0],
        )
    with stage:
        s = st.selectbox(
            "Stuck in",
            board_model.options(labels, chosen["stage"]),
            index=None,
            key="stage",
            bind="query-params",
            placeholder="All stages",
            format_func=lambda k: labels.get(k, fmt.words(k)),
        )
    with system:
        known = ("crm", "commerce", "edi", "erp", "wms", "tms", "tax", "billing", "bank", "psp")
        y = st.selectbox(
            "System",
            board_model.options(known, chosen["system"]),
            index=None,
            key="system",
            bind="query-params",
            placeholder="All",
            format_func=fmt.system,
        )
    with priority:
        p = st.selectbox(
            "Priority", board_model.PRIORITIES, index=None, key="priority", bind="query-params", placeholder="All"
        )
    with whose:
        w = st.selectbox(
            "Owner",
            board_model.options((own, board_model.NOBODY), str(state.get("whose") or "")),
            index=None,
            key="whose",
            bind="query-params",
            placeholder="Anybody",
        )
    with text:
        q = st.text_input(
            "Order, customer or error", key="q", bind="query-params", placeholder="Search…", icon=":material/search:"
        )
    with sort:
        o = st.selectbox(
            "Sort",
            list(board_model.SORTS),
            key="sort",
            bind="query-params",
            format_func=lambda k: board_model.SORTS[k][0],
        )
    owner = None if w is None else "" if w == board_model.NOBODY else str(w)
    return Filters(str(v or "stuck"), s or "", y or "", p or "", q or "", o or "value", owner)


def _draw(here: Here, filters: Filters, at: datetime | None) -> None:
    if {"confirm", "say", "goto"} & set(st.session_state):
        st.rerun()  # in full: a dialog must not hang on the part that refreshes, and the filters stand above it
    question = {**filters.params(here.settings.rows), **moment.query(at)}
    with moment.patience(at):
        snapshot = here.api.board(here.viewer, question, within_s=moment.kept_s(at))
    if at is None:
        here.pulse(snapshot, every=here.settings.refresh_s)
    if not widgets.banner(snapshot, now=here.now, tz=here.tz, what="orders"):
        return
    assert snapshot.data is not None
    _cards(here, filters, snapshot.data, at)
    watch = Watch.here()
    watch.look(here)
    watch.speak()
    if watch.batch:
        where = escape(page.path("actions", id=watch.batch))
        st.html(f'<a class="t-link" data-go="1" href="{where}">Follow this retry wave by wave</a>')
    else:
        st.empty()  # its place; see widgets.banner
    by_order, by_error = st.tabs(["Orders", "By error"], key="tab", on_change="rerun", bind="query-params")
    if by_order.open:
        with by_order:
            _orders(here, filters, snapshot, watch, at)
    if by_error.open:
        with by_error:
            _groups(here, filters, watch, at)


def _cards(here: Here, filters: Filters, board: Board, at: datetime | None) -> None:
    """Draw the figures for the same filters in each state; of the past only those of the view, each is judged anew."""
    currency = page.currency(here)
    label = board_model.VIEWS[filters.view][0]
    if at is not None:
        worth = fmt.money_short(board.value_total, currency)
        widgets.cards([Card(label, fmt.count(board.total), "then"), Card("Value at risk", worth, "then")])
        return
    states = ("open", *COUNTED)
    found = here.api.json_at_once(here.viewer, [("/v1/orders", filters.count_params(s)) for s in states])
    bodies = dict(zip(states, (f.data or {} for f in found), strict=True))
    counts = {s: int(b.get("total") or 0) for s, b in bodies.items()}
    values = {s: fmt.decimal(b.get("value_total")) for s, b in bodies.items()}
    items = [
        Card(
            label, fmt.count(board.total), f"of {fmt.plural(counts['open'], 'open order')}", title="orders in this view"
        ),
        Card(
            "Value at risk",
            fmt.money_short(board.value_total, currency),
            f"of {fmt.money_short(values['open'], currency)} in all open orders",
            title=fmt.money_full(board.value_total, currency),
        ),
    ]
    for state in COUNTED:
        items.append(
            Card(
                f"{fmt.state_mark(state)} {fmt.state_word(state)}",
                fmt.count(counts[state]),
                fmt.money_short(values[state], currency),
                tone=state if counts[state] else "",
                title=fmt.STATE_HELP[state],
            )
        )
    widgets.cards(items)


def _orders(here: Here, filters: Filters, snapshot: Snapshot[Board], watch: Watch, at: datetime | None) -> None:
    board = snapshot.data
    assert board is not None
    if board.total == 0 and filters.narrowed:
        widgets.empty("No order matches", "Clear the search or a filter above to see more.")
        return
    if board.total == 0:
        title = (
            "Everything is moving"
            if filters.view == "stuck"
            else f"No order is {board_model.VIEWS[filters.view][0].lower()}"
        )
        then = (
            "Nothing was stuck then."
            if at
            else "Nothing to do here. This list fills by itself when an order gets stuck."
        )
        widgets.empty(title, then)
        return
    payload = board_payload(
        board,
        {} if at else watch.outcomes,
        labels=page.labels(here),
        currency=page.currency(here),
        now=at or here.now,
        may_act=here.viewer.may_act,
        live=here.fresh(snapshot),
        past=f"{urlencode(moment.query(at))}&" if at else "",
        filters=repr((filters, at)),
        revision=f"{snapshot.revision}.{watch.revision}",
    )
    hidden = board.total - len(payload["ids"])
    note = f"First {len(payload['ids']):,} of {board.total:,}; narrow the filters to see the rest" if hidden > 0 else ""
    grid(
        {**payload, "handled": watch.handled, "say": watch.say, "note": note},
        key="board",
        on_gesture=_gesture(here, board, watch),
    )


def _gesture(here: Here, board: Board, watch: Watch) -> Any:
    def act(gesture: Gesture) -> None:
        if not watch.first(gesture.click):
            return
        if gesture.kind == "say":
            words = ("assign", "unassign", "hold", "release", "note", "escalate", "mark_done")
            st.session_state["say"] = by_hand.Say(gesture.rows, words, gesture.click)
        elif gesture.kind == "ask":
            frame = board.frame
            values = dict(zip(board_model.text_column(frame, "order_id"), frame["value_at_risk"], strict=True))
            asked = {r.id: fmt.decimal(values.get(r.id)) for r in gesture.rows}
            st.session_state["confirm"] = Confirm(gesture.click, gesture.rows, asked, page.currency(here))
        else:
            answer = actions.act(here.api, here.viewer, "retry", gesture.rows, click=gesture.click)
            if answer.wants_reason:
                st.session_state["confirm"] = Confirm(f"{gesture.click}-why", gesture.rows, {}, page.currency(here))
            else:
                watch.sent(here, answer)

    return act


def _groups(here: Here, filters: Filters, watch: Watch, at: datetime | None) -> None:
    snapshot = here.api.json(here.viewer, "/v1/groups", moment.query(at), within_s=moment.kept_s(at))
    if not widgets.banner(snapshot, now=here.now, tz=here.tz, what="groups"):
        return
    assert snapshot.data is not None
    everything = list(snapshot.data.get("groups") or ())
    groups = board_model.narrow_groups(everything, filters)
    if everything and not groups:
        widgets.empty("No group matches", "Clear the search or a filter above to see more.")
        return
    if not groups:
        widgets.empty("Everything is moving", "No stuck orders, so there is nothing to group.")
        return
    payload = group_payload(
        groups,
        labels=page.labels(here),
        currency=page.currency(here),
        now=at or here.now,
        may_act=here.viewer.may_act,
        live=here.fresh(snapshot),
        past=at is not None,
        revision=str(snapshot.revision),
    )
    known = {group_id(g): g for g in groups}

    def act(gesture: Gesture) -> None:
        if not watch.first(gesture.click):
            return
        group = known.get(gesture.rows[0].id)
        if group is None:
            watch.tell("This group is gone; nothing was sent.", "bad")
        elif gesture.kind == "open":
            names = {"stage": group.get("stage") or None, "system": group.get("system") or None}
            st.session_state["goto"] = {**names, "q": str(group.get("error") or ""), "tab": "Orders"}
        else:
            _ask_group(here, group, gesture.click, watch)

    grid({**payload, "handled": watch.handled, "say": watch.say, "note": NOTE}, key="groups", on_gesture=act)


def _ask_group(here: Here, group: Mapping[str, Any], click: str, watch: Watch) -> None:
    """Freeze the orders a group has now, and ask before anything is sent."""
    asked = {"state": "stuck", "stage": group.get("stage"), "system": group.get("system"), "q": group.get("error")}
    try:
        body = here.api.orders(here.viewer, {k: str(v) for k, v in asked.items() if v} | {"limit": "1000"})
    except ApiError as error:
        watch.tell(f"Nothing was sent. {error}", "bad")
        return
    orders = [o for o in body.get("orders") or () if group_id(o) == group_id(group)]
    if not orders:
        watch.tell("This group is empty by now; nothing was sent.", "bad")
        return
    st.session_state["confirm"] = Confirm(
        click,
        tuple(Seen(str(o["order_id"]), str(o["version"])) for o in orders),
        {str(o["order_id"]): fmt.decimal(o.get("value_at_risk")) for o in orders},
        page.currency(here),
        stage=str(group.get("stage") or ""),
        title=str(group.get("error") or "no error reported"),
    )

"""One order: what is wrong first, then when it happened, what was tried, and the click that helps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from html import escape
from typing import Any

import streamlit as st

from dashboards.settings import settings
from dashboards.tower_ui import by_hand, charts, fmt, moment, page, repairs, why, widgets
from dashboards.tower_ui.board_model import address
from dashboards.tower_ui.client import Refused, Snapshot
from dashboards.tower_ui.confirm import ask
from dashboards.tower_ui.order_model import Clock, LogLine, OrderView, read_order
from dashboards.tower_ui.page import Here
from dashboards.tower_ui.watch import Watch
from dashboards.tower_ui.why_model import rules_of
from dashboards.tower_ui.widgets import Card
from dashboards.views.order_head import header

PLOT = {"displayModeBar": False, "scrollZoom": False}
SHOWN_LOGS = 20
# A refresh that shows the same charts neither makes them again here nor draws them again in the browser.
_bars = lru_cache(maxsize=64)(charts.milestone_bars)
_waterfall = lru_cache(maxsize=64)(charts.waterfall)


def show() -> None:
    """Draw the page."""
    confirm = st.session_state.pop("confirm", None)  # before the part that refreshes, which would run again for it
    say = st.session_state.pop("say", None)
    repair = st.session_state.pop("repair", None)
    page.who(page.here().viewer)
    wanted = str(st.query_params.get("id") or "").strip()
    if not wanted:
        _ask()
        return
    at = moment.wanted()
    if at is not None:
        moment.banner(page.here(), at)
    try:
        _live(wanted, at)
    except Refused as error:
        page.signed_out(error)
    if confirm is not None:
        ask(confirm)
    elif say is not None:
        by_hand.ask(say)
    elif repair is not None:
        repairs.ask(repair)


def _ask() -> None:
    """No order in the address: ask for one."""
    st.title("Order", anchor=False)

    def go() -> None:
        st.query_params["id"] = st.session_state["order_id"].strip()

    st.text_input(
        "Order id",
        key="order_id",
        placeholder="SO-100123, then Enter",
        on_change=go,
        width=420,
        icon=":material/search:",
    )
    widgets.note("info", "Type an order id, or click an order in the list of stuck orders.")


@st.fragment(run_every=settings().refresh_s)
def _live(wanted: str, at: datetime | None) -> None:
    """The whole page refreshes; each part keeps its place by its key."""
    here = page.here()
    try:
        place = f"/v1/orders/{_segment(wanted)}"
        snapshot = here.api.json(here.viewer, place, moment.query(at), within_s=moment.kept_s(at))
        if snapshot.not_found:
            st.title(wanted, anchor=False)
            widgets.note(
                "warn",
                f"The tower knows no order {wanted}.",
                "Check the id for typing errors. An order appears once its first milestone has arrived.",
            )
            here.pulse(snapshot, every=here.settings.refresh_s)
            return
        _draw(here, wanted, snapshot, at)
    except Refused as error:
        page.signed_out(error)
    if {"confirm", "say", "repair"} & set(st.session_state):
        st.rerun()  # a dialog must not hang on the part that refreshes


def _segment(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="")


def _draw(here: Here, wanted: str, snapshot: Snapshot[dict[str, Any]], at: datetime | None) -> None:
    if at is None:
        here.pulse(snapshot, every=here.settings.refresh_s)
    live = here.fresh(snapshot)
    here = replace(here, now=at or here.now)  # ages are those of the moment that is looked at
    if snapshot.data is None:
        st.title(wanted, anchor=False)
        widgets.banner(snapshot, now=here.now, tz=here.tz, what="order")
        return
    labels = page.labels(here)
    order = read_order(snapshot.data, labels)
    watch = Watch.here()
    watch.look(here)
    watch.speak()
    header(here, order, watch, live=live, past=at is not None)
    widgets.banner(snapshot, now=datetime.now(UTC), tz=here.tz, what="this order")
    widgets.status_line(watch.say)
    _problem(here, order)
    _cards(here, order)
    if text := order.score_text():
        st.html(f'<div class="t-detail">{escape(text)}</div>')
    left, right = st.columns(2, gap="medium")
    with left:
        widgets.heading("Milestones", "colour: how it went · dotted: when it was due")
        bars = order.bars(here.now)
        if bars:
            figure = _bars(tuple(bars), charts.standing(bars, here.now), here.tz, here.tokens)
            st.plotly_chart(figure, key="milestones", theme=None, config=PLOT)
        else:
            widgets.note("info", "No clock has started for this order.")
    with right:
        _trace(here, order)
        _tries(here, order)
        by_hand.said(here, order.by_hand)
    _events(here, order)
    widgets.heading("Clocks", "each promise on each object, and why it stands as it does")
    _clocks(here, order)
    why.section(
        here, order.id, rules_of(snapshot.data), order.stage or f"{order.next_milestone}.failed", order.labels, at
    )


def _problem(here: Here, order: OrderView) -> None:
    """The sentence an operator reads first."""
    if order.closed:
        at = fmt.moment(order.closed_at, here.tz, here.now)
        widgets.note(
            "good" if order.state == "done" else "info",
            f"This order is {fmt.state_word(order.state).lower()} since {at}.",
            f"{order.closed_by} marked it done by hand; it opens again when something contrary happens."
            if order.closed_by
            else "",
        )
    elif order.stuck:
        system = f"{fmt.system(order.system)}: " if order.system else ""
        text = order.error or f"no {fmt.words(order.next_milestone).lower()} from {fmt.system(order.system)} yet"
        widgets.note("bad", f"{system}{text}" if order.error else text[0].upper() + text[1:], order.sentence(here.now))
    else:
        widgets.note(
            "good" if order.state == "on_track" else "warn",
            f"Not stuck: {fmt.STATE_HELP.get(order.state, '')}.",
            order.sentence(here.now),
        )


def _cards(here: Here, order: OrderView) -> None:
    original = f"{fmt.money_full(order.amount)} {order.currency}" if order.amount is not None else ""
    worth = fmt.money_short(order.value_at_risk, page.currency(here))
    retries = Card("Retries", fmt.count(order.retries), order.last_outcome_text())
    if order.closed:
        took, (in_time, stopped) = order.took_s(), order.in_time()
        widgets.cards(
            [
                Card("Value", fmt.money_short(order.amount, order.currency), original),
                Card("Took", fmt.duration(took), "from its first clock to its end"),
                Card("In time", f"{in_time} of {stopped}", "clocks stopped before they were due"),
                retries,
            ]
        )
        return
    left = order.left_s(here.now)
    late = left is not None and left < 0
    since = f"since {fmt.moment(order.since, here.tz, here.now)} {here.zone}" if order.since else ""
    due = f"due {fmt.moment(order.due_at, here.tz, here.now)} {here.zone}" if order.due_at else "no target"
    where = page.path("", **address(order.labels, stage=order.stage, tab="By error")) if order.error else ""
    widgets.cards(
        [
            Card("Value at risk", worth, original, title=fmt.money_full(order.value_at_risk)),
            Card("Waiting", fmt.duration(order.age_s(here.now)), since),
            Card(
                "Late by" if late else "Time left",
                fmt.NONE if left is None else fmt.duration(abs(left)),
                due,
                tone="late" if late else "",
            ),
            retries,
            Card("Same error now", fmt.count(_same_error(here, order)), "stuck orders with it", href=where),
        ]
    )


def _same_error(here: Here, order: OrderView) -> int | None:
    if not order.stuck:
        return None
    found = (here.api.json(here.viewer, "/v1/groups").data or {}).get("groups") or ()
    return sum(
        int(g.get("count") or 0) for g in found if g.get("error") == order.error and g.get("stage") == order.stage
    )


def _trace(here: Here, order: OrderView) -> None:
    """What the middleware did in one attempt: the failed step first, how it came to it, what was logged meanwhile."""
    head, pick = st.columns([2, 3], vertical_alignment="center")
    with head:
        widgets.heading("Attempt", "red: failed · else by service")
    if not order.traces:
        widgets.note(
            "info",
            "No trace has been received for this order.",
            "Its middleware sends spans to /v1/traces that name it by o2c.order_id, o2c.shipment_id and so on.",
        )
        _log_lines(here, order.log, "Log lines about this order")
        return
    known = {t.id: t for t in order.traces}
    first = order.attempt()
    with pick:
        # The key names the attempt to look at first: a pick stays while others arrive, and a new failure is shown.
        chosen = st.selectbox(
            "Attempt",
            list(known),
            index=list(known).index(first),
            format_func=lambda i: known[i].label(here.tz, here.now),
            key=f"attempt-{order.id}-{first}",
            label_visibility="collapsed",
        )
    trace = known.get(chosen or first, known[first])
    link = f' <a href="{escape(trace.url)}" target="_blank" rel="noopener">Open trace ↗</a>' if trace.url else ""
    hop = f'<span class="t-bad">{escape(trace.hop)}</span>' if trace.hop else "Every step went well."
    st.html(f'<div class="t-hop">{hop}{link}</div>')
    st.plotly_chart(_waterfall(tuple(trace.spans), here.tokens), key="trace", theme=None, config=PLOT)
    if trace.steps > len(trace.spans):
        st.html(f'<div class="t-detail">{trace.steps - len(trace.spans)} more steps are not drawn.</div>')
    _log_lines(here, trace.log, "Log of this attempt")
    _log_lines(here, order.log, "Other log lines about this order")


def _log_lines(here: Here, lines: Sequence[LogLine], title: str) -> None:
    if not lines:
        return
    widgets.heading(title, f"last {SHOWN_LOGS} of {len(lines)}" if len(lines) > SHOWN_LOGS else "")
    rows = [
        [
            f'<span class="t-keep">{fmt.moment(line.at, here.tz, here.now)}</span>',
            _event(line.level, line.tone),
            f'<span class="t-keep">{escape(line.service)}</span>',
            _event(line.text[:500], line.tone),
        ]
        for line in lines[-SHOWN_LOGS:]
    ]
    headers = [(f"When ({here.zone})", "left"), ("Level", "left"), ("Service", "left"), ("Text", "left")]
    st.html(widgets.table(headers, rows, label=title))


def _clocks(here: Here, order: OrderView) -> None:
    rows = [
        [
            widgets.state_chip(c.verdict)
            if c.verdict
            else f'<span class="t-muted">{escape(fmt.words(c.state))}</span>',
            escape(c.label),
            escape(c.object),
            fmt.moment(c.started_at, here.tz, here.now),
            fmt.moment(c.due_at, here.tz, here.now),
            fmt.moment(c.stopped_at, here.tz, here.now),
            fmt.duration(c.used_s),
            fmt.duration(c.budget_s),
            _odds(c),
            fmt.moment(c.predicted_at, here.tz, here.now),
        ]
        for c in order.clocks
    ]
    headers = [
        ("State", "left"),
        ("Stage", "left"),
        ("Object", "left"),
        (f"Started ({here.zone})", "right"),
        ("Due", "right"),
        ("Stopped", "right"),
        ("Used", "right"),
        ("Allowed", "right"),
        ("Odds to breach", "right"),
        ("Half are through by", "right"),
    ]
    st.html(widgets.table(headers, rows, label="Clocks"))


def _odds(clock: Clock) -> str:
    share, source = fmt.percent(clock.odds, 1), clock.source()
    if share is None:
        return fmt.NONE
    return f"{share}%" + (f' <span class="t-muted">{escape(source)}</span>' if source else "")


def _events(here: Here, order: OrderView) -> None:
    """What happened, newest first."""
    widgets.heading("What happened", "newest first")
    rows = [
        [
            f'<span class="t-keep">{fmt.moment(e.at, here.tz, here.now)}</span>',
            escape(fmt.system(e.system)),
            _event(e.text, e.tone),
            f'<span class="t-keep">{escape(e.object)}</span>',
        ]
        for e in order.events
    ]
    headers = [(f"When ({here.zone})", "left"), ("System", "left"), ("Event", "left"), ("Object", "left")]
    st.html(widgets.table(headers, rows, label="Events, newest first"))


def _tries(here: Here, order: OrderView) -> None:
    """What people did about it, and what came of that."""
    widgets.heading("Retries", "who asked, and what came of it")
    tries = [_try(here, a) for a in order.actions]
    if tries:
        headers = [(f"When ({here.zone})", "left"), ("Who", "left"), ("Result", "left")]
        st.html(widgets.table(headers, tries, label="Retries"))
    else:
        widgets.note("info", "Nobody has retried this order.")


def _event(text: str, tone: str) -> str:
    return f'<span class="t-{tone}">{escape(text)}</span>' if tone else escape(text)


def _try(here: Here, item: Mapping[str, Any]) -> Sequence[str]:
    state = str(item.get("state") or "")
    _, tone, sentence = fmt.OUTCOMES.get(state, (state, "muted", state))
    at: datetime | None = fmt.instant(item.get("requested_at"))
    detail = str(item.get("detail") or "") if state in fmt.DETAILED else ""
    more = f' <span class="t-muted">{escape(detail)}</span>' if detail else ""
    return [
        f'<span class="t-keep">{fmt.moment(at, here.tz, here.now)}</span>',
        f'<span class="t-keep">{escape(str(item.get("requested_by") or fmt.NONE))}</span>',
        f'<span class="t-{tone}">{escape(sentence[:1].upper() + sentence[1:])}</span>{more}',
    ]

"""Batches: what was asked for, how far it is wave by wave, and the steps a person may take with a reason."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import streamlit as st

from dashboards.tower_ui import batch_model, fmt, page, widgets
from dashboards.tower_ui.batch_model import Batch
from dashboards.tower_ui.client import ApiError, Refused
from dashboards.tower_ui.page import Here
from dashboards.tower_ui.watch import Watch
from dashboards.tower_ui.widgets import Card

EVERY_S = 5.0
SHOWN = 100
ITEMS = 300
_WORDS = {"approve": "Approve", "pause": "Pause", "resume": "Resume", "cancel": "Cancel the rest"}
_DONE = {"approve": "approved", "pause": "held", "resume": "released", "cancel": "cancelled"}


def show() -> None:
    """Draw the page."""
    page.who(page.here().viewer)
    st.title("Actions", anchor=False)
    wanted = str(st.query_params.get("id") or "")
    try:
        if wanted:
            _one(wanted)
        else:
            page.live(_draw_list, EVERY_S, _filter())
    except Refused as error:
        page.signed_out(error)


def _filter() -> str:
    with st.container(key="filters"):
        chosen = st.selectbox(
            "State", list(batch_model.STATES), index=None, key="state", bind="query-params", placeholder="All states",
            format_func=lambda s: batch_model.STATES[s][1], width=260,
        )  # fmt: skip
    return str(chosen or "")


def _draw_list(here: Here, state: str) -> None:
    Watch.here().speak()
    params = {"limit": str(SHOWN), **({"state": state} if state else {})}
    snapshot = here.api.json(here.viewer, "/v1/actions", params)
    here.pulse(snapshot, every=EVERY_S)
    if not widgets.banner(snapshot, now=here.now, tz=here.tz, what="actions", off="acts are off"):
        return
    found = [batch_model.read_batch(a) for a in (snapshot.data or {}).get("actions") or ()]
    if not found:
        if state:
            widgets.empty(f"No action: {batch_model.STATES[state][1].lower()}", "Clear the filter to see all.")
        else:
            widgets.empty("Nothing was asked for yet", "Retry orders on the board; what comes of it shows here.")
        return
    waits = sum(b.state == "requested" for b in found)
    halted = sum(b.state in ("stopped", "paused") for b in found)
    widgets.cards(
        [
            Card("Running", fmt.count(sum(b.state == "running" for b in found)), "go, or wait for proof"),
            Card("Need approval", fmt.count(waits), "wait for a second person", tone="late" if waits else ""),
            Card("Stopped or paused", fmt.count(halted), "somebody has to look", tone="failing" if halted else ""),
            Card("Items that ended badly", fmt.count(sum(b.bad for b in found)), f"of the latest {len(found)} actions"),
        ]
    )
    widgets.heading("Latest first", "a line opens it")
    st.html(widgets.table(_HEADERS, [_line(here, b) for b in found], label="Actions"))


_HEADERS = [("State", "left"), ("Asked for", "left"), ("What", "left"), ("Why", "left"), ("Items", "right"),
            ("Progress", "left"), ("", "left")]  # fmt: skip


def _line(here: Here, b: Batch) -> list[str]:
    where = page.path("actions", id=b.action_id)
    asked = f"{escape(fmt.moment(b.at, here.tz, here.now))}<br><span class='t-muted'>{escape(b.by)}</span>"
    what = f"{escape(fmt.words(b.kind))} · {escape(b.safety or fmt.NONE)}"
    said = ", ".join(f"{n:,} {word}" for word, n, _ in batch_model.parts(b.progress))
    return [
        _chip(b.state), f'<a data-go="1" href="{escape(where)}">{asked}</a>', what, escape(b.reason or fmt.NONE),
        f"{b.total:,}", batch_model.bar(b.progress) + f'<div class="t-muted">{escape(said)}</div>',
        escape(b.why()) if b.state in ("stopped", "paused", "cancelled", "requested") else "",
    ]  # fmt: skip


def _chip(state: str) -> str:
    mark, word, tone, _ = batch_model.STATES.get(state, ("·", fmt.words(state), "muted", ""))
    return f'<span class="t-chip" style="--c:var(--t-{tone})">{mark} {escape(word)}</span>'


# -- one batch --------------------------------------------------------------------------------------------------------


def _one(action_id: str) -> None:
    st.html(f'<a class="t-link" data-go="1" href="{escape(page.path("actions"))}">All actions</a>')
    _live_one(action_id)


@st.fragment(run_every=EVERY_S)
def _live_one(action_id: str) -> None:
    here, watch = page.here(), Watch.here()
    watch.speak()
    try:
        snapshot = here.api.json(here.viewer, f"/v1/actions/{action_id}", fresh=True)
    except Refused as error:
        page.signed_out(error)
        return
    here.pulse(snapshot, every=EVERY_S)
    if snapshot.not_found:
        widgets.empty("There is no such action", "It may belong to another tower.")
        return
    if not widgets.banner(snapshot, now=here.now, tz=here.tz, what="the action", off="acts are off"):
        return
    widgets.status_line(watch.say)
    _draw_one(here, batch_model.read_batch(snapshot.data or {}))


def _draw_one(here: Here, b: Batch) -> None:
    st.html(
        f'<div class="t-head">{_chip(b.state)}<b>{escape(fmt.words(b.kind))}</b>'
        f'<span class="t-tag">{escape(b.safety)}: {escape(batch_model.SAFETY.get(b.safety, ""))}</span>'
        f"<span>asked for by <b>{escape(b.by)}</b> {escape(fmt.moment(b.at, here.tz, here.now))}</span></div>"
    )
    if b.state in ("stopped", "paused", "requested"):
        bad = b.state == "stopped"
        what = "Nothing more is sent. Mend the cause, then resume with a reason; or cancel the rest."
        widgets.note("bad" if bad else "warn", f"{batch_model.STATES[b.state][1]}: {b.why()}", what if bad else "")
    widgets.cards(
        [
            Card("Items", fmt.count(b.total), b.reason or "no reason was given", title=b.reason),
            Card("Verified", fmt.count(b.progress.get("verified", 0)), "the business moved", tone="good"),
            Card("Under way", fmt.count(b.progress.get("sent", 0) + b.progress.get("accepted", 0)), "sent, not proved"),
            Card("Waiting", fmt.count(b.progress.get("waiting", 0)), "not sent yet"),
            Card("Ended badly", fmt.count(b.bad), "no effect, refused, no answer", tone="failing" if b.bad else ""),
            Card("Arrived since", fmt.count(b.arrived), "match its filter, not in it"),
        ]
    )
    _steps(here, b)
    _waves(b)
    if b.steps:
        widgets.heading("What was said about it")
        st.html(widgets.table(
            [("When", "left"), ("Who", "left"), ("What", "left"), ("Why", "left")],
            [[escape(fmt.moment(fmt.instant(s.get("at")), here.tz, here.now)), escape(str(s.get("by"))),
              escape(str(s.get("step"))), escape(str(s.get("reason") or fmt.NONE))] for s in b.steps],
            label="Steps"))  # fmt: skip
    _items(b.items)


def _steps(here: Here, b: Batch) -> None:
    offered = b.steps_for(here.viewer)
    if b.state == "requested" and here.viewer.name == b.by:
        widgets.note("info", "You asked for this yourself; somebody else has to approve it.")
    if not offered:
        return
    columns = st.columns([3, *[1] * len(offered)], vertical_alignment="bottom")
    columns[0].text_input("Reason, for the audit", key="why_step", placeholder="say why")
    for column, step in zip(columns[1:], offered, strict=True):
        column.button(
            _WORDS[step], key=f"step-{step}", width="stretch", type="primary" if step == offered[0] else "secondary",
            on_click=_say, args=(b.action_id, step, secrets.token_hex(8)),
        )  # fmt: skip


def _say(action_id: str, step: str, click: str) -> None:
    """Take the step once, under the name of who clicked."""
    here, watch = page.here(), Watch.here()
    why = str(st.session_state.get("why_step") or "").strip()
    if len(why) < 3:
        watch.tell(f"Say first why: the audit keeps it with the {step}.", "bad")
        return
    if not watch.first(click):
        return
    try:
        told = here.api.post(here.viewer, f"/v1/actions/{action_id}/{step}", {"reason": why})
    except ApiError as error:
        watch.tell(f"Not done. {error}", "bad")
        return
    count = int(told.get("cancelled") or told.get("moved") or 0)
    watch.tell(f"{fmt.plural(count, 'item')} {_DONE[step]}.", "good")


def _waves(b: Batch) -> None:
    if len(b.waves) < 2:
        return
    share = f"each waits until {b.least_verified:.0%} of the one before are verified" if b.least_verified else ""
    widgets.heading("Waves", share)
    rows = []
    for wave in b.waves:
        said = ", ".join(f"{n:,} {word}" for word, n, _ in batch_model.parts(wave))
        rows.append([f"{wave.get('wave', 0)}", f"{wave.get('total', 0):,}", batch_model.bar(wave), escape(said)])
    headers = [("Wave", "right"), ("Items", "right"), ("Progress", "left"), ("", "left")]
    st.html(widgets.table(headers, rows, label="Waves"))


def _items(items: Sequence[Mapping[str, Any]]) -> None:
    note = f"{ITEMS} of {len(items):,}" if len(items) > ITEMS else ""
    widgets.heading("Items", note)
    unsent = ("requested", "approved")
    ranked = sorted(items, key=lambda i: (i.get("state") not in batch_model.BAD, i.get("state") in unsent))
    rows = []
    for item in ranked[:ITEMS]:
        short, tone, sentence = fmt.OUTCOMES.get(str(item.get("state")), (str(item.get("state")), "muted", ""))
        order = str(item.get("order_id"))
        where = page.path("order", id=order)
        rows.append(
            [
                f'<a data-go="1" href="{escape(where)}">{escape(order)}</a>',
                f"{escape(fmt.words(str(item.get('object_type'))))} {escape(str(item.get('object_id')))}",
                f'<span class="t-{tone}" title="{escape(sentence)}">{escape(short)}</span>',
                f"{item.get('attempts') or 0}",
                escape(str(item.get("detail") or fmt.NONE)),
            ]
        )
    headers = [
        ("Order", "left"),
        ("Object", "left"),
        ("Outcome", "left"),
        ("Sends", "right"),
        ("Said", "left"),
    ]
    st.html(widgets.table(headers, rows, label="Items"))

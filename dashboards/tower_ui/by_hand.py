"""The dialog in which somebody says something about orders by hand, and what it sends."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import streamlit as st

from dashboards.tower_ui import actions, fmt, hand_model, page, widgets
from dashboards.tower_ui.grid.grid import Seen
from dashboards.tower_ui.hand_model import WORDS
from dashboards.tower_ui.page import Here
from dashboards.tower_ui.watch import Watch


@dataclass(frozen=True, slots=True)
class Say:
    """About which orders, in the versions that were seen, and which words are offered."""

    rows: tuple[Seen, ...]
    offered: Sequence[str]
    click: str = field(default_factory=lambda: secrets.token_hex(12))


@st.dialog("By hand")
def ask(say: Say) -> None:
    """Ask for the word and its reason, then wait for the second click."""
    here = page.here()
    widgets.dialog_style(here.tokens)
    named = say.rows[0].id if len(say.rows) == 1 else f"{len(say.rows):,} orders"
    st.text(named)
    kind = st.segmented_control(
        "What to say",
        list(say.offered),
        default=say.offered[0],
        required=True,
        key="hand_kind",
        format_func=lambda k: WORDS[k].label,
    )
    word = WORDS[str(kind)]
    st.html(f'<div class="t-detail">{word.means}</div>')
    if kind == "assign":
        st.text_input("To whom", key="hand_to", value=here.viewer.name, max_chars=100)
    st.text_area(f"{word.asks}{'' if word.must else ' (may be left empty)'}", key="hand_why", max_chars=2000, height=90)
    if problem := st.session_state.pop("hand_problem", ""):
        widgets.note("warn", problem)
    yes, no = st.columns(2)
    yes.button(
        f"{word.label}: {named}",
        type="primary",
        key="hand_yes",
        width="stretch",
        on_click=_send,
        args=(say, str(kind)),
    )
    if no.button("Cancel", key="hand_no", width="stretch") or st.session_state.pop("hand_said", False):
        st.rerun()


def _send(say: Say, kind: str) -> None:
    """Send the word once, under the name of who clicked."""
    here, watch = page.here(), Watch.here()
    why = str(st.session_state.get("hand_why") or "").strip()
    if WORDS[kind].must and not why:
        st.session_state["hand_problem"] = "Say it in words first; others will read them."
        return
    if watch.first(f"say-{say.click}"):
        to = str(st.session_state.get("hand_to") or "").strip() if kind == "assign" else ""
        answer = actions.act(here.api, here.viewer, kind, say.rows, click=say.click, reason=why, assignee=to)
        watch.tell(hand_model.message(kind, answer), actions.tone(answer))
    st.session_state["hand_said"] = True


def said(here: Here, words: Sequence[Mapping[str, Any]]) -> None:
    """Draw what people said of an order by hand; nothing where nobody did."""
    if not words:
        return
    widgets.heading("By hand", "who said what, and why")
    rows = [
        [
            f'<span class="t-keep">{fmt.moment(fmt.instant(w.get("at")), here.tz, here.now)}</span>',
            escape(hand_model.sentence(w)),
            escape(str(w.get("said") or fmt.NONE)),
        ]
        for w in words
    ]
    headers = [(f"When ({here.zone})", "left"), ("What", "left"), ("Why", "left")]
    st.html(widgets.table(headers, rows, label="Said by hand"))

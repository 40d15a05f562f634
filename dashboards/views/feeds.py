"""How fresh each connection is: a late feed is not a late order, and this page tells them apart."""

from __future__ import annotations

from html import escape

import streamlit as st

from dashboards.tower_ui import fmt, page, widgets
from dashboards.tower_ui.client import Refused
from dashboards.tower_ui.page import Here
from dashboards.tower_ui.widgets import Card

EVERY_S = 10.0


def show() -> None:
    """Draw the page."""
    page.who(page.here().viewer)
    st.title("Feeds", anchor=False)
    try:
        _live()
    except Refused as error:
        page.signed_out(error)


@st.fragment(run_every=EVERY_S)
def _live() -> None:
    """The part that refreshes."""
    here = page.here()
    try:
        _draw(here)
    except Refused as error:
        page.signed_out(error)


def _draw(here: Here) -> None:
    snapshot = here.api.json(here.viewer, "/v1/feeds")
    here.pulse(snapshot, every=EVERY_S)
    if not widgets.banner(snapshot, now=here.now, tz=here.tz, what="feeds"):
        return
    feeds = list((snapshot.data or {}).get("feeds") or ())
    if not feeds:
        widgets.empty("No connections", "Name the sending systems in the file that TOWER_CONNECTIONS points at.")
        return
    late = [f for f in feeds if f.get("state") != "ok"]
    widgets.cards(
        [
            Card("Connections", fmt.count(len(feeds)), "configured"),
            Card("On time", fmt.count(len(feeds) - len(late)), "heard as expected", tone="good" if not late else ""),
            Card(
                "Late",
                fmt.count(len(late)),
                "orders that wait for them are unknown, not late",
                tone="late" if late else "",
            ),
        ]
    )
    rows = [_row(here, f) for f in sorted(feeds, key=lambda f: (f.get("state") == "ok", str(f.get("connection"))))]
    headers = [
        ("State", "left"),
        ("Connection", "left"),
        ("System", "left"),
        (f"Told up to ({here.zone})", "right"),
        ("Behind", "right"),
        ("Last message", "right"),
        ("Runs heard / due in 24 h", "right"),
    ]
    st.html(widgets.table(headers, rows, label="Feeds"))


def _row(here: Here, feed: dict[str, object]) -> list[str]:
    mark, tone, word = ("○", "good", "On time") if feed.get("state") == "ok" else ("▲", "bad", "Late")
    told, heard = fmt.instant(feed.get("watermark")), fmt.instant(feed.get("last_seen_at"))
    behind = fmt.duration(max(0.0, (here.now - told).total_seconds())) if told else "never heard"
    expected, got = feed.get("expected"), feed.get("got")
    return [
        f'<span class="t-{tone}">{mark} {word}</span>',
        escape(str(feed.get("connection") or "")),
        escape(fmt.system(str(feed.get("kind") or ""))),
        fmt.moment(told, here.tz, here.now),
        behind,
        f"{fmt.duration((here.now - heard).total_seconds())} ago" if heard else "never",
        fmt.NONE if expected is None else f"{got or 0} / {expected}",
    ]

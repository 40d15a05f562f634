"""The entry script: page set-up, style, the pages. Everything else lives in views/ and tower_ui/."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dashboards.tower_ui import page, widgets
from dashboards.views import (
    actions,
    alerts,
    audit,
    board,
    executive,
    feeds,
    flow,
    jeopardy,
    order,
    orphans,
    quarantine,
    rulebook,
    subscriptions,
    targets,
    wall,
)

ICON = Path(__file__).parent / "tower_ui" / "favicon.png"

st.set_page_config(page_title="O2C Control Tower", page_icon=str(ICON), layout="wide")

pages = {
    "": st.Page(board.show, title="Stuck orders", icon=":material/warning:", default=True),
    "alerts": st.Page(alerts.show, title="Alerts", icon=":material/notifications:", url_path="alerts"),
    "subscriptions": st.Page(
        subscriptions.show, title="Subscriptions", icon=":material/mark_email_unread:", url_path="subscriptions"
    ),
    "order": st.Page(order.show, title="Order", icon=":material/receipt_long:", url_path="order"),
    "flow": st.Page(flow.show, title="Flow map", icon=":material/account_tree:", url_path="flow"),
    "executive": st.Page(executive.show, title="Value", icon=":material/trending_up:", url_path="executive"),
    "jeopardy": st.Page(jeopardy.show, title="Jeopardy", icon=":material/trending_down:", url_path="jeopardy"),
    "feeds": st.Page(feeds.show, title="Feeds", icon=":material/sensors:", url_path="feeds"),
    "quarantine": st.Page(quarantine.show, title="Quarantine", icon=":material/report:", url_path="quarantine"),
    "orphans": st.Page(orphans.show, title="Orphans", icon=":material/link_off:", url_path="orphans"),
    "actions": st.Page(actions.show, title="Actions", icon=":material/play_circle:", url_path="actions"),
    "audit": st.Page(audit.show, title="Audit", icon=":material/fact_check:", url_path="audit"),
    "targets": st.Page(targets.show, title="Targets", icon=":material/hub:", url_path="targets"),
    "rulebook": st.Page(rulebook.show, title="Rulebook", icon=":material/menu_book:", url_path="rulebook"),
    "wall": st.Page(wall.show, title="Wall", icon=":material/tv:", url_path="wall"),
}
page.remember(pages)
widgets.style()
st.navigation(list(pages.values()), position="top").run()

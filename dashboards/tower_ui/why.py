"""The part of an order's page that answers why: stories, and behind a fold the SQL that gives the same verdict."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any
from urllib.parse import quote

import streamlit as st

from dashboards.tower_ui import fmt, moment, widgets
from dashboards.tower_ui.page import Here
from dashboards.tower_ui.why_model import Story, stories

EVERY_S = 15.0  # judging an order anew is work; its story does not change with each look


def section(
    here: Here, order_id: str, rules: Sequence[str], first: str, labels: Mapping[str, str], at: datetime | None
) -> None:
    """Draw the fold with the stories of one rule, `first` to begin with; it asks the tower only while it is open."""
    if not rules:
        return
    with st.expander("Why? What each verdict rests on", key="why", on_change="rerun") as opened:
        if opened.open:
            rule = st.selectbox(
                "Rule",
                rules,
                index=rules.index(first) if first in rules else 0,
                format_func=lambda r: labels.get(r, fmt.words(r.removesuffix(".failed"))),
                key=f"rule-{order_id}",
                width=420,
            )
            _one(here, order_id, str(rule), at)


def _one(here: Here, order_id: str, rule: str, at: datetime | None) -> None:
    place = f"/v1/orders/{quote(order_id, safe='')}/why"
    snapshot = here.api.json(here.viewer, place, {"rule": rule, **moment.query(at)}, within_s=EVERY_S)
    if snapshot.not_found or snapshot.data is None:
        widgets.note("warn", "The tower gave no evidence for this rule.", snapshot.error)
        return
    found = stories(snapshot.data, here.tz, here.now)
    if not found:
        widgets.note(
            "info", "This rule says nothing about this order.", "Its clock has not begun, or no fact speaks against it."
        )
    st.html("".join(map(_story, found)))
    with st.expander("The SQL and its parameters", key="why_sql", on_change="rerun") as opened:
        if opened.open:
            _sql(snapshot.data)


def _story(story: Story) -> str:
    chip = widgets.state_chip(story.state) if story.state else f'<span class="t-tag">{escape(story.over)}</span>'
    lines = "".join(
        f"<dt>{escape(line.name)}</dt><dd>{escape(line.text)}"
        + (f'<div class="t-detail">{escape(line.detail)}</div>' if line.detail else "")
        + "</dd>"
        for line in story.lines
    )
    return f'<section class="t-story"><h3>{escape(story.title)} {chip}</h3><dl>{lines}</dl></section>'


def _sql(body: Mapping[str, Any]) -> None:
    """Draw the text to copy: one script that runs as it is, or its steps where the key may not see all feeds."""
    st.code(json.dumps(body.get("parameters") or {}, indent=2), language="json")
    steps = [f"-- {step.get('table')}\n{step.get('sql')}" for step in body.get("sql") or ()]
    widgets.note("info", "Paste it into any ClickHouse client on the tower's database; it makes temporary tables only.")
    st.code(str(body.get("script") or "\n\n".join(steps)), language="sql", height=360)

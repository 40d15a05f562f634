"""The time machine: the moment a page is looked at, kept in its address, and the way there and back."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta

import streamlit as st

from dashboards.tower_ui import fmt, widgets
from dashboards.tower_ui.page import Here

PARAM = "as_of"
KEPT_S = 300.0  # the past stands still, and is judged anew by each question


def wanted() -> datetime | None:
    """Return the moment that the address names; None is the present."""
    return fmt.instant(st.query_params.get(PARAM))


def picker(here: Here) -> None:
    """Offer another moment; a pick goes into the address, which can be given to somebody else."""
    shown = (wanted() or here.now - timedelta(hours=1)).astimezone(here.tz)
    with st.popover("As of …", icon=":material/history:"), st.form("as_of", border=False):
        day = st.date_input("Day", shown.date(), key="as_of_day")
        hour = st.time_input(f"Time ({here.zone})", shown.time().replace(second=0, microsecond=0), key="as_of_time")
        if st.form_submit_button("Look back"):
            st.query_params[PARAM] = datetime.combine(day, hour, here.tz).isoformat()
            st.rerun()


def banner(here: Here, at: datetime) -> None:
    """Say that this is the past, and offer the way back."""
    with st.container(horizontal=True, vertical_alignment="center", key="pastbanner"):
        widgets.note(
            "warn",
            f"As of {fmt.moment(at, here.tz, here.now)} ({here.zone}); not live.",
            "Judged from the facts that had happened by then, by the rulebook in force. Nothing can be retried here.",
        )
        if st.button("Back to now", icon=":material/play_arrow:", key="back_to_live"):
            del st.query_params[PARAM]
            st.rerun()


def patience(at: datetime | None) -> AbstractContextManager[None]:
    """Say what one waits for while the past is judged; nothing for the present."""
    return nullcontext() if at is None else st.spinner("Judging all orders as of then …")


def query(at: datetime | None) -> dict[str, str]:
    """Return what to ask the tower with."""
    return {} if at is None else {PARAM: at.isoformat()}


def kept_s(at: datetime | None) -> float:
    """Return how old an answer may be: the past does not change while it is looked at."""
    return 0.0 if at is None else KEPT_S

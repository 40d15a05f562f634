"""What every page needs to begin: who looks, in which zone, in which colours, and where the other pages are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from html import escape
from typing import Any
from urllib.parse import urlencode, urlsplit

import streamlit as st

from dashboards.settings import Settings, settings
from dashboards.tower_ui import fmt, shared, signin, theme, widgets
from dashboards.tower_ui.client import Api, ApiError, Refused, Snapshot, Viewer
from dashboards.tower_ui.pulse import pulse as age_line

BOOK_S = 30.0  # how soon a new rulebook shows in labels
_PAGES: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Here:
    """One run of one page for one reader."""

    viewer: Viewer
    api: Api
    settings: Settings
    tz: tzinfo
    tokens: theme.Tokens
    now: datetime

    @property
    def zone(self) -> str:
        """The short name of the reader's zone."""
        return fmt.zone_name(self.tz, self.now)

    def pulse(self, snapshot: Snapshot[Any], *, every: float, big: bool = False) -> None:
        """Draw the age line at the top right of the page."""
        with st.container(key="wallpill" if big else "pill"):
            age_line.pulse(snapshot, now=self.now, tz=self.tz, every=every, big=big)

    def fresh(self, snapshot: Snapshot[Any]) -> bool:
        """Return whether the data are young enough to act on."""
        age = snapshot.age_s(self.now)
        return age is not None and age < age_line.DEAD_S


def remember(pages: Mapping[str, Any]) -> None:
    """Keep the pages by their path; the same for every reader."""
    _PAGES.update(pages)


def go(path: str, **query: str) -> None:
    """Change to another page of this app."""
    st.switch_page(_PAGES[path], query_params=query)


def path(place: str, **query: str) -> str:
    """Return a link to a page of this app, for an element with data-go; empty parts of the query are left out."""
    kept = {k: v for k, v in query.items() if v}
    return f"{place or '.'}" + (f"?{urlencode(kept)}" if kept else "")


def url(place: str, **query: str) -> str:
    """Return the whole address of a page, to be given to somebody else."""
    base = urlsplit(st.context.url or "")
    return f"{base.scheme}://{base.netloc}/{path(place, **query)}"


def currency(here: Here) -> str:
    """Return the reporting currency, in which values at risk are counted; empty while the tower has not said."""
    return str(_rules(here).get("currency") or "")


def here() -> Here:
    """Return the run's context; stops the page with a sentence and a way on when nobody is signed in."""
    viewer = _viewer()
    if viewer is None:
        st.stop()
    return Here(
        viewer=viewer,
        api=shared.api(),
        settings=settings(),
        tz=fmt.zone(st.context.timezone),
        tokens=colours(),
        now=datetime.now(UTC),
    )


def colours() -> theme.Tokens:
    """Return the colours of the reader's appearance."""
    return theme.tokens(st.context.theme.type)


def labels(context: Here) -> dict[str, str]:
    """Return stage id -> label in process order; empty while the tower has not said."""
    return {str(s.get("id")): fmt.label(s) for s in _rules(context).get("stages") or ()}


def acts(context: Here) -> list[dict[str, Any]]:
    """Return what the rulebook lets people do about orders; empty while the tower has not said."""
    return list(_rules(context).get("actions") or ())


def _rules(context: Here) -> Mapping[str, Any]:
    """Return the rulebook; empty while the tower has not said, and for a key that may not see it: ids will do then."""
    try:
        return context.api.json(context.viewer, "/v1/rules", within_s=BOOK_S).data or {}
    except Refused as error:
        if error.signed_out:
            raise
        return {}


def live(draw: Callable[..., None], every_s: float, *args: Any) -> None:
    """Draw the part of a page that refreshes: draw(here, *args), now and every so often, in a run of its own."""

    @st.fragment(run_every=every_s)
    def part() -> None:
        try:
            draw(here(), *args)
        except Refused as error:
            signed_out(error)

    part()


def signed_out(error: Refused) -> None:
    """Say that the key is not accepted any more, and how to go on; stops the page."""
    if error.signed_out:
        shared.sessions().close(st.context.cookies.get(signin.COOKIE))
        widgets.note("bad", "The tower does not accept this key any more.", str(error))
        _sign_in_link()
    else:
        widgets.note("bad", "This key may not see this page.", str(error))
        if "executive" in here().viewer.roles:
            st.html(f'<a class="t-card" style="width:14rem" data-go="1" href="{path("executive")}">To the figures</a>')
    st.stop()


def _viewer() -> Viewer | None:
    known = shared.sessions().find(st.context.cookies.get(signin.COOKIE))
    if known is not None:
        return known
    key = settings().dash_key
    if not key:
        widgets.note(
            "info",
            "You are not signed in, or your session ended.",
            "Sign in with your own tower key; you come back to this page.",
        )
        _sign_in_link()
        return None
    try:
        return shared.shared_viewer(key)
    except Refused as error:
        widgets.note("bad", "The tower does not accept the key in TOWER_DASH_KEY.", str(error))
    except ApiError as error:
        widgets.note(
            "bad",
            "The tower has not answered yet, so nothing can be shown.",
            f"{error} This page asks again by itself. If it lasts: check that `tower run` is up and that "
            "TOWER_API_URL points at it.",
        )
        _ask_again()
    return None


def who(viewer: Viewer) -> None:
    """Say under whose name this page acts, and offer the way out."""
    roles = "may act" if viewer.may_act else "may approve" if viewer.may_approve else "may look"
    way = (
        '<a href="/login" target="_self">Sign in as yourself</a>'
        if viewer.shared
        else '<a href="/logout" target="_self">Sign out</a>'
    )
    shared_note = " (shared key)" if viewer.shared else ""
    with st.container(key="who"):
        st.html(f'<div class="t-who"><span><b>{escape(viewer.name)}</b>{shared_note} · {roles}</span>{way}</div>')


@st.fragment(run_every=3)
def _ask_again() -> None:
    """Run the page again once the tower answers."""
    try:
        shared.shared_viewer(settings().dash_key)
    except ApiError:
        return
    st.rerun()


def _sign_in_link() -> None:
    st.html('<a class="t-card" style="width:14rem" href="/login" target="_self">Sign in with your key</a>')

"""The pieces every page is made of: style, cards, banners, empty states. Text from outside is escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from dashboards.tower_ui import fmt, theme
from dashboards.tower_ui.client import Snapshot


@dataclass(frozen=True, slots=True)
class Card:
    """One figure. tone: a state or token name that colours the figure; empty for the text colour."""

    label: str
    value: str
    sub: str = ""
    tone: str = ""
    href: str = ""
    title: str = ""


def style() -> None:
    """Give the page its variables and the few rules that Streamlit has no setting for."""
    st.html(f"<style>.stApp,[data-testid=stDialog]{{{theme.variables('t-')}}}{_css()}</style>")


def dialog_style(tokens: theme.Tokens) -> None:
    """Tell a dialog the page's colour scheme: it is drawn outside the element that has it."""
    st.html(f"<style>[data-testid=stDialog]{{color-scheme:{tokens.name}}}</style>")


@cache
def _css() -> str:
    return (Path(__file__).parent / "page.css").read_text(encoding="utf-8")


def cards(items: Sequence[Card]) -> None:
    """Draw a row of cards of equal size."""
    st.html(f'<div class="t-cards" style="--n:{len(items)}">{"".join(map(_card, items))}</div>')


def _card(card: Card) -> str:
    tone = f' style="color:var(--t-{escape(card.tone)})"' if card.tone else ""
    tag, extra = ("a", f' href="{escape(card.href)}" data-go="1"') if card.href else ("div", "")
    title = f' title="{escape(card.title)}"' if card.title else ""
    return (
        f'<{tag} class="t-card"{extra}{title}><div class="t-label">{escape(card.label)}</div>'
        f'<div class="t-value"{tone}>{escape(card.value)}</div><div class="t-sub">{escape(card.sub)}</div></{tag}>'
    )


def state_chip(state: str) -> str:
    """Return the mark and word of a state as escaped HTML."""
    colour = state if state in fmt.STATES else "muted"
    return (
        f'<span class="t-chip" style="--c:var(--t-{colour}, var(--t-muted))">'
        f"{escape(fmt.state_mark(state))} {escape(fmt.state_word(state))}</span>"
    )


def table(headers: Sequence[tuple[str, str]], rows: Iterable[Sequence[str]], *, label: str) -> str:
    """Return a table as HTML. headers: (text, left or right); cells are HTML the caller has escaped."""
    head = "".join(f'<th class="{align}" scope="col">{escape(text)}</th>' for text, align in headers)
    aligns = [align for _, align in headers]
    body = "".join(
        "<tr>" + "".join(f'<td class="{a}">{c}</td>' for a, c in zip(aligns, row, strict=True)) + "</tr>"
        for row in rows
    )
    inside = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    return f'<table class="t-table" aria-label="{escape(label)}">{inside}</table>'


def banner(snapshot: Snapshot[Any], *, now: datetime, tz: tzinfo, what: str, off: str = "retries are off") -> bool:
    """Say plainly when data are old or missing and what is `off`; return whether there is anything to show.

    It has its place even when it says nothing: what stands below would otherwise be drawn anew when it comes and goes,
    and a table would forget what was selected.
    """
    if snapshot.error and snapshot.data is not None:
        age = fmt.duration(snapshot.age_s(now))
        note(
            "bad",
            f"No news from the tower for {age}. You see {what} as of {fmt.clock(snapshot.at, tz)} "
            f"{fmt.zone_name(tz, now)}; {off} until it answers.",
            snapshot.error,
        )
    elif snapshot.data is None:
        note(
            "bad",
            f"No {what}: the tower has not answered yet.",
            f"{snapshot.error or 'The first answer is on its way.'} This page keeps asking. If it lasts: check that "
            "`tower run` is up and that TOWER_API_URL points at it.",
        )
    else:
        st.empty()
    return snapshot.data is not None


def note(tone: str, text: str, detail: str = "") -> None:
    """Draw one message. tone: bad, warn, good or info."""
    more = f'<div class="t-detail">{escape(detail)}</div>' if detail else ""
    mark = {"bad": "✖", "warn": "▲", "good": "✓", "info": "·"}[tone]
    role = "alert" if tone == "bad" else "status"
    st.html(f'<div class="t-note {tone}" role="{role}"><span>{mark}</span><div><b>{escape(text)}</b>{more}</div></div>')


def status_line(text: str) -> None:
    """Say what became of the last click, for eyes and for screen readers."""
    if text:
        st.html(f'<div class="t-status" role="status" aria-live="polite">{escape(text)}</div>')


def empty(title: str, detail: str) -> None:
    """Draw what stands where a list would be."""
    st.html(f'<div class="t-empty"><div class="t-big">{escape(title)}</div><div>{escape(detail)}</div></div>')


def heading(text: str, note_text: str = "") -> None:
    """Draw the heading of a part of the page."""
    small = f'<span class="t-small">{escape(note_text)}</span>' if note_text else ""
    st.html(f'<h2 class="t-h2">{escape(text)}{small}</h2>')

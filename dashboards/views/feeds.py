"""How fresh each connection is and what it brings: a late feed is not a late order, and this page tells them apart."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from html import escape

import streamlit as st

from dashboards.settings import settings
from dashboards.tower_ui import charts, feed_model, fmt, page, widgets
from dashboards.tower_ui.board_model import address
from dashboards.tower_ui.feed_model import FeedView
from dashboards.tower_ui.page import Here
from dashboards.tower_ui.widgets import Card

EVERY_S = 2 * settings().refresh_s
PLOT = {"displayModeBar": False, "scrollZoom": False}
SHOWN_RANGES = 20


def show() -> None:
    """Draw the page."""
    page.who(page.here().viewer)
    st.title("Feeds", anchor=False)
    page.live(_draw, EVERY_S, str(st.query_params.get("feed") or ""))


def _draw(here: Here, wanted: str) -> None:
    snapshot = here.api.json(here.viewer, "/v1/feeds")
    here.pulse(snapshot, every=EVERY_S)
    if not widgets.banner(snapshot, now=here.now, tz=here.tz, what="feeds"):
        return
    body = snapshot.data or {}
    feeds = feed_model.read_feeds(body)
    if not feeds:
        widgets.empty("No connections", "Name the sending systems in the file that TOWER_CONNECTIONS points at.")
        return
    currency = page.currency(here)
    _cards(feeds, currency)
    without = [str(name) for name in body.get("unconfigured") or ()]
    if without:
        widgets.note(
            "warn",
            f"The rulebook promises {fmt.plural(len(without), 'feed')} that no connection has: {', '.join(without)}.",
            "Nothing waits for them. Name them in the connections file, or drop them from the rulebook.",
        )
    feed = feed_model.chosen(feeds, wanted)
    headers = [
        ("State", "left"),
        ("Connection", "left"),
        (f"Told up to ({here.zone})", "right"),
        ("Quiet, of what it may be", "left"),
        ("Last day", "left"),
        ("Got / expected", "right"),
        ("Orders that wait", "right"),
        ("What to do", "left"),
    ]
    rows = [_row(here, f, currency, here_now=feed is f) for f in feeds]
    st.html(widgets.table(headers, rows, label="Feeds"))
    if feed is not None:
        _detail(here, feed)


def _cards(feeds: Sequence[FeedView], currency: str) -> None:
    late = [f for f in feeds if f.late]
    odd = [f for f in feeds if f.tone == "warn"]
    unknown = sum(f.unknown for f in feeds)
    value = sum((f.value for f in feeds if f.value is not None), start=Decimal(0))
    held = sum(f.quarantined for f in feeds)
    waiting = page.path("", **address({}, view="unknown")) if unknown else ""
    widgets.cards(
        [
            Card("Connections", fmt.count(len(feeds)), f"{sum(not f.late for f in feeds):,} on time"),
            Card("Late", fmt.count(len(late)), "one finding each", tone="late" if late else "good"),
            Card(
                "Orders unknown",
                fmt.count(unknown),
                f"{fmt.money_short(value, currency)} waits for a late feed" if unknown else "no order waits for a feed",
                tone="unknown" if unknown else "",
                href=waiting,
            ),
            Card("Unusual", fmt.count(len(odd)), "counts, runs or numbers", tone="at_risk" if odd else ""),
            Card(
                "In quarantine",
                fmt.count(held),
                "messages that could not be used",
                href=page.path("quarantine") if held else "",
            ),
        ]
    )


def _row(here: Here, feed: FeedView, currency: str, *, here_now: bool) -> list[str]:
    told = fmt.moment(feed.watermark, here.tz, here.now) if feed.watermark else "never"
    link = page.path("feeds", feed=feed.name)
    current = ' aria-current="true"' if here_now else ""
    kind = f'<span class="t-small">{escape(fmt.system(feed.kind))}</span>'
    waits = fmt.NONE
    if feed.unknown:
        value = fmt.money_short(feed.value, currency)
        waits = f'{feed.unknown:,}<span class="t-small">{escape(value)}</span>'
    got = fmt.NONE if feed.got is None else f"{feed.got:,} / {fmt.count(feed.expected)}"
    return [
        f'<span class="t-{feed.tone} t-keep">{feed.mark} {escape(feed.word)}</span>',
        f'<a data-go="1" href="{escape(link)}"{current}>{escape(feed.name)}</a>{kind}',
        told,
        _freshness(here, feed),
        _strip(feed),
        got,
        waits,
        escape(feed.todo(here.now)) or '<span class="t-muted">Nothing</span>',
    ]


def _freshness(here: Here, feed: FeedView) -> str:
    """How much of its time to be quiet is used up: a bar with the figures beside it."""
    lag, share = feed.lag_s(here.now), feed.freshness(here.now)
    behind = fmt.duration(lag) if lag is not None else "never heard"
    if share is None:
        return f'<span class="t-muted">{behind}</span>'
    tone = "failing" if feed.late else "at_risk" if share >= 0.75 else "good"
    allowed = f" of {fmt.duration(feed.quiet_after_s)}" if feed.quiet_after_s and lag is not None else ""
    return (
        f'<div class="t-fresh"><div class="t-track"><i style="width:{share * 100:.0f}%;background:var(--t-{tone})"></i>'
        f"</div><span>{behind}{allowed}</span></div>"
    )


def _strip(feed: FeedView) -> str:
    """The last day in small: a bar per hour, or a mark per run."""
    if feed.runs:
        marks = "".join(f'<i class="{r.tone}" style="height:100%"></i>' for r in feed.runs[-24:])
        said = ", ".join(f"{sum(r.state == s for r in feed.runs)} {s}" for s in ("arrived", "late", "missing", "due"))
        return f'<div class="t-strip" role="img" aria-label="Runs: {said}">{marks}</div>'
    if not any(h.got or h.expected for h in feed.hours):
        return f'<span class="t-muted">{fmt.NONE}</span>'
    most = max(max(h.got, h.expected or 0) for h in feed.hours)
    bars = "".join(f'<i class="{h.tone}" style="height:{max(6, 100 * h.got / most):.0f}%"></i>' for h in feed.hours)
    return f'<div class="t-strip" role="img" aria-label="Events per hour, most {most:,}">{bars}</div>'


def _detail(here: Here, feed: FeedView) -> None:
    widgets.heading(feed.name, fmt.system(feed.kind) + (f" · speaks for {feed.scope}" if feed.scope else ""))
    todo = feed.todo(here.now)
    if feed.late:
        since = fmt.moment(feed.late_since, here.tz, here.now) if feed.late_since else ""
        widgets.note("bad", todo, f"Late since {since} {here.zone}." if since else "It has had no time to speak yet.")
    elif todo:
        widgets.note("warn", todo)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        if feed.runs:
            _runs(here, feed)
        else:
            _volume(here, feed)
    with right:
        _facts(here, feed)
    if feed.missing:
        _numbers(feed)


def _volume(here: Here, feed: FeedView) -> None:
    by = {"rulebook": "band: promised in the rulebook", "history": "band: usual for the hour of the week"}
    widgets.heading("Events per hour", by.get(feed.expected_by, "no expectation yet: it takes three weeks to learn"))
    if not feed.hours:
        widgets.note("info", "Nothing was heard in the last day.")
        return
    st.plotly_chart(charts.volume(feed.hours, here.tz, here.tokens), key="volume", theme=None, config=PLOT)


def _runs(here: Here, feed: FeedView) -> None:
    widgets.heading("Runs", "latest first; a message counts for the latest run before it")
    rows = [
        [
            f'<span class="t-{run.tone}">{escape(fmt.words(run.state))}</span>',
            fmt.moment(run.due_at, here.tz, here.now),
            fmt.moment(run.arrived_at, here.tz, here.now),
            fmt.duration((run.arrived_at - run.due_at).total_seconds()) if run.arrived_at else fmt.NONE,
        ]
        for run in reversed(feed.runs)
    ]
    headers = [("State", "left"), (f"Due ({here.zone})", "right"), ("Arrived", "right"), ("After", "right")]
    st.html(widgets.table(headers, rows[:12], label="Runs"))


def _facts(here: Here, feed: FeedView) -> None:
    widgets.heading("What it promises, and what it did")
    now, tz = here.now, here.tz
    heard = f"{fmt.duration((now - feed.last_seen_at).total_seconds())} ago" if feed.last_seen_at else "never"
    window = ""
    if feed.window_from and feed.window_to:
        window = f" from {feed.window_from.astimezone(tz):%H:%M} to {feed.window_to.astimezone(tz):%H:%M}"
    got = fmt.NONE if feed.got is None else f"{feed.got:,} of {fmt.count(feed.expected)}"
    facts = [
        ("Promises", feed.expects or "nothing: no verdict waits for it"),
        ("On calendar", feed.calendar or "always open"),
        ("Told up to", fmt.moment(feed.watermark, tz, now) if feed.watermark else "never"),
        ("Last message", heard),
        ("Late unless heard by", fmt.moment(feed.next_due_at, tz, now)),
        (f"Events{window}" if not feed.runs else "Runs in 24 h", got),
        ("Orders whose verdict waits", fmt.count(feed.waiting)),
        ("Missing numbers", fmt.count(feed.missing)),
    ]
    further = [
        ("Changes in its messages", feed.drift_text),
        ("Sent today, of its share", feed.quota_text),
        ("Turned away since the start", feed.turned_away),
    ]
    facts += [(name, value) for name, value in further if value]
    rows = [[escape(name), escape(value)] for name, value in facts]
    if feed.quarantined:
        where = page.path("quarantine", connection=feed.name)
        rows.append(["In quarantine", f'<a data-go="1" href="{escape(where)}">{feed.quarantined:,} messages</a>'])
    st.html(widgets.table([("", "left"), ("", "left")], rows, label=f"Facts of {feed.name}"))


def _numbers(feed: FeedView) -> None:
    widgets.heading("Missing numbers", "of the last 14 days; one that comes late closes its hole")
    rows = [[escape(of), escape(low), escape(high), f"{count:,}"] for of, low, high, count in feed.ranges]
    headers = [("Numbering", "left"), ("From", "right"), ("To", "right"), ("Missing", "right")]
    st.html(widgets.table(headers, rows[-SHOWN_RANGES:], label="Missing numbers"))

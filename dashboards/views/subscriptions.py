"""What a reader wants to hear of: their subscriptions, what is offered ready-made, and one in full."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import streamlit as st

from dashboards.settings import settings
from dashboards.tower_ui import alert_model, fmt, page, subscription_model, widgets
from dashboards.tower_ui.client import ApiError, NotFound, Refused, Snapshot
from dashboards.tower_ui.page import Here
from dashboards.tower_ui.watch import Watch
from dashboards.views import subscription_form

EVERY_S = 2 * settings().refresh_s


def show() -> None:
    """Draw the page."""
    here, watch = page.here(), Watch.here()
    page.who(here.viewer)
    st.title("Subscriptions", anchor=False)
    watch.speak()
    one, new, edit = (str(st.query_params.get(name) or "") for name in ("id", "new", "edit"))
    try:
        if one or new or edit:
            st.html(f'<a class="t-link" data-go="1" href="{escape(page.path("subscriptions"))}">All subscriptions</a>')
        widgets.status_line(watch.say)
        if new or edit:
            here.pulse(Snapshot(data={}, at=here.now), every=0)
            subscription_form.show(here, new, edit)
        elif one:
            _one(here, one)
        else:
            _list()
    except NotFound as error:
        widgets.note("warn", "There is no such subscription of yours.", str(error))
    except Refused as error:
        page.signed_out(error)
    except ApiError as error:
        widgets.note("bad", "The tower has not answered.", f"{error} Reload this page to ask again.")


@st.fragment(run_every=EVERY_S)
def _list() -> None:
    """The part that refreshes."""
    here = page.here()
    try:
        snapshot = here.api.json(here.viewer, "/v1/subscriptions")
    except Refused as error:
        page.signed_out(error)
        return
    here.pulse(snapshot, every=EVERY_S)
    if not widgets.banner(snapshot, now=here.now, tz=here.tz, what="subscriptions", off="nothing can be changed"):
        return
    data = snapshot.data or {}
    labels = page.labels(here)
    rows: Sequence[Mapping[str, Any]] = data.get("subscriptions") or ()
    if rows:
        widgets.heading("Who is told of what" if len({r.get("owner") for r in rows}) > 1 else "What you are told of")
        _table(here, [subscription_model.read(row, labels) for row in rows])
    else:
        widgets.empty("No subscriptions", "Nobody tells you of orders yet. Take one of these, or make your own.")
    href = escape(page.path("subscriptions", new="own"))
    st.html(f'<a class="t-link" data-go="1" href="{href}"><b>+ New subscription</b></a>')
    taken = {str(row.get("label")) for row in rows if row.get("owner") == here.viewer.name}
    _templates(here, [t for t in data.get("templates") or () if str(t.get("label")) not in taken])


def _table(here: Here, views: Sequence[subscription_model.View]) -> None:
    others = any(v.owner != here.viewer.name for v in views)
    rows = []
    for view in views:
        word, tone, todo = subscription_model.STATE_WORDS.get(view.state, (view.state, "muted", ""))
        told = fmt.plural(view.told, "notice") if view.told else "nothing yet"
        last = f", last {fmt.moment(view.told_at, here.tz, here.now)}" if view.told_at and view.told else ""
        rows.append(
            [
                f'<span class="t-keep" style="color:var(--t-{tone})">{word}</span>'
                + (f'<div class="t-muted" style="max-width:15rem">{escape(todo)}</div>' if todo else ""),
                f'<a data-go="1" href="{escape(page.path("subscriptions", id=view.id))}">{escape(view.label)}</a>'
                f'<div class="t-muted">{escape(view.about)}</div>',
                escape(view.way),
                escape(view.when),
                f"{told}{last}",
                *([escape(view.owner)] if others else []),
            ]
        )
    headers = [("State", "left"), ("Hears of", "left"), ("Where", "left"), ("When", "left")]
    headers += [(f"Told ({here.zone})", "left"), *([("Whose", "left")] if others else [])]
    st.html(widgets.table(headers, rows, label="Subscriptions"))


def _templates(here: Here, templates: Sequence[Mapping[str, Any]]) -> None:
    if not templates:
        return
    widgets.heading("Ready-made", "from the rulebook; told here, in your time zone")
    labels = page.labels(here)
    for template in templates:
        name = str(template["name"])
        about, look, take = st.columns([5, 2, 2], vertical_alignment="center")
        words = subscription_model.about_words(template, labels)
        when = subscription_model.DELIVERIES.get(str(template.get("deliver")), "")
        about.html(f"<b>{escape(str(template['label']))}</b><div>{escape(words)}. {escape(when)}.</div>")
        href = escape(page.path("subscriptions", new=name))
        look.html(f'<a class="t-link" data-go="1" href="{href}">Look or change first</a>')
        take.button("Subscribe", key=f"take-{name}", width="stretch", icon=":material/add_alert:",
                    on_click=_take, args=(dict(template), secrets.token_hex(8)))  # fmt: skip


def _take(template: dict[str, Any], click: str) -> None:
    here, watch = page.here(), Watch.here()
    if not watch.first(click):
        return
    wish = subscription_model.wish_of(subscription_model.form_of(template, subscription_form.zone()))
    try:
        here.api.post(here.viewer, "/v1/subscriptions", wish)
        here.api.json(here.viewer, "/v1/subscriptions", fresh=True)
        watch.tell(f"Subscribed to “{wish['label']}”.", "good")
    except ApiError as error:
        watch.tell(f"Not subscribed. {error}", "bad")


def _one(here: Here, subscription_id: str) -> None:
    row = here.api.get(here.viewer, f"/v1/subscriptions/{subscription_id}")
    here.pulse(Snapshot(data=row, at=here.now), every=0)
    view = subscription_model.read(row, page.labels(here))
    widgets.heading(view.label, view.about)
    word, _, todo = subscription_model.STATE_WORDS.get(view.state, (view.state, "", ""))
    if todo:
        widgets.note("warn", f"{word.split(' ', 1)[1]}: nothing is told.", f"{todo[:1].upper()}{todo[1:]}.")
    since = fmt.moment(view.created_at, here.tz, here.now)
    facts = [("State", word), ("Where", view.way), ("When", view.when), (f"Since ({here.zone})", since)]
    facts += [("Whose", view.owner)] if view.owner != here.viewer.name else []
    headers = [(name, "left") for name, _ in facts]
    st.html(widgets.table(headers, [[escape(text) for _, text in facts]], label="The subscription"))
    if view.state != "ended":
        change, end, _rest = st.columns([1, 1, 4])
        change.html(
            f'<a class="t-link" data-go="1" href="{escape(page.path("subscriptions", edit=view.id))}">Change…</a>'
        )
        end.button("End it", key="end", icon=":material/notifications_off:", width="stretch",
                   help="Nothing further is told. It cannot be taken back; subscribe again instead.",
                   on_click=_end, args=(view.id, view.label, secrets.token_hex(8)))  # fmt: skip
    _told(here, row.get("sent") or ())


def _end(subscription_id: str, label: str, click: str) -> None:
    here, watch = page.here(), Watch.here()
    if not watch.first(click):
        return
    try:
        here.api.change(here.viewer, "DELETE", f"/v1/subscriptions/{subscription_id}")
        here.api.json(here.viewer, "/v1/subscriptions", fresh=True)
        watch.tell(f"“{label}” has ended.", "good")
    except ApiError as error:
        watch.tell(f"Nothing is known of it. {error}", "bad")


def _told(here: Here, rows: Sequence[Mapping[str, Any]]) -> None:
    widgets.heading("Notices", "latest first")
    if not rows:
        widgets.note("info", "Nothing was told yet.")
        return
    table = [
        [
            fmt.moment(fmt.instant(n.get("at")), here.tz, here.now),
            escape(alert_model.REASONS.get(str(n.get("reason")), str(n.get("reason")))),
            escape(str(n.get("title") or "")),
            escape(str(n.get("state"))),
            escape(str(n.get("detail") or "")),
        ]
        for n in rows
    ]
    headers = [
        (f"At ({here.zone})", "left"),
        ("Why", "left"),
        ("It says", "left"),
        ("State", "left"),
        ("Answer", "left"),
    ]
    st.html(widgets.table(headers, table, label="Notices of the subscription"))

"""What was heard and belongs to no order: how old, what it is worth, who it may be, and the click that ties it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from html import escape

import streamlit as st

from dashboards.settings import settings
from dashboards.tower_ui import fmt, orphan_model, page, widgets
from dashboards.tower_ui.client import ApiError, Refused
from dashboards.tower_ui.orphan_model import OrphanView
from dashboards.tower_ui.page import Here
from dashboards.tower_ui.watch import Watch
from dashboards.tower_ui.widgets import Card

EVERY_S = 2 * settings().refresh_s
SHOWN = 200


def show() -> None:
    """Draw the page."""
    page.who(page.here().viewer)
    st.title("Orphans", anchor=False)
    wanted = str(st.query_params.get("object") or "")
    try:
        if wanted:
            _one(wanted)
        else:
            page.live(_draw, EVERY_S, *_filters())
    except Refused as error:
        page.signed_out(error)


def _filters() -> tuple[str, str, str]:
    """Draw the filters; the address of the page is their state."""
    with st.container(key="filters"):
        kind, text, sort = st.columns([1.4, 2, 1.4], vertical_alignment="bottom")
    with kind:
        k = st.selectbox(
            "Kind of object",
            orphan_model.TYPES,
            index=None,
            key="kind",
            bind="query-params",
            placeholder="All kinds",
            format_func=fmt.words,
        )
    with text:
        q = st.text_input("Id", key="find", bind="query-params", placeholder="part of an id", icon=":material/search:")
    with sort:
        s = st.selectbox(
            "Sort",
            list(orphan_model.SORTS),
            key="by",
            bind="query-params",
            format_func=lambda n: orphan_model.SORTS[n],
        )
    return str(k or ""), str(q or ""), str(s or "-value")


def _draw(here: Here, kind: str, text: str, sort: str) -> None:
    watch = Watch.here()
    watch.speak()
    params = {"object_type": kind, "q": text.strip(), "sort": sort, "limit": str(SHOWN)}
    snapshot = here.api.json(here.viewer, "/v1/orphans", {k: v for k, v in params.items() if v})
    here.pulse(snapshot, every=EVERY_S)
    if not widgets.banner(snapshot, now=here.now, tz=here.tz, what="orphans", off="acts are off"):
        return
    widgets.status_line(watch.say)
    found = orphan_model.read_orphans(snapshot.data or {})
    if not found.total:
        if kind or text:
            widgets.empty("No orphan matches", "Clear the filters to see all.")
        else:
            widgets.empty("Nothing is lost", "Everything that was heard belongs to an order.")
        return
    currency = page.currency(here)
    shared = sum(bool(o.candidates) for o in found.rows)
    oldest = max((o.age_s for o in found.rows if o.age_s is not None), default=None)
    widgets.cards(
        [
            Card("Orphans", fmt.count(found.total), "belong to no order on the board", tone="late"),
            Card(
                "Worth",
                fmt.money_short(found.value, currency),
                "of those that say an amount",
                title=fmt.money_full(found.value, currency),
            ),
            Card("Oldest shown", fmt.duration(oldest), "since it was first told of"),
            Card(
                "Shared numbers", fmt.count(shared), "stand for more than one order", tone="at_risk" if shared else ""
            ),
        ]
    )
    note = f"{len(found.rows):,} of {found.total:,}" if len(found.rows) < found.total else "a line opens it"
    widgets.heading("Objects without an order", note)
    _table(found.rows, currency)


def _table(rows: Sequence[OrphanView], currency: str) -> None:
    cells = []
    for o in rows:
        where = page.path("orphans", object=o.ref)
        key = " · ".join(part for part in (fmt.words(o.key) if o.key else "", o.scope) if part)
        small = f'<span class="t-small">{escape(key)}</span>' if key else ""
        cells.append(
            [
                escape(fmt.words(o.object_type)),
                f'<a data-go="1" href="{escape(where)}">{escape(o.number)}</a>{small}',
                fmt.duration(o.age_s),
                fmt.money_full(o.value, currency),
                escape(", ".join(map(fmt.words, o.milestones)) or fmt.NONE),
                escape(", ".join(o.sources) or fmt.NONE),
                escape(o.why()),
            ]
        )
    headers = [
        ("Object", "left"),
        ("Number", "left"),
        ("Age", "right"),
        ("Value", "right"),
        ("What was told", "left"),
        ("By", "left"),
        ("Why it is here", "left"),
    ]
    st.html(widgets.table(headers, cells, label="Orphans"))


# -- one object -------------------------------------------------------------------------------------------------------


def _one(ref: str) -> None:
    """One orphan, and the ways to tie it to what it belongs to. It stands still until something is done."""
    here, watch = page.here(), Watch.here()
    watch.speak()
    st.html(f'<a class="t-link" data-go="1" href="{escape(page.path("orphans"))}">All orphans</a>')
    kind, _, name = ref.partition(":")
    snapshot = here.api.json(
        here.viewer, "/v1/orphans", {"object_type": kind, "q": name, "limit": str(SHOWN)}, fresh=True
    )
    here.pulse(snapshot, every=0)
    if not widgets.banner(snapshot, now=here.now, tz=here.tz, what="orphans", off="acts are off"):
        return
    widgets.status_line(watch.say)
    orphan = next((o for o in orphan_model.read_orphans(snapshot.data or {}).rows if o.ref == ref), None)
    if orphan is None:
        widgets.note(
            "good", f"{fmt.words(kind)} {name} is no orphan any more.", "It belongs to an order, or was never heard of."
        )
        return
    currency = page.currency(here)
    own = f"{fmt.money_full(orphan.amount)} {orphan.currency}".strip() if orphan.amount is not None else ""
    widgets.heading(f"{fmt.words(orphan.object_type)} {orphan.number}", orphan.why())
    widgets.cards(
        [
            Card("Age", fmt.duration(orphan.age_s), f"first told {fmt.moment(orphan.first_at, here.tz, here.now)}"),
            Card("Value", fmt.money_short(orphan.value, currency), own),
            Card("Events", fmt.count(orphan.events), ", ".join(map(fmt.words, orphan.milestones))),
            Card("Told by", fmt.count(len(orphan.sources)), ", ".join(orphan.sources)),
        ]
    )
    may = here.viewer.may_act
    st.text_input(
        "Why does it belong there? The audit keeps it.", key="why_link", placeholder="say it first", disabled=not may
    )
    if orphan.candidates:
        _candidates(orphan, may=may)
    _by_hand(orphan, may=may)
    if not may:
        widgets.note("info", "Your key may look, not act.")


def _candidates(orphan: OrphanView, *, may: bool) -> None:
    widgets.heading("Which one is it?", f"{orphan.number} was said of each of these")
    for number, (kind, name) in enumerate(orphan.candidates):
        left, right = st.columns([3, 1], vertical_alignment="center")
        where = page.path("order", id=name) if kind == "order" else ""
        shown = f'<a class="t-link" data-go="1" href="{escape(where)}">{escape(name)}</a>' if where else escape(name)
        left.html(f'<div class="t-card">{escape(fmt.words(kind))} <b>{shown}</b></div>')
        right.button(
            f"It is {name}",
            key=f"is-{number}",
            width="stretch",
            disabled=not may,
            on_click=_link,
            args=(orphan.ref, kind, name, orphan.object_type, secrets.token_hex(8)),
        )


def _by_hand(orphan: OrphanView, *, may: bool) -> None:
    widgets.heading("Tie it by hand", "to the order, or to what it hangs from")
    kinds = orphan_model.above(orphan.object_type)
    kind, name, act = st.columns([1, 2, 1], vertical_alignment="bottom")
    chosen = kind.selectbox("It belongs to", kinds, key="to_kind", format_func=fmt.words, disabled=not may)
    name.text_input("Id", key="to_id", placeholder="SO-100123", disabled=not may)
    same = chosen == orphan.object_type
    act.button(
        "It is the same" if same else "Tie it",
        key="tie",
        type="primary",
        width="stretch",
        disabled=not may,
        on_click=_link,
        args=(orphan.ref, chosen, None, orphan.object_type, secrets.token_hex(8)),
    )


def _link(ref: str, kind: str, name: str | None, own: str, click: str) -> None:
    """State the link once, under the name of who clicked. `name`: none stands for what was typed last."""
    here, watch = page.here(), Watch.here()
    why = str(st.session_state.get("why_link") or "").strip()
    to = (str(st.session_state.get("to_id") or "") if name is None else name).strip()
    if len(why) < 3 or not to:
        watch.tell("Say first why it belongs there." if to else "Name what it belongs to.", "bad")
        return
    if not watch.first(click):
        return
    request = {"from": ref, "to": f"{kind}:{to}", "reason": why}
    if kind == own:  # two names of one object
        request["relation"] = "alias"
    try:
        here.api.post(here.viewer, "/v1/links", request)
    except ApiError as error:
        watch.tell(f"Not tied. {error}", "bad")
        return
    watch.tell(f"{ref.partition(':')[2]} belongs to {to} now.", "good")

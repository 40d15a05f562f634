"""The audit: who did what and why, whether the chain is whole, and the same as a file that proves itself."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import streamlit as st

from dashboards.tower_ui import fmt, page, widgets
from dashboards.tower_ui.client import ApiError, Refused
from dashboards.tower_ui.page import Here

SHOWN = 200
_KEPT = ("order_id", "object_id", "stage", "status_code", "said", "roles", "scopes")


def show() -> None:
    """Draw the page."""
    page.who(page.here().viewer)
    st.title("Audit", anchor=False)
    try:
        _draw(page.here())
    except Refused as error:
        page.signed_out(error)


def _draw(here: Here) -> None:
    with st.container(key="filters"):
        who, act, order, check = st.columns([1.4, 1.4, 1.6, 1.2], vertical_alignment="bottom")
    chosen = {
        "actor": who.text_input("Who", key="who_did", bind="query-params", placeholder="name of a key"),
        "act": act.text_input("Act", key="act", bind="query-params", placeholder="retry, approve, replay …"),
        "order_id": order.text_input("Order", key="order", bind="query-params", placeholder="SO-100123"),
    }
    if check.button("Check the chain", key="verify", icon=":material/verified:", width="stretch"):
        _verify(here)
    params = {"limit": str(SHOWN), **{k: v.strip() for k, v in chosen.items() if v and v.strip()}}
    snapshot = here.api.json(here.viewer, "/v1/audit", params, fresh=True)
    here.pulse(snapshot, every=0)
    if not widgets.banner(snapshot, now=here.now, tz=here.tz, what="the audit", off="nothing can be checked"):
        return
    rows = (snapshot.data or {}).get("audit") or ()
    if not rows:
        if len(params) > 1:
            widgets.empty("Nothing matches", "Clear the filters to see all.")
        else:
            widgets.empty("Nothing was done yet", "Each act is here before it is done.")
        return
    more = bool((snapshot.data or {}).get("next_cursor"))
    widgets.heading("Latest first", f"the latest {len(rows)}" if more else fmt.plural(len(rows), "row"))
    headers = [("Row", "right"), ("When", "left"), ("Who", "left"), ("Act", "left"), ("About", "left"), ("Why", "left"),
               ("Hash", "left")]  # fmt: skip
    st.html(widgets.table(headers, [_line(here, r) for r in rows], label="Audit"))
    _file(here)


def _line(here: Here, row: Mapping[str, Any]) -> list[str]:
    detail = row.get("detail") or {}
    order = str(detail.get("order_id") or "")
    said = " · ".join(f"{fmt.words(n)} {detail[n]}" for n in _KEPT if n != "order_id" and detail.get(n))
    about = f'<a data-go="1" href="{escape(page.path("order", id=order))}">{escape(order)}</a> ' if order else ""
    subject = "" if order else escape(str(row.get("subject")))
    when = fmt.instant(row.get("at"))
    return [
        f"{row.get('seq'):,}", escape(fmt.moment(when, here.tz, here.now)), escape(str(row.get("actor"))),
        escape(str(row.get("act"))), f'{about}{subject}<div class="t-muted">{escape(said)}</div>',
        escape(str(row.get("why") or fmt.NONE)), f"<code>{escape(str(row.get('hash'))[:12])}</code>",
    ]  # fmt: skip


def _verify(here: Here) -> None:
    """Ask the tower to go over every hash, and say what it found."""
    try:
        told = here.api.get(here.viewer, "/v1/audit", {"verify": "true", "limit": "1"})
    except ApiError as error:
        widgets.note("bad", "The chain was not checked.", str(error))
        return
    found = told.get("verified") or {}
    last: Mapping[str, Any] = next(iter(told.get("audit") or ()), {})
    if found.get("ok"):
        head = f"Its last row is {last.get('seq')}, with the hash {last.get('hash')}." if last else "It is empty."
        widgets.note("good", "The chain is whole: no row was changed, removed or added.", head)
    else:
        said = "From there on the audit proves nothing. Compare with a backup and with exported files."
        widgets.note("bad", f"The chain is broken at row {found.get('first_broken')}.", said)


def _file(here: Here) -> None:
    """Offer the audit as a file; fetched when somebody asks, not with every look."""
    widgets.heading("As a file", "every row with its hashes; `tower audit verify FILE` checks it without a tower")
    form = st.segmented_control("Format", ["csv", "ndjson"], default="csv", key="form", label_visibility="collapsed")
    if form and st.button("Fetch the file", key="fetch", icon=":material/description:"):
        try:
            text = here.api.text(here.viewer, "/v1/audit", {"format": str(form)})
        except ApiError as error:
            widgets.note("bad", "The file was not made.", str(error))
            return
        st.download_button(f"Save audit.{form}", text, file_name=f"audit.{form}", key="save", type="primary")

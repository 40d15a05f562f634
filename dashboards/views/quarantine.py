"""Messages that could not be used: why, how many, what one looks like, and the act that mends or ends it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import streamlit as st

from dashboards.settings import settings
from dashboards.tower_ui import fmt, page, quarantine_model, widgets
from dashboards.tower_ui.client import ApiError, NotFound, Refused, Snapshot
from dashboards.tower_ui.page import Here
from dashboards.tower_ui.quarantine_model import GroupView, HeldView
from dashboards.tower_ui.watch import Watch
from dashboards.tower_ui.widgets import Card

EVERY_S = 2 * settings().refresh_s
SHOWN = 100
SAY_WHY = "Say why it may go: the reason is kept with it."
MOST = 500  # the tower takes no more at once


@dataclass(frozen=True, slots=True)
class Act:
    """An act on exactly these messages, which a person is asked to confirm."""

    kind: str  # replay, discard
    ids: tuple[str, ...]
    title: str
    click: str


def show() -> None:
    """Draw the page."""
    page.who(page.here().viewer)
    act = st.session_state.pop("quarantine_act", None)
    query = {name: str(st.query_params.get(name) or "") for name in ("id", "reason", "connection")}
    st.title("Quarantine", anchor=False)
    try:
        if query["id"]:
            _one(query["id"])
        else:
            page.live(_draw, EVERY_S, query["reason"], query["connection"])
    except Refused as error:
        page.signed_out(error)
    if isinstance(act, Act):
        _ask(act)


# -- groups and the list ----------------------------------------------------------------------------------------------


def _draw(here: Here, code: str, connection: str) -> None:
    if "quarantine_act" in st.session_state:
        st.rerun()  # a dialog belongs to the whole page
    watch = Watch.here()
    watch.speak()
    params = {"connection": connection} if connection else {}
    chosen = {**params, **({"reason": code} if code else {}), "limit": str(SHOWN)}
    snapshot, listed = here.api.json_at_once(
        here.viewer, [("/v1/quarantine/groups", params), ("/v1/quarantine", chosen)]
    )
    here.pulse(snapshot, every=EVERY_S)
    if not widgets.banner(snapshot, now=here.now, tz=here.tz, what="held messages", off="acts are off"):
        return
    widgets.status_line(watch.say)
    groups = quarantine_model.read_groups(snapshot.data or {})
    held = quarantine_model.read_held(listed.data or {})
    if not groups:
        where = f" of {connection}" if connection else ""
        widgets.empty("Nothing is held", f"Every message{where} could be used, or was settled.")
        _all(code, connection)
        return
    _cards(here, groups)
    _groups(here, groups, code)
    group = next((g for g in groups if g.code == code and (not connection or g.connection == connection)), None)
    if code and group is None:
        widgets.note("good", f"Nothing is held because of {quarantine_model.reason(code).title.lower()} any more.")
    elif group is not None:
        _group(here, group, held, live=here.fresh(snapshot))
    _all(code, connection)
    widgets.heading("Messages", f"latest first, at most {SHOWN}")
    _list(here, held)


def _all(code: str, connection: str) -> None:
    if code or connection:
        st.html(f'<a class="t-link" data-go="1" href="{escape(page.path("quarantine"))}">Show all held messages</a>')


def _cards(here: Here, groups: Sequence[GroupView]) -> None:
    oldest = min((g.first_at for g in groups if g.first_at), default=None)
    worst = groups[0]
    widgets.cards(
        [
            Card("Held", fmt.count(quarantine_model.total(groups)), "messages that could not be used", tone="late"),
            Card("Most often", fmt.count(worst.count), quarantine_model.reason(worst.code).title),
            Card("Connections", fmt.count(len({g.connection for g in groups})), "have held messages"),
            Card(
                "Oldest",
                fmt.duration((here.now - oldest).total_seconds()) if oldest else fmt.NONE,
                f"since {fmt.moment(oldest, here.tz, here.now)} {here.zone}" if oldest else "",
            ),
        ]
    )


def _groups(here: Here, groups: Sequence[GroupView], code: str) -> None:
    widgets.heading("By reason", "most first; a line opens its messages")
    rows = []
    for g in groups:
        reason = quarantine_model.reason(g.code)
        where = page.path("quarantine", reason=g.code, connection=g.connection)
        current = ' aria-current="true"' if g.code == code else ""
        gone = "" if g.readable == g.count else f'<span class="t-small">{g.readable:,} with a body</span>'
        rows.append(
            [
                f'<a data-go="1" href="{escape(where)}"{current}>{escape(reason.title)}</a>',
                f'<span class="t-keep">{escape(g.connection or fmt.NONE)}</span>',
                f"{g.count:,}{gone}",
                fmt.moment(g.last_at, here.tz, here.now),
                escape(_short(g.detail)),
                escape(reason.todo),
            ]
        )
    headers = [
        ("Why", "left"),
        ("Connection", "left"),
        ("Held", "right"),
        (f"Latest ({here.zone})", "right"),
        ("The latest says", "left"),
        ("What to do", "left"),
    ]
    st.html(widgets.table(headers, rows, label="Held messages by reason"))


def _group(here: Here, group: GroupView, held: Sequence[HeldView], *, live: bool) -> None:
    """What can be done with one group, for exactly the messages that are listed."""
    reason = quarantine_model.reason(group.code)
    widgets.heading(reason.title, group.connection)
    widgets.note("info", reason.todo, ", ".join(group.mappings))
    ids = tuple(h.id for h in held if h.code == group.code and h.connection == group.connection)[:MOST]
    may = here.viewer.may_act and live and bool(ids)
    replay, discard, _ = st.columns([1, 1, 3])
    for column, kind, word, icon in (
        (replay, "replay", "Replay", ":material/replay:"),
        (discard, "discard", "Discard", ":material/delete:"),
    ):
        column.button(
            f"{word} {fmt.plural(len(ids), 'message')}…",
            key=f"{kind}-group",
            icon=icon,
            width="stretch",
            disabled=not may or (kind == "replay" and not reason.helps),
            help=_why_not(here, live=live, helps=kind == "discard" or reason.helps),
            on_click=_wants,
            args=(Act(kind, ids, f"{reason.title}, {group.connection}", secrets.token_hex(8)),),
        )


def _why_not(here: Here, *, live: bool, helps: bool) -> str | None:
    if not here.viewer.may_act:
        return "Your key may look, not act."
    if not live:
        return "No data from the tower for 30 s; acts wait until it answers."
    return None if helps else "Another try gives the same: see what to do."


def _list(here: Here, held: Sequence[HeldView]) -> None:
    rows = [
        [
            fmt.moment(h.received_at, here.tz, here.now),
            f'<span class="t-keep">{escape(h.connection or fmt.NONE)}</span>',
            f'<a data-go="1" href="{escape(page.path("quarantine", id=h.id))}">{escape(h.what or h.id)}</a>',
            escape(quarantine_model.reason(h.code).title),
            escape(_short(h.detail, 160)),
        ]
        for h in held
    ]
    headers = [
        (f"Arrived ({here.zone})", "left"),
        ("Connection", "left"),
        ("Message", "left"),
        ("Why", "left"),
        ("Detail", "left"),
    ]
    st.html(widgets.table(headers, rows, label="Held messages"))


def _short(text: str, most: int = 110) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


# -- acts on many -----------------------------------------------------------------------------------------------------


def _wants(act: Act) -> None:
    """Ask before anything is done; in the next run, outside the part that refreshes."""
    st.session_state["quarantine_act"] = act


@st.dialog("Are you sure?", width="large")
def _ask(act: Act) -> None:
    """Say what will be done with how many messages, take the reason, and wait for the second click."""
    here = page.here()
    widgets.dialog_style(here.tokens)
    many = fmt.plural(len(act.ids), "message")
    if act.kind == "replay":
        st.text(f"{many} will be read again: {act.title}")
        widgets.note("info", "What can be used then counts as if it had just come; the rest stays here.")
    else:
        st.text(f"{many} will be let go: {act.title}")
        widgets.note("warn", "They are kept with your reason, but never used.")
    with st.expander("Their ids"):
        st.code("\n".join(act.ids), language=None)
    st.text_input("Reason, for the audit", key=f"why-{act.click}", placeholder="what was mended, or why they may go")
    if st.session_state.pop("quarantine_why", False):
        widgets.note("bad", SAY_WHY)
    yes, no = st.columns(2)
    yes.button(
        f"{'Replay' if act.kind == 'replay' else 'Discard'} {many}",
        type="primary",
        key="quarantine_yes",
        width="stretch",
        on_click=_do_many,
        args=(act,),
    )
    if no.button("Cancel", key="quarantine_no", width="stretch") or st.session_state.pop("quarantine_done", False):
        st.rerun()


def _do_many(act: Act) -> None:
    """The reason is read when the click arrives: what was typed last came with it."""
    why = str(st.session_state.get(f"why-{act.click}") or "").strip()
    if act.kind == "discard" and len(why) < 3:
        st.session_state["quarantine_why"] = True
        return
    _do(act, why)
    st.session_state["quarantine_done"] = True


def _do(act: Act, why: str) -> None:
    """Do it once, for exactly the messages that were named."""
    here, watch = page.here(), Watch.here()
    if watch.first(act.click):
        try:
            body = here.api.post(here.viewer, f"/v1/quarantine/{act.kind}", {"ids": list(act.ids), "reason": why})
            watch.tell(*quarantine_model.came_to(body.get("items") or ()))
        except ApiError as error:
            watch.tell(f"Nothing is known of it. {error}", "bad")
        _forget(here)


def _forget(here: Here) -> None:
    """Ask the tower anew, so that the page does not show what has just been settled."""
    here.api.json(here.viewer, "/v1/quarantine/groups", fresh=True)


# -- one message ------------------------------------------------------------------------------------------------------


def _one(held_id: str) -> None:
    """One message with its body; it stands still until something is done with it."""
    here, watch = page.here(), Watch.here()
    watch.speak()
    st.html(f'<a class="t-link" data-go="1" href="{escape(page.path("quarantine"))}">All held messages</a>')
    persons = bool(st.session_state.get(f"persons-{held_id}"))
    path = f"/v1/quarantine/{held_id}"
    try:
        row = here.api.get(here.viewer, path, {"persons": "true"} if persons else None)
    except NotFound as error:
        widgets.note("warn", "There is no such message in quarantine.", str(error))
        _no_pulse(here)
        return
    except Refused:
        raise
    except ApiError as error:
        widgets.note("bad", "The tower has not answered.", f"{error} Reload this page to ask again.")
        _no_pulse(here)
        return
    here.pulse(Snapshot(data=row, at=here.now), every=0)
    widgets.status_line(watch.say)
    held = quarantine_model.read_one(row)
    reason = quarantine_model.reason(held.code)
    widgets.heading(reason.title, f"{held.connection} · {held.what}")
    if held.state != "open":
        widgets.note("good", f"It was {held.state}.", held.note)
    else:
        widgets.note("bad", held.detail or reason.title, reason.todo)
    _acts(here, held)
    _preview(here, held)
    _facts(here, row, held)
    _body(here, row, held)


def _no_pulse(here: Here) -> None:
    here.pulse(Snapshot(error="no answer"), every=0)


def _acts(here: Here, held: HeldView) -> None:
    reason = quarantine_model.reason(held.code)
    may = here.viewer.may_act and held.state == "open"
    help_ = _why_not(here, live=True, helps=True)
    look, replay, why, discard = st.columns([1, 1, 2, 1], vertical_alignment="bottom")
    look.button(
        "Dry run",
        icon=":material/science:",
        key="dry_run",
        width="stretch",
        disabled=not may or not held.native,
        help=help_ or (None if held.native else "An event of the tower's own form has no mapping: replay it."),
        on_click=_dry_run,
        args=(held.id,),
    )
    replay.button(
        "Replay",
        icon=":material/replay:",
        type="primary",
        key="replay",
        width="stretch",
        disabled=not may or not reason.helps,
        help=help_ or (None if reason.helps else "Another try gives the same: see what to do."),
        on_click=_do_one,
        args=(Act("replay", (held.id,), "", secrets.token_hex(8)),),
    )
    why.text_input("Reason to discard it", key="why_one", placeholder="why it may go", disabled=not may)
    discard.button(
        "Discard",
        icon=":material/delete:",
        key="discard",
        width="stretch",
        disabled=not may,
        help=help_,
        on_click=_do_one,
        args=(Act("discard", (held.id,), "", secrets.token_hex(8)),),
    )


def _do_one(act: Act) -> None:
    why = str(st.session_state.get("why_one") or "").strip()
    if act.kind == "discard" and len(why) < 3:
        Watch.here().tell(SAY_WHY, "bad")
        return
    _do(act, why)
    st.session_state.pop(f"preview-{act.ids[0]}", None)


def _dry_run(held_id: str) -> None:
    here = page.here()
    try:
        found: Any = here.api.post(here.viewer, f"/v1/quarantine/{held_id}/dry-run", {})
    except ApiError as error:
        found = {"error": str(error)}
    st.session_state[f"preview-{held_id}"] = found


def _preview(here: Here, held: HeldView) -> None:
    """What the mappings on disk would make of it now."""
    found = st.session_state.get(f"preview-{held.id}")
    if not isinstance(found, dict):
        return
    widgets.heading("Dry run", "what the mappings on disk make of it now; nothing was changed")
    if found.get("error"):
        widgets.note("bad", "There is nothing to look at.", str(found["error"]))
        return
    rows = []
    for document in found.get("documents") or ():
        head = [escape(str(document.get("position") or "")), escape(str(document.get("mapping") or "no mapping"))]
        events = document.get("events") or ()
        if document.get("reason"):
            title = escape(quarantine_model.reason(str(document["reason"])).title)
            rows.append([*head, f'<span class="t-bad">{title}</span>', escape(str(document.get("detail") or ""))])
        elif not events:
            why = escape(str(document.get("ignored") or ""))
            rows.append([*head, '<span class="t-muted">No event</span>', why])
        for event in events:
            named = ", ".join(f"{k} {v}" for k, v in (event.get("data") or {}).items() if k != "links")
            kind = escape(str(event.get("type") or "").removeprefix("o2c."))
            at = fmt.moment(fmt.instant(event.get("time")), here.tz, here.now)
            rows.append([*head, f'<span class="t-good">{kind}</span> {at}', escape(_short(named, 200))])
    headers = [("Where", "left"), ("Mapping", "left"), ("Becomes", "left"), ("Says", "left")]
    st.html(widgets.table(headers, rows, label="Dry run"))


def _facts(here: Here, row: dict[str, Any], held: HeldView) -> None:
    facts = [
        ("Arrived", fmt.moment(held.received_at, here.tz, here.now)),
        ("Kind", held.what),
        ("Id at its sender", str(row.get("event_id") or fmt.NONE)),
        ("Read by", str(row.get("mapping") or fmt.NONE)),
        ("Reason code", held.code),
        ("Native message", str(row.get("raw_id") or "no, an event of the tower's own form")),
    ]
    facts += [(f"Header {k}", str(v)) for k, v in sorted((row.get("headers") or {}).items())]
    facts += [(f"Query {k}", str(v)) for k, v in sorted((row.get("query") or {}).items())]
    rows = [[escape(name), escape(value)] for name, value in facts]
    with st.expander("Where it came from", expanded=False):
        st.html(widgets.table([("", "left"), ("", "left")], rows, label="Where it came from"))


def _body(here: Here, row: dict[str, Any], held: HeldView) -> None:
    head, choice = st.columns([3, 1], vertical_alignment="center")
    with head:
        widgets.heading("As it arrived", "secrets are always covered (•••)")
    if not row.get("has_body"):
        widgets.note("info", "Its body is not kept any more.", str(row.get("why_no_body") or ""))
        return
    with choice:
        st.toggle(
            "Show what tells of people",
            key=f"persons-{held.id}",
            disabled=not here.viewer.may_act,
            help="The audit records that you looked." if here.viewer.may_act else "This needs the role operator.",
        )
    text, language = quarantine_model.pretty(str(row.get("body") or ""))
    if row.get("encoding") == "base64":
        widgets.note("info", "It is no text; shown as base64.")
    st.code(text, language=language, wrap_lines=True, height=420)
    if row.get("truncated"):
        widgets.note("info", "It is longer than what is shown here.")

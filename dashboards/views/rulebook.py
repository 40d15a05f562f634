"""The rulebook: what is promised and how it goes, what changed and when, and what another limit would have said."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import streamlit as st

from dashboards.tower_ui import fmt, page, rulebook_model, widgets
from dashboards.tower_ui.board_model import address
from dashboards.tower_ui.client import ApiError, Refused
from dashboards.tower_ui.page import Here
from dashboards.tower_ui.rulebook_model import Promise

EVERY_S = 5
BOOK_S = 30.0
_RUN = "backtest_run"
_EXAMPLES = "examples_told"


def show() -> None:
    """Draw the page."""
    here = page.here()
    page.who(here.viewer)
    st.title("Rulebook", anchor=False)
    try:
        rules = here.api.json(here.viewer, "/v1/rules", within_s=BOOK_S)
        stages = here.api.json(here.viewer, "/v1/stages")
        here.pulse(stages, every=EVERY_S)
        if not widgets.banner(rules, now=here.now, tz=here.tz, what="the rulebook"):
            return
        book = rules.data or {}
        curves = here.api.json(here.viewer, "/v1/jeopardy", within_s=BOOK_S)
        found = rulebook_model.promises(book, stages.data or {}, curves.data or {})
        promised, owners, versions, tried = st.tabs(["Promises", "Who has the word", "Versions", "Try"])
        with promised:
            _promises(here, book, found)
            _sql(here, book)
        with owners:
            _owners(book)
        with versions:
            _versions(here, book)
        with tried:
            _examples(here)
            _backtest(here, found, str(book.get("currency") or ""))
    except Refused as error:
        page.signed_out(error)


def _promises(here: Here, book: Mapping[str, Any], found: list[Promise]) -> None:
    widgets.heading(
        "What is promised", f"version {str(book.get('hash') or '')[:12]} · arrows are stages, red where stuck"
    )
    tokens = here.tokens
    labels = {p.id: p.label for p in found}
    st.graphviz_chart(rulebook_model.graph(found, book, tokens.text, tokens.border, tokens.late), width="stretch")
    headers = [
        ("Stage", "left"), ("From", "left"), ("To, by whose word", "left"), ("Limit", "left"),
        ("Takes p50 / p95", "right"), ("p95 of the limit", "right"), ("Running", "right"), ("Stuck", "right"),
        ("Team", "left"),
    ]  # fmt: skip
    st.html(widgets.table(headers, [_row(p, labels) for p in found], label="Stages"))


def _row(p: Promise, labels: Mapping[str, str]) -> list[str]:
    stuck = (
        f'<a href="{escape(page.path("", **address(labels, stage=p.id)))}" data-go="1">{p.late:,}</a>'
        if p.late
        else "0"
    )
    team = f'<a href="{escape(p.runbook)}">{escape(p.team or "runbook")}</a>' if p.runbook else escape(p.team)
    takes = f"{rulebook_model.duration(p.p50_s)} / {rulebook_model.duration(p.p95_s)}"
    share = "–" if p.share is None else f"{p.share:.0%}"
    tone = "late" if p.share is not None and p.share > 1 else "text"
    return [
        escape(p.label), escape(p.start.replace("_", " ")), escape(f"{p.end.replace('_', ' ')} · {p.owner}"),
        escape(p.limit), takes, f'<span class="t-{tone}">{share}</span>', f"{p.running:,}", stuck, team,
    ]  # fmt: skip


def _sql(here: Here, book: Mapping[str, Any]) -> None:
    """The SQL of one rule behind a fold; the tower is asked only while it is open."""
    labels = {str(r.get("id")): fmt.label(r) for part in ("stages", "findings") for r in book.get(part) or ()}
    with st.expander("The SQL of a rule", key="rule_sql", on_change="rerun") as opened:
        if opened.open and labels:
            rule = st.selectbox("Rule", list(labels), format_func=lambda r: labels[r], key="sql_rule", width=420)
            found = here.api.json(here.viewer, "/v1/rules/sql", {"rule": str(rule)}, within_s=BOOK_S)
            steps = (found.data or {}).get("steps") or ()
            told = "\n\n".join(f"-- {s.get('table')}\n{s.get('sql')}" for s in steps)
            st.code(told or f"-- The tower gave none. {found.error}", language="sql", height=420)


def _owners(book: Mapping[str, Any]) -> None:
    widgets.heading("Who has the word", "the first owner that has a connection counts; all others are echoes")
    headers = [("Milestone", "left"), ("Of", "left"), ("Means", "left"), ("Owner", "left"), ("Speaks through", "left")]
    rows = [[escape(cell) for cell in row] for row in rulebook_model.owner_rows(book)]
    st.html(widgets.table(headers, rows, label="Owners"))


def _examples(here: Here) -> None:
    """A button that runs the examples of the book in force, and how they went last."""
    widgets.heading("Does the book do what it says?", "its own examples, judged beside the live store")
    if not here.viewer.may_act:
        widgets.note("info", "Running the examples needs the role operator.", "Or run `tower rules test` at a shell.")
        return
    if st.button("Run the examples", key="run_examples", icon=":material/checklist:"):
        try:
            with st.spinner("Judging the examples …"):
                st.session_state[_EXAMPLES] = here.api.post(here.viewer, "/v1/rules/test", {})
        except Refused:
            raise
        except ApiError as error:
            st.session_state.pop(_EXAMPLES, None)
            widgets.note("bad", "The examples were not run.", str(error))
    told = st.session_state.get(_EXAMPLES)
    if told is None:
        return
    held, of = int(told.get("held") or 0), int(told.get("of") or 0)
    good, version = held == of, f"version {str(told.get('book') or '')[:12]}"
    if not of:
        widgets.note("warn", "This book carries no examples.", "Write some under `examples`.")
        return
    widgets.note("good" if good else "bad", f"{held} of {of} examples hold.", version)
    rows = [
        ["✓ holds" if e.get("ok") else '<span class="t-failing">✖ does not</span>', escape(str(e.get("name"))),
         f'<span class="t-pre">{escape(str(e.get("detail") or ""))}</span>']
        for e in sorted(told.get("examples") or (), key=lambda e: bool(e.get("ok")))
    ]  # fmt: skip
    st.html(widgets.table([("", "left"), ("Example", "left"), ("Expected and found", "left")], rows, label="Examples"))


def _versions(here: Here, book: Mapping[str, Any]) -> None:
    versions = book.get("versions") or ()
    widgets.heading("Versions", "what was in force since when, and what each changed")
    rows = []
    for v in versions:
        at = fmt.instant(v.get("loaded_at"))
        since = fmt.moment(at, here.tz, here.now) if at else ""
        changes = "<br>".join(escape(str(c)) for c in v.get("changes") or ()) or "the first on record"
        rows.append([since, escape(str(v.get("hash"))[:12]), "in force" if v.get("in_force") else "", changes])
    headers = [(f"Since ({here.zone})", "left"), ("Version", "left"), ("", "left"), ("Changes", "left")]
    if rows:
        st.html(widgets.table(headers, rows, label="Versions"))
    else:
        widgets.empty("No version on record", "The engine notes the rulebook when it starts.")


def _backtest(here: Here, found: list[Promise], currency: str) -> None:
    widgets.heading("What would another limit have said?", "over stored history, by the SQL of the live engine")
    if not here.viewer.may_act:
        widgets.note("info", "A backtest needs the role operator.", "Ask somebody who may act to run it.")
        return
    with st.form("backtest", border=True):
        left, middle, right = st.columns(3)
        labels = {p.id: f"{p.label} ({p.limit})" for p in found}
        stage = left.selectbox("Stage", list(labels), format_func=lambda s: labels[s], key="bt_stage")
        limit = middle.text_input(
            "New limit", "4h", key="bt_limit", help="Open time, as a book has it: 90m, 1h30m, 2d."
        )
        since = right.text_input("How far back", "90d", key="bt_since")
        files = st.file_uploader(
            "Or the YAML files of a whole new book", type=["yaml", "yml"], accept_multiple_files=True
        )
        go = st.form_submit_button("Run the backtest", type="primary")
    if go:
        new: dict[str, Any] = {"limits": {stage: limit}}
        if files:
            new = {"files": {f.name: f.getvalue().decode("utf-8", "replace") for f in files}}
        try:
            body = {"new": new, "since": since, "wait_s": 3, "limit": 200}
            st.session_state[_RUN] = here.api.post(here.viewer, "/v1/rules/backtest", body)
        except Refused:
            raise
        except ApiError as error:
            widgets.note("bad", "The backtest was not started.", str(error))
    if _RUN in st.session_state:
        _watch(currency)


@st.fragment(run_every=2)
def _watch(currency: str) -> None:
    """Show how the backtest goes, then what it found."""
    here = page.here()
    run = st.session_state[_RUN]
    if run.get("state") == "running":
        run = st.session_state[_RUN] = here.api.get(here.viewer, f"/v1/rules/backtest/{run['id']}")
    state, of = run.get("state"), int(run.get("of") or 0)
    if state == "running":
        st.progress(min(1.0, int(run.get("done") or 0) / of) if of else 0.0, f"{run.get('doing') or 'starting'} …")
        return
    if state != "done":
        widgets.note("bad", "The backtest ended without an outcome.", str(run.get("error") or state))
        return
    outcome = run["outcome"]
    widgets.note("info", rulebook_model.said(outcome), f"since {str(outcome.get('since'))[:10]}")
    headers = [("Rule", "left"), ("Kind", "left"), ("Gained", "right"), ("Lost", "right"), ("Moved", "right"),
               ("Same", "right"), (f"Gained value ({currency})", "right"), (f"Lost value ({currency})", "right"),
               ("Found earlier by", "right")]  # fmt: skip
    rows = [
        [
            escape(str(r["rule"])), escape(str(r["kind"])), f"{r['gained']:,}", f"{r['lost']:,}",
            f"{r['differently']:,}", "–" if r["same"] is None else f"{r['same']:,}",
            escape(str(r["gained_value"] or "0.00")), escape(str(r["lost_value"] or "0.00")),
            "–" if r["lead_p50_s"] is None else rulebook_model.duration(-int(r["lead_p50_s"])),
        ]
        for r in outcome["rules"]
    ]  # fmt: skip
    if rows:
        st.html(widgets.table(headers, rows, label="Backtest by rule"))
        _orders(here, outcome["orders"])


def _to_order(order_id: str) -> str:
    return f'<a href="{escape(page.path("order", id=order_id))}" data-go="1">{escape(order_id)}</a>'


def _orders(here: Here, orders: list[Mapping[str, Any]]) -> None:
    headers = [("Change", "left"), ("Order", "left"), ("Rule", "left"), ("Object", "left"),
               (f"Was ({here.zone})", "right"), (f"Would be ({here.zone})", "right"), ("Value", "right")]  # fmt: skip

    def at(value: str | None) -> str:
        moment = fmt.instant(value)
        return fmt.moment(moment, here.tz, here.now) if moment else "–"

    rows = [
        [
            escape(str(o["change"])),
            _to_order(str(o["order_id"])),
            escape(f"{o['rule']} · {o['kind']}"), escape(str(o["object_id"])), at(o["old_opened_at"]),
            at(o["new_opened_at"]), escape(str(o["value"] or "–")),
        ]
        for o in orders
    ]  # fmt: skip
    if rows:
        st.html(widgets.table(headers, rows, label="Backtest by order"))

"""The dialog with the other repairs that the rulebook offers for a stuck order, and what it sends."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from dashboards.tower_ui import actions, fmt, page, widgets
from dashboards.tower_ui.actions import Answer
from dashboards.tower_ui.grid.grid import Seen
from dashboards.tower_ui.watch import Watch

MEANS = {
    "replay": "What its systems said is read again from the raw messages.",
    "compensate": "What went wrong is undone by an act of its own.",
    "redirect": "It goes another way than the one that fails.",
    "cancel": "It is called off where it is stuck.",
}


@dataclass(frozen=True, slots=True)
class Repair:
    """A stuck order in the version that was seen, and the acts of the rulebook that are offered for it, by kind."""

    row: Seen
    stage: str
    offered: Mapping[str, Mapping[str, Any]]
    click: str = field(default_factory=lambda: secrets.token_hex(12))


def offered(acts: Sequence[Mapping[str, Any]], stage: str) -> dict[str, Mapping[str, Any]]:
    """Return by kind the acts other than a retry for an order stuck in a stage: its own before those for any."""
    found: dict[str, Mapping[str, Any]] = {}
    for act in sorted(acts, key=lambda a: a.get("stage") != stage):
        if act.get("kind") in MEANS and act.get("stage") in (stage, "any"):
            found.setdefault(str(act["kind"]), act)
    return found


def proof(act: Mapping[str, Any]) -> str:
    """Return where an act goes and what must follow for it to count."""
    verify = act.get("verify") or {}
    said = f"Sent to {act['target']}." if act.get("target") else "Done by the tower itself."
    if not verify.get("milestone"):
        return said
    milestone, within = fmt.words(verify["milestone"]).lower(), fmt.duration(verify.get("within_s"))
    return f"{said} Proved when {milestone} is heard within {within}."


def message(kind: str, answer: Answer) -> str:
    """Return what became of a request in one line."""
    if answer.error:
        return actions.trouble(answer, "Nothing was sent.", "Look at the order before you ask again.")
    parts = [
        f"{order}: {kind} {answer.details.get(order) or fmt.RESULTS.get(result, ('', result))[1]}"
        for order, result in answer.results.items()
    ]
    return " · ".join(parts)


@st.dialog("Other repairs", width="large")
def ask(repair: Repair) -> None:
    """Ask which one and why, with the exact request, then wait for the second click."""
    here = page.here()
    widgets.dialog_style(here.tokens)
    st.text(repair.row.id)
    kind = str(
        st.segmented_control(
            "What to do",
            list(repair.offered),
            default=next(iter(repair.offered)),
            required=True,
            key="repair_kind",
            format_func=fmt.words,
        )
    )
    st.html(f'<div class="t-detail">{MEANS[kind]}</div>')
    st.text(proof(repair.offered[kind]))
    dry = _send(repair, kind, dry_run=True)
    refused = dry.error or (message(kind, dry) if dry.results and not dry.accepted else "")
    if refused:
        widgets.note("warn", refused)
    if dry.requests:
        with st.expander("The exact request"):
            st.code(json.dumps(dry.requests, indent=2, ensure_ascii=False), language="json")
    if "approval" in (dry.batch.get("needs") or ()):
        widgets.note("warn", "A second person has to approve this before anything is sent.")
    must = "reason" in (dry.batch.get("needs") or ())
    why = st.text_area(f"Why{'' if must else ' (may be left empty)'}", key="repair_why", max_chars=2000, height=90)
    yes, no = st.columns(2)
    yes.button(
        f"{fmt.words(kind)} {repair.row.id}",
        type="primary",
        key="repair_yes",
        width="stretch",
        disabled=bool(refused) or (must and not why.strip()),
        on_click=_do,
        args=(repair, kind),
    )
    if no.button("Close", key="repair_no", width="stretch") or st.session_state.pop("repair_sent", False):
        st.rerun()


def _do(repair: Repair, kind: str) -> None:
    """Send it once, under the name of who clicked."""
    watch = Watch.here()
    if watch.first(f"repair-{repair.click}"):
        answer = _send(repair, kind, reason=str(st.session_state.get("repair_why") or "").strip())
        watch.tell(message(kind, answer), actions.tone(answer))
    st.session_state["repair_sent"] = True


def _send(repair: Repair, kind: str, *, reason: str = "", dry_run: bool = False) -> Answer:
    here = page.here()
    click = f"dry-{kind}-{repair.click}" if dry_run else repair.click
    return actions.act(here.api, here.viewer, kind, [repair.row], click=click, reason=reason, dry_run=dry_run)

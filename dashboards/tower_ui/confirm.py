"""The dialog before a bulk retry: exactly what will be sent, what it is worth, and what the tower would refuse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

import streamlit as st

from dashboards.tower_ui import actions, board_model, fmt, page, widgets
from dashboards.tower_ui.actions import Answer
from dashboards.tower_ui.grid.grid import Seen
from dashboards.tower_ui.watch import Watch
from dashboards.tower_ui.widgets import Card


@dataclass(frozen=True, slots=True)
class Confirm:
    """A bulk action a person is asked to confirm: exactly these rows, in the versions they saw."""

    click: str
    rows: tuple[Seen, ...]
    values: dict[str, Decimal | None]
    currency: str
    stage: str = ""
    title: str = ""


@st.dialog("Retry these orders?", width="large")
def ask(confirm: Confirm) -> None:
    """List what will be sent and what the tower would refuse, then wait for the second click."""
    here = page.here()
    watch = Watch.here()
    dry = actions.act(
        here.api, here.viewer, "retry", confirm.rows, click=f"dry-{confirm.click}", stage=confirm.stage, dry_run=True
    )
    would = dry.results
    rows = [r for r in confirm.rows if would.get(r.id, "accepted") == "accepted"]
    refused = [r for r in confirm.rows if r not in rows]
    worth = board_model.total(confirm.values.get(r.id) for r in rows)
    widgets.dialog_style(here.tokens)
    if confirm.title:
        st.text(confirm.title)
    widgets.cards(
        [
            Card("Will be retried", fmt.plural(len(rows), "order"), f"of {len(confirm.rows):,} selected"),
            Card("Worth", fmt.money_full(worth, confirm.currency), "value at risk"),
            Card(
                "Will be refused",
                fmt.plural(len(refused), "order"),
                "nothing is sent for them",
                tone="late" if refused else "",
            ),
        ]
    )
    needs = dry.batch.get("needs") or ()
    _guards(dry, needs)
    must = " (it may repeat a business effect, so it has to be given)" if "reason" in needs else ""
    why = st.text_input(f"Reason, for the audit{must}", key="why_retry", placeholder="tax service is back")
    if dry.error:
        widgets.note("warn", "The tower did not say in advance which it would refuse.", dry.error)
    with st.container(height=min(320, 60 + 34 * len(confirm.rows)), border=False):
        st.html(
            widgets.table(
                [("Order", "left"), ("At risk", "right"), ("What happens", "left")],
                _lines(confirm, rows, dry),
                label="Orders to retry",
            )
        )
    yes, no = st.columns(2)
    yes.button(
        f"Retry {fmt.plural(len(rows), 'order')}",
        type="primary",
        key="confirm_yes",
        width="stretch",
        disabled=not rows or ("reason" in needs and not why.strip()),
        on_click=_send,
        args=(confirm, tuple(rows), watch),
    )
    if no.button("Cancel", key="confirm_no", width="stretch") or st.session_state.pop("confirmed", False):
        st.rerun()


def _guards(dry: Answer, needs: Sequence[str]) -> None:
    """Say how carefully it will go: who has to approve it, and in which waves."""
    if "approval" in needs:
        widgets.note("warn", "A second person has to approve this before anything is sent.")
    waves = dry.batch.get("waves") or ()
    if len(waves) > 1:
        sizes = ", then ".join(f"{w:,}" for w in waves[:5]) + (" …" if len(waves) > 5 else "")
        share = float(dry.batch.get("least_verified") or 0)
        said = f"Each waits until {share:.0%} of the one before are verified."
        widgets.note("info", f"It goes in waves: {sizes}.", said)


def _lines(confirm: Confirm, rows: list[Seen], dry: Answer) -> list[list[str]]:
    lines = []
    for row in sorted(confirm.rows, key=lambda r: r not in rows):
        result = dry.results.get(row.id, "accepted")
        reason = dry.details.get(row.id) or fmt.RESULTS.get(result, ("", result))[1]
        word = "retry" if row in rows else f'<span class="t-bad">refused</span>: {escape(reason)}'

        lines.append([escape(row.id), fmt.money_full(confirm.values.get(row.id), confirm.currency), word])
    return lines


def _send(confirm: Confirm, rows: tuple[Seen, ...], watch: Watch) -> None:
    """Send exactly the rows that were listed; the confirmed gesture is its own key."""
    here = page.here()
    if watch.first(f"yes-{confirm.click}"):
        why = str(st.session_state.get("why_retry") or "").strip()
        sent = actions.act(here.api, here.viewer, "retry", rows, click=confirm.click, stage=confirm.stage, reason=why)
        watch.sent(here, sent)
    st.session_state["confirmed"] = True

"""Where actions go: whether each target works, what is let through to it, and a button that asks it."""

from __future__ import annotations

from html import escape

import streamlit as st

from dashboards.settings import settings
from dashboards.tower_ui import fmt, page, target_model, widgets
from dashboards.tower_ui.client import ApiError
from dashboards.tower_ui.page import Here
from dashboards.tower_ui.target_model import TargetView
from dashboards.tower_ui.widgets import Card

EVERY_S = settings().refresh_s


def show() -> None:
    """Draw the page."""
    page.who(page.here().viewer)
    st.title("Targets", anchor=False)
    page.live(_draw, EVERY_S)


def _draw(here: Here) -> None:
    snapshot = here.api.json(here.viewer, "/v1/targets")
    here.pulse(snapshot, every=EVERY_S)
    if not widgets.banner(snapshot, now=here.now, tz=here.tz, what="targets", off="probes are off"):
        return
    targets = target_model.read_targets(snapshot.data or {})
    if not targets:
        widgets.empty("No targets", "Name where actions may go under `targets` in the rulebook.")
        return
    alone = sum(t.left_alone for t in targets)
    waiting = sum(t.waiting for t in targets)
    full = sum(any(limit.full for limit in t.limits) for t in targets)
    widgets.cards(
        [
            Card("Targets", fmt.count(len(targets)), f"{sum(t.health == 'well' for t in targets):,} work"),
            Card("Left alone", fmt.count(alone), "breaker open", tone="late" if alone else "good"),
            Card("Waiting", fmt.count(waiting), "items that are due", tone="at_risk" if waiting else ""),
            Card("Limits used up", fmt.count(full), "rates and budgets", tone="at_risk" if full else ""),
        ]
    )
    headers = [
        ("State", "left"), ("Target", "left"), ("Breaker", "left"), ("Calls", "left"), ("Waiting", "right"),
        ("Last answer", "left"), ("What to do", "left"),
    ]  # fmt: skip
    st.html(widgets.table(headers, [_row(here, t) for t in targets], label="Targets"))
    _probes(here, targets)
    for target in targets:
        if target.answers:
            widgets.heading(f"Last answers of {target.name}", f"Used by {', '.join(target.actions) or 'no action'}")
            st.html(widgets.table(_ANSWERS, [_answer(here, a) for a in target.answers], label=target.name))


_ANSWERS = [("At", "right"), ("It was", "left"), ("Status", "right"), ("Took", "right"), ("It said", "left")]
_VERDICTS = {"accepted": "accepted", "refused": "refused", "unknown": "no clear answer", "unsent": "never left"}


def _row(here: Here, target: TargetView) -> list[str]:
    breaker = f"{target.breaker.replace('_', ' ')}"
    if target.failures:
        breaker += f'<span class="t-small">{target.failures} failed in a row, opens at {target.opens_at}</span>'
    limits = "<br>".join(
        f'<span class="t-{"failing" if x.full else "muted"}">{escape(x.text)}</span>' for x in target.limits
    )
    well = f"works since {fmt.moment(target.well_at, here.tz, here.now)}" if target.well_at else "never worked yet"
    return [
        f'<span class="t-{target.tone} t-keep">{target.mark} {escape(target.word)}</span>',
        f'{escape(target.name)}<span class="t-small">{escape(target.kind)} · {escape(target.url)}</span>',
        breaker,
        limits or '<span class="t-muted">No limit</span>',
        fmt.count(target.waiting) if target.waiting else fmt.NONE,
        f'{escape(target.said) or fmt.NONE}<span class="t-small">{well.replace("works since", "worked at")}</span>',
        escape(target.todo(here.now)) or '<span class="t-muted">Nothing</span>',
    ]


def _answer(here: Here, answer: object) -> list[str]:
    assert isinstance(answer, dict)
    at = fmt.instant(answer.get("at"))
    return [
        fmt.moment(at, here.tz, here.now) if at else fmt.NONE,
        escape(_VERDICTS.get(str(answer.get("verdict")), str(answer.get("verdict")))),
        fmt.count(answer["status"]) if answer.get("status") else fmt.NONE,
        f"{int(answer.get('took_ms') or 0):,} ms",
        escape(str(answer.get("said") or "")),
    ]


def _probes(here: Here, targets: list[TargetView]) -> None:
    """One button for each target; asking has no effect there."""
    with st.container(horizontal=True):
        for target in targets:
            asked = st.button(
                f"Probe {target.name}",
                key=f"probe-{target.name}",
                disabled=not here.viewer.may_act,
                help="Asks whether it is well; changes nothing there. An answer lets calls through again.",
            )
            if asked:
                try:
                    here.api.post(here.viewer, f"/v1/targets/{target.name}/probe", {})
                except ApiError as error:
                    st.toast(f"Not asked. {error}", icon=":material/error:")
                else:
                    st.toast(f"Asked {target.name}; its answer shows here in a moment.", icon=":material/send:")

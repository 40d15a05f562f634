"""What travels to the table in the browser: column lists, repeated texts sent once. Pure, no Streamlit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from dashboards.tower_ui import board_model, fmt
from dashboards.tower_ui.board_model import Outcome
from dashboards.tower_ui.client import Board

Json = dict[str, Any]
NO_ERROR = "No error reported"


def column(
    key: str, label: str, kind: str, width: int, *, grow: int = 0, align: str = "left", hide: int = 0, title: str = ""
) -> Json:
    """Return one column. width in px is its least; grow shares out what is left; hidden below `hide` px of table."""
    return {
        "key": key,
        "label": label,
        "kind": kind,
        "w": width,
        "grow": grow,
        "align": align,
        "hide": hide,
        "title": title,
    }


def board_columns(currency: str) -> list[Json]:
    """Return the columns of the board. They fit 1240 px; on less the last-needed give way, never the button."""
    return [
        column("state", "State", "state", 92),
        column("id", "Order", "order", 98, grow=1),
        column("value", f"At risk {fmt.symbol(currency).strip()}".strip(), "money", 92, align="right"),
        column("since", "Waiting", "age", 66, align="right", title="since its slowest step began"),
        column("sla", "Time used", "bar", 104, hide=1060, title="open time used, of the time this step may take"),
        column("odds", "Odds", "odds", 44, align="right", hide=1290, title="chance that it takes longer than it may"),
        column("customer", "Customer", "text", 92, grow=1, hide=940),
        column("stage", "Stuck in", "text", 116, grow=1),
        column("system", "System", "text", 68, hide=1330),
        column("error", "Error", "text", 118, grow=6),
        column("owner", "Owner", "text", 64, hide=1250, title="who works on it"),
        column("priority", "Prio", "text", 32, hide=1160),
        column("tries", "Retries", "tries", 96, title="retries so far, and what the last one did"),
        column("act", "", "act", 82),
    ]


def board_payload(
    board: Board,
    outcomes: Mapping[str, Outcome],
    *,
    labels: Mapping[str, str],
    currency: str,
    now: datetime,
    may_act: bool,
    live: bool,
    past: str = "",
    filters: str,
    revision: str,
) -> Json:
    """Return the table's data.

    labels: stage id -> label. live: whether retries are offered at all (data fresh enough). past: the part of
    an address that names another moment, of which nothing can be retried. filters: text that changes when
    the reader asks something else, so that the held order is let go. revision: unchanged data.
    """
    frame = board.frame
    ids = board_model.text_column(frame, "order_id")
    states = board_model.text_column(frame, "state")
    values = list(frame["value_at_risk"]) if "value_at_risk" in frame.columns else [None] * len(ids)
    budget = _numbers(frame, "budget_s")
    used = _numbers(frame, "used_s")
    retries = _numbers(frame, "retries")
    retryable = [bool(v) for v in frame["retryable"].tolist()] if "retryable" in frame.columns else [False] * len(ids)
    stages = board_model.text_column(frame, "stage")
    errors = board_model.text_column(frame, "error")
    held = board_model.text_column(frame, "held_by")
    acts = ["held" if h else _act(i, s, r, outcomes) for i, s, r, h in zip(ids, states, retryable, held, strict=True)]
    shown = set(ids)
    last = [outcomes.get(i) for i in ids]
    return {
        "kind": "orders",
        "revision": revision,
        "filters": filters,
        "now": int(now.timestamp() * 1000),
        "mayAct": may_act,
        "live": live,
        "past": bool(past),
        "currency": currency,
        "symbol": fmt.symbol(currency),
        "label": "Stuck orders",
        "selectable": True,
        "href": f"order?{past}id=",
        "columns": board_columns(currency),
        "states": {k: list(v) for k, v in fmt.STATES.items()},
        "fates": {
            order: fmt.OUTCOMES.get(o.state, (o.state, "muted", ""))[:2]
            for order, o in outcomes.items()
            if order not in shown
        },
        "ids": ids,
        "versions": board_model.text_column(frame, "version"),
        "cells": {
            "state": _coded(states),
            "value": [fmt.minor(fmt.decimal(v)) for v in values],
            "since": _millis(frame, "since"),
            "due": _millis(frame, "due_at"),
            "sla": [fmt.percent(u, b) for u, b in zip(used, budget, strict=True)],
            "odds": [fmt.percent(o, 1) for o in _numbers(frame, "odds")],
            "predicted": _minutes(frame, "predicted_at", now),
            "heal": [fmt.percent(o, 1) for o in _numbers(frame, "self_heal_odds")],
            "customer": _coded(board_model.text_column(frame, "customer_id")),
            "stage": _coded([labels.get(s, fmt.words(s)) for s in stages]),
            "system": _coded([fmt.system(s) for s in board_model.text_column(frame, "system")]),
            "error": _coded(e or (NO_ERROR if s in fmt.STUCK else "") for e, s in zip(errors, states, strict=True)),
            "owner": _coded(board_model.text_column(frame, "assignee")),
            "holder": _coded(held),
            "priority": _coded(board_model.text_column(frame, "priority")),
            "tries": [int(r or 0) for r in retries],
            "act": _coded(acts),
            "outcome": _coded([fmt.OUTCOMES.get(o.state, (o.state, "", ""))[0] if o else "" for o in last]),
            "tone": _coded([fmt.OUTCOMES.get(o.state, ("", "muted", ""))[1] if o else "" for o in last]),
            "story": _coded([board_model.outcome_text(o, now) if o else "" for o in last]),
        },
    }


def group_columns(currency: str) -> list[Json]:
    """Return the columns of the groups by error."""
    return [
        column("error", "Error", "link", 180, grow=5),
        column("stage", "Stuck in", "text", 130, grow=2),
        column("system", "System", "text", 80),
        column("count", "Orders", "count", 60, align="right"),
        column("value", f"At risk {fmt.symbol(currency).strip()}".strip(), "money", 110, align="right"),
        column("first", "First seen", "ago", 90, align="right", hide=1100),
        column("last", "Last seen", "ago", 90, align="right"),
        column("retried", "Last retry", "ago", 90, align="right"),
        column("outcome", "Its result", "outcome", 110),
        column("act", "", "act", 112),
    ]


def group_id(group: Mapping[str, Any]) -> str:
    """Return what identifies a group: stage, system and error, as they are."""
    return "\x1f".join(str(group.get(k) or "") for k in ("stage", "system", "error"))


def group_payload(
    groups: Sequence[Mapping[str, Any]],
    *,
    labels: Mapping[str, str],
    currency: str,
    now: datetime,
    may_act: bool,
    live: bool,
    past: bool = False,
    revision: str,
) -> Json:
    """Return the table of groups, largest value first; one row per stage, system and error."""
    ordered = sorted(groups, key=lambda g: (-(fmt.decimal(g.get("value")) or 0), group_id(g)))
    told = [_told(g) for g in ordered]
    return {
        "kind": "groups",
        "revision": revision,
        "filters": "groups",
        "now": int(now.timestamp() * 1000),
        "mayAct": may_act,
        "live": live,
        "past": past,
        "currency": currency,
        "symbol": fmt.symbol(currency),
        "label": "Stuck orders by error",
        "selectable": False,
        "href": "",
        "columns": group_columns(currency),
        "states": {},
        "ids": [group_id(g) for g in ordered],
        "versions": ["" for _ in ordered],
        "cells": {
            "error": [str(g.get("error") or "") or NO_ERROR for g in ordered],
            "stage": _coded([labels.get(str(g.get("stage")), fmt.words(str(g.get("stage") or ""))) for g in ordered]),
            "system": _coded([fmt.system(str(g.get("system") or "")) for g in ordered]),
            "count": [int(g.get("count") or 0) for g in ordered],
            "value": [fmt.minor(fmt.decimal(g.get("value"))) for g in ordered],
            "first": [_milli(fmt.instant(g.get("first_at"))) for g in ordered],
            "last": [_milli(fmt.instant(g.get("last_at"))) for g in ordered],
            "retried": [_milli(fmt.instant(g.get("last_action_at"))) for g in ordered],
            "outcome": _coded([short for short, _, _ in told]),
            "tone": _coded([tone for _, tone, _ in told]),
            "story": _coded([story for _, _, story in told]),
            "act": _coded(["retry" if g.get("retryable") else "fix" for g in ordered]),
        },
    }


def _told(group: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return the last outcome in short, its tone and its sentence; or what speaks against one more retry."""
    if advice := str(group.get("advice") or ""):
        return "do not repeat", "bad", advice
    state = str(group.get("last_outcome") or "")
    return fmt.OUTCOMES.get(state, (state, "muted", ""))


def _act(order: str, state: str, retryable: bool, outcomes: Mapping[str, Outcome]) -> str:
    """Return what the row's button stands for: retry, running, fix (the step must not be repeated) or nothing."""
    outcome = outcomes.get(order)
    if outcome is not None and outcome.in_flight:
        return "running"
    if state not in fmt.STUCK:
        return "retry" if retryable else "none"
    return "retry" if retryable else "fix"


def _coded(values: Iterable[str]) -> Json:
    """Return texts as a dictionary and positions in it; no positions where all are the same."""
    codes: dict[str, int] = {}
    positions = [codes.setdefault(v, len(codes)) for v in values]
    return {"d": list(codes), "i": positions if len(codes) > 1 else []}


def _numbers(frame: Any, name: str) -> list[float | None]:
    if name not in frame.columns:
        return [None] * len(frame)
    return [None if v is None or v != v else float(v) for v in frame[name].tolist()]


def _millis(frame: Any, name: str) -> list[int | None]:
    if name not in frame.columns:
        return [None] * len(frame)
    return [_milli(None if v is None or v != v else v) for v in frame[name].tolist()]


def _minutes(frame: Any, name: str, now: datetime) -> list[int | None]:
    """Return how many minutes from now; short, since there is one a row."""
    start = now.timestamp() * 1000
    return [None if at is None else round((at - start) / 60_000) for at in _millis(frame, name)]


def _milli(at: Any) -> int | None:
    return None if at is None else int(at.timestamp() * 1000)

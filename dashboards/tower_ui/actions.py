"""An act from the click to its outcome: what is sent, what each answer means, and what is said about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dashboards.tower_ui import fmt
from dashboards.tower_ui.board_model import Outcome
from dashboards.tower_ui.client import Api, ApiError, BadRequest, Down, Viewer
from dashboards.tower_ui.grid.grid import Seen

NAMED = 3  # ids named in a message before the rest is counted


@dataclass(frozen=True, slots=True)
class Answer:
    """What the tower said to one request: results by order, or the reason there are none."""

    action_id: str = ""
    results: dict[str, str] = field(default_factory=dict)
    details: dict[str, str] = field(default_factory=dict)
    error: str = ""
    certain: bool = True
    wants_reason: bool = False
    requests: Sequence[Any] = ()  # of a dry run: what would be sent for each object
    batch: Mapping[str, Any] = field(default_factory=dict)  # of a dry run: what would be sent and what it needs

    @property
    def accepted(self) -> list[str]:
        """The orders the tower now acts on."""
        return [order for order, result in self.results.items() if result == "accepted"]


def act(
    api: Api,
    viewer: Viewer,
    kind: str,
    rows: Sequence[Seen],
    *,
    click: str,
    stage: str = "",
    reason: str = "",
    assignee: str = "",
    dry_run: bool = False,
) -> Answer:
    """Ask the tower to do something about exactly these orders in the version the person saw, or to note their word.

    click: one per gesture; the tower answers a repeat with what it answered first.
    """
    orders = [{"order_id": r.id, "version": r.version} for r in rows]
    told = {"stage": stage, "reason": reason, "assignee": assignee}
    request: dict[str, Any] = {"kind": kind, "orders": orders, **{name: text for name, text in told.items() if text}}
    return _ask(api, viewer, request, click=click, dry_run=dry_run)


def _ask(api: Api, viewer: Viewer, request: dict[str, Any], *, click: str, dry_run: bool = False) -> Answer:
    try:
        body = api.act(viewer, request, click=click, dry_run=dry_run)
    except Down as error:
        return Answer(error=str(error), certain=False)
    except BadRequest as error:
        return Answer(error=str(error), wants_reason=error.code == "reason_missing")
    except ApiError as error:
        return Answer(error=str(error))
    items = [i for i in body.get("items") or () if isinstance(i, dict)]
    return Answer(
        str(body.get("action_id") or ""),
        {str(i.get("order_id")): str(i.get("result")) for i in items},
        {str(i.get("order_id")): str(i.get("detail") or "") for i in items},
        requests=[o["request"] for i in items for o in i.get("objects") or () if o.get("request")],
        batch=body.get("batch") or {},
    )


def trouble(answer: Answer, nothing: str, unknown: str) -> str:
    """Return why there are no results. nothing: what did not happen; unknown: what to do where that is not certain."""
    return f"{nothing} {answer.error}" if answer.certain else f"No answer. {answer.error} {unknown}"


def message(answer: Answer) -> str:
    """Return what happened to a request in one line, each kind of result named."""
    if answer.error:
        unknown = "Whether it was taken is not known; look at the order before you retry."
        return trouble(answer, "Not retried.", unknown)
    if len(answer.results) == 1:
        order, result = next(iter(answer.results.items()))
        detail = answer.details.get(order) if result == "not_retryable" else ""
        return f"{order}: retry {detail or fmt.RESULTS.get(result, ('', result))[1]}"
    return " · ".join(
        f"{len(orders):,} {fmt.RESULTS.get(result, (result, ''))[0]}"
        + ("" if result == "accepted" else f" ({_named(orders)})")
        for result, orders in _by_result(answer).items()
    )


def tone(answer: Answer) -> str:
    """Return good, mixed or bad."""
    if answer.error or not answer.accepted:
        return "bad"
    return "good" if len(answer.accepted) == len(answer.results) else "mixed"


def news(before: Mapping[str, str], now: Mapping[str, Outcome]) -> dict[str, Outcome]:
    """Return the outcomes of watched orders that were decided since they were looked at last.

    before: order -> id of the action this session watches.
    """
    return {
        order: outcome
        for order, action in before.items()
        if (outcome := now.get(order)) is not None and outcome.action_id == action and not outcome.in_flight
    }


def news_text(decided: Mapping[str, Outcome]) -> str:
    """Return what became of watched retries: `SO-1: retry worked: the order moved`."""
    by_state: dict[str, list[str]] = {}
    for order, outcome in decided.items():
        by_state.setdefault(outcome.state, []).append(order)
    return " · ".join(
        f"{_named(orders)}: retry {fmt.OUTCOMES.get(state, (state, '', state))[2]}"
        for state, orders in by_state.items()
    )


def _by_result(answer: Answer) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for order, result in answer.results.items():
        groups.setdefault(result, []).append(order)
    return {r: groups[r] for r in sorted(groups, key=lambda r: (r != "accepted", r))}


def _named(orders: Sequence[str]) -> str:
    more = len(orders) - NAMED
    return ", ".join(orders[:NAMED]) + (f" and {more} more" if more > 0 else "")

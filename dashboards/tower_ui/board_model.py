"""What the board shows, as values: filters and their questions, rows with their outcome, sums. Pure pandas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import pandas as pd

from dashboards.tower_ui import fmt

# View -> (label, state the API is asked for)
VIEWS: dict[str, tuple[str, str]] = {
    "stuck": ("Needs action", "stuck"),
    "failing": ("Failing", "failing"),
    "late": ("Late", "late"),
    "diverging": ("Diverging", "diverging"),
    "unknown": ("Unknown", "unknown"),
    "at_risk": ("At risk", "at_risk"),
    "held": ("Held", "open"),
    "open": ("All open", "open"),
}
SORTS: dict[str, tuple[str, str]] = {
    "value": ("Value at risk", "-value_at_risk"),
    "severity": ("Severity", "state"),
    "longest": ("Waiting longest", "-age"),
    "overdue": ("Most overdue", "-overdue"),
    "score": ("Score", "-score"),
    "odds": ("Odds to breach", "-odds"),
}
PRIORITIES = ("P1", "P2", "P3", "P4")
NOBODY = "Nobody"  # an owner to filter by: none at all


@dataclass(frozen=True, slots=True)
class Filters:
    """What the reader asked to see; every part may be left empty."""

    view: str = "stuck"
    stage: str = ""
    system: str = ""
    priority: str = ""
    text: str = ""
    sort: str = "value"
    whose: str | None = None  # who works on it, '' for nobody; None: whoever

    @property
    def narrowed(self) -> bool:
        """Whether anything beside the view and the sort narrows the list."""
        return bool(self.stage or self.system or self.priority or self.text.strip() or self.whose is not None)

    def narrowing(self) -> dict[str, str]:
        """Return the filters without view and sort, as the API names them."""
        named = {"stage": self.stage, "system": self.system, "priority": self.priority, "q": self.text.strip()}
        found = {k: v for k, v in named.items() if v}
        if self.whose is not None:
            found["assignee"] = self.whose
        return found | ({"held": "true"} if self.view == "held" else {})

    def params(self, limit: int) -> dict[str, str]:
        """Return the question for the rows."""
        state = VIEWS.get(self.view, VIEWS["stuck"])[1]
        sort = SORTS.get(self.sort, SORTS["value"])[1]
        return {"state": state, **self.narrowing(), "sort": sort, "limit": str(limit)}

    def count_params(self, state: str) -> dict[str, str]:
        """Return the question for how many orders, and what value, the same filters hold in a state."""
        return {"state": state, **self.narrowing(), "limit": "1"}


def address(
    labels: Mapping[str, str], *, stage: str = "", system: str = "", sort: str = "", tab: str = "", view: str = ""
) -> dict[str, str]:
    """Return the query of the board's address for some filters, in the words the address has (those of the screen)."""
    words = {
        "stage": labels.get(stage, fmt.words(stage)) if stage else "",
        "system": fmt.system(system) if system else "",
        "sort": SORTS[sort][0] if sort else "",
        "tab": tab,
        "view": VIEWS[view][0] if view else "",
    }
    return {k: v for k, v in words.items() if v}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the newest action on an order."""

    action_id: str
    state: str
    stage: str
    attempts: int
    detail: str
    actor: str
    requested_at: datetime | None
    finished_at: datetime | None

    @property
    def in_flight(self) -> bool:
        """Whether its result is still open."""
        return self.state in fmt.IN_FLIGHT


def outcomes(actions: Iterable[Mapping[str, Any]]) -> dict[str, Outcome]:
    """Return the newest outcome per order from a list of actions with their items, whatever its order.

    An item still in flight wins over a newer finished one: it is why a further click would be refused.
    """
    found: dict[str, Outcome] = {}
    for action in actions:
        if action.get("kind") in fmt.BY_HAND:
            continue
        for item in action.get("items") or ():
            outcome = Outcome(
                action_id=str(action.get("action_id", "")),
                state=str(item.get("state", "")),
                stage=str(item.get("stage") or action.get("stage") or ""),
                attempts=int(item.get("attempts") or 0),
                detail=str(item.get("detail") or ""),
                actor=str(item.get("requested_by") or action.get("requested_by") or ""),
                requested_at=fmt.instant(item.get("requested_at") or action.get("requested_at")),
                finished_at=fmt.instant(item.get("finished_at")),
            )
            order = str(item.get("order_id", ""))
            held = found.get(order)
            if held is None or _rank(outcome) > _rank(held):
                found[order] = outcome
    return found


def narrow_groups(groups: Iterable[Mapping[str, Any]], filters: Filters) -> list[Mapping[str, Any]]:
    """Return the groups within the stage, system and text asked for; a group has no priority and no view."""
    text = filters.text.strip().casefold()
    return [
        g
        for g in groups
        if (not filters.stage or g.get("stage") == filters.stage)
        and (not filters.system or g.get("system") == filters.system)
        and (not text or text in str(g.get("error") or "").casefold())
    ]


def _rank(outcome: Outcome) -> tuple[bool, float]:
    return outcome.in_flight, outcome.requested_at.timestamp() if outcome.requested_at else 0.0


def outcome_text(outcome: Outcome, now: datetime) -> str:
    """Return one sentence about an action, for a tooltip or the order page."""
    words = fmt.OUTCOMES.get(outcome.state, (outcome.state, "muted", outcome.state))[2]
    at = outcome.finished_at or outcome.requested_at
    ago = f", {fmt.duration((now - at).total_seconds())} ago" if at else ""
    by = f" by {outcome.actor}" if outcome.actor else ""
    more = f". {outcome.detail}" if outcome.detail and outcome.state in fmt.DETAILED else ""
    return f"Retry{by} {words}{ago}{more}"


def total(values: Iterable[object]) -> Decimal:
    """Return the exact sum of amounts, none counting as zero."""
    return sum((v for v in map(fmt.decimal, values) if v is not None), Decimal(0))


def text_column(frame: pd.DataFrame, name: str) -> list[str]:
    """Return a column as text, empty where it is missing."""
    if name not in frame.columns:
        return [""] * len(frame)
    return ["" if v is None or v != v else str(v) for v in frame[name].tolist()]


def options(values: Iterable[str], chosen: str) -> list[str]:
    """Return the choices of a filter: every value once, with the chosen one kept even while no row has it."""
    seen = dict.fromkeys(v for v in values if v)
    if chosen:
        seen.setdefault(chosen)
    return list(seen)

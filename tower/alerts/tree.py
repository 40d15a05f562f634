"""Which routes take a breach, and which group of the route it joins."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from rules.match import holds
from rules.model import Route
from rules.read.routes import ALONE
from tower.alerts.breach import Breach


def routes_of(root: Route, breach: Breach) -> list[Route]:
    """Return the nodes that take it, at least one: the deepest that match, the first of a level unless it continues."""
    found: list[Route] = []
    for child in root.routes:
        if holds(child.when, breach.facts):
            found += routes_of(child, breach)
            if not child.continues:
                break
    return found or [root]


def every_route(root: Route) -> Iterator[Route]:
    """Yield all nodes of the tree, the root first."""
    yield root
    for child in root.routes:
        yield from every_route(child)


def labels_of(route: Route, breach: Breach) -> dict[str, str]:
    """Return what the breaches of one group have in common."""
    if route.group_by == (ALONE,):
        return {"rule": breach.text("rule"), "order_id": breach.text("order_id"), "breach_id": breach.breach_id}
    return {name: breach.text(name) for name in route.group_by}


def group_key(route: Route, labels: Mapping[str, str]) -> str:
    """Return the name of a group: the same through restarts and while its route says the same."""
    return _digest(route.key, *(f"{name}={value}" for name, value in sorted(labels.items())))


def alert_id_of(group: str, opened_ms: int) -> str:
    """Return the id of the alert that a group opened at that moment."""
    return _digest(group, str(opened_ms))


def notice_id_of(alert_id: str, number: int, receiver: str) -> str:
    """Return the id of an alert's notice of that number to a receiver: one per state of the alert."""
    return _digest(alert_id, str(number), receiver)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:24]

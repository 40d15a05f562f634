"""Who may ask what: one row per endpoint. The application enforces it, docs/permissions.md is written from it.

An endpoint without a row answers 403 to everybody. To add one: write its row below (`METHOD /path`, who, what a
scoped key gets), take the caller with `_: Caller` in the endpoint, and run `make format` for the page.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from tower.model.principal import ROLES


class Who(StrEnum):
    """What proves a caller."""

    ANYBODY = "anybody"
    KEY = "key"  # a key with one of the row's roles
    LINK = "link"  # a signed link, sent to whom it concerns
    DOOR = "door"  # what the door itself asks for: a key's connections, or the connection's signature


class Scoped(StrEnum):
    """What a key with a scope gets from an endpoint."""

    REFUSED = "refused"
    ORDERS = "its orders"  # only those of its scope
    CONNECTIONS = "its connections"  # only rows of connections that fit its scope
    OWN = "its own"  # only what it asked for itself
    OPEN = "all of it"  # holds nothing of orders


@dataclass(frozen=True, slots=True)
class Permit:
    """One row. An administrator may do whatever a key may do."""

    who: Who
    roles: frozenset[str] = frozenset()
    scoped: Scoped = Scoped.REFUSED

    def allows(self, roles: Collection[str]) -> bool:
        """Return whether one of a key's roles will do."""
        return "admin" in roles or not self.roles.isdisjoint(roles)


def _key(*roles: str, scoped: Scoped = Scoped.REFUSED) -> Permit:
    return Permit(Who.KEY, frozenset({*roles, "admin"}), scoped)


def _read(scoped: Scoped = Scoped.REFUSED) -> Permit:
    return _key("viewer", "operator", "approver", scoped=scoped)


ANYBODY = Permit(Who.ANYBODY)
LINK = Permit(Who.LINK)
DOOR = Permit(Who.DOOR)
ALL = _key(*ROLES, scoped=Scoped.OPEN)
READ = _read()
READ_ORDERS = _read(Scoped.ORDERS)
READ_CONNECTIONS = _read(Scoped.CONNECTIONS)
TOTALS = _key("viewer", "operator", "approver", "executive")
ACT = _key("operator")
ADMIN = _key()

_TABLE: dict[str, Permit] = {
    "GET /healthz": ANYBODY,
    "GET /readyz": ANYBODY,
    "GET /openapi.json": ALL,
    "GET /v1/me": ALL,
    "GET /metrics": READ,
    # orders
    "GET /v1/orders": READ_ORDERS,
    "GET /v1/orders/{order_id}": READ_ORDERS,
    "GET /v1/orders/{order_id}/why": READ_ORDERS,
    "GET /v1/stages": TOTALS,
    "GET /v1/jeopardy": TOTALS,
    "GET /v1/groups": TOTALS,
    "GET /v1/breaches": READ,
    "GET /v1/restated": READ,
    "GET /v1/orphans": READ,
    "POST /v1/links": ACT,
    # money
    "GET /v1/roi": TOTALS,
    "GET /v1/roi/orders": READ,
    "GET /v1/roi/ledger": READ,
    "POST /v1/roi/baseline": ADMIN,
    # what the book says
    "GET /v1/rules": READ,
    "GET /v1/rules/versions": READ,
    "GET /v1/rules/sql": READ,
    "POST /v1/rules/backtest": ACT,
    "POST /v1/rules/test": ACT,
    "GET /v1/rules/backtest/{id}": READ,
    "DELETE /v1/rules/backtest/{id}": ACT,
    "GET /v1/targets": READ,
    "POST /v1/targets/{name}/probe": ACT,
    # what comes in
    "GET /v1/feeds": READ_CONNECTIONS,
    "GET /v1/drift": READ,
    "POST /v1/drift/accept": ACT,
    "GET /v1/quarantine": READ_CONNECTIONS,
    "GET /v1/quarantine/groups": READ,
    "GET /v1/quarantine/{quarantine_id}": READ,
    "POST /v1/quarantine/replay": ACT,
    "POST /v1/quarantine/discard": ACT,
    "POST /v1/quarantine/{quarantine_id}/replay": ACT,
    "POST /v1/quarantine/{quarantine_id}/dry-run": ACT,
    "POST /v1/quarantine/{quarantine_id}/discard": ACT,
    "GET /v1/raw": READ_CONNECTIONS,
    "GET /v1/raw/{raw_id}": ACT,
    "POST /v1/raw/{raw_id}/dry-run": ACT,
    "POST /v1/raw/replay": ACT,
    # what is done
    "GET /v1/actions": _read(Scoped.OWN),
    "POST /v1/actions": _key("operator", scoped=Scoped.ORDERS),
    "GET /v1/actions/{action_id}": _read(Scoped.OWN),
    "POST /v1/actions/{action_id}/approve": _key("approver"),
    "POST /v1/actions/{action_id}/pause": _key("operator", scoped=Scoped.OWN),
    "POST /v1/actions/{action_id}/resume": _key("operator", scoped=Scoped.OWN),
    "POST /v1/actions/{action_id}/cancel": _key("operator", "approver", scoped=Scoped.OWN),
    "GET /v1/audit": READ,
    # who is told
    "GET /v1/alerts": READ,
    "GET /v1/alerts/scorecard": READ,
    "GET /v1/alerts/{alert_id}": READ,
    "POST /v1/alerts/{alert_id}/ack": ACT,
    "POST /v1/alerts/{alert_id}/outcome": ACT,
    "GET /v1/notices": READ,
    "GET /v1/silences": READ,
    "POST /v1/silences": ACT,
    "DELETE /v1/silences/{silence_id}": ACT,
    # whoever wants to hear: their own, an administrator everybody's
    "GET /v1/subscriptions": _read(Scoped.OWN),
    "POST /v1/subscriptions": _read(Scoped.OWN),
    "POST /v1/subscriptions/preview": _read(Scoped.ORDERS),
    "GET /v1/subscriptions/{subscription_id}": _read(Scoped.OWN),
    "PUT /v1/subscriptions/{subscription_id}": _read(Scoped.OWN),
    "DELETE /v1/subscriptions/{subscription_id}": _read(Scoped.OWN),
    "GET /v1/subscriptions/confirm": LINK,
    "POST /v1/subscriptions/confirm": LINK,
    "GET /v1/subscriptions/unsubscribe": LINK,
    "POST /v1/subscriptions/unsubscribe": LINK,
    # keys
    "GET /v1/keys": ADMIN,
    "POST /v1/keys": ADMIN,
    "POST /v1/keys/{name}/rotate": ADMIN,
    "DELETE /v1/keys/{name}": ADMIN,
    # doors of the collector: each asks for its own proof
    "POST /v1/events": DOOR,
    "GET /v1/ingest/{connection}": DOOR,
    "POST /v1/ingest/{connection}": DOOR,
    "OPTIONS /v1/ingest/{connection}": DOOR,
    "POST /v1/traces": DOOR,
    "POST /v1/logs": DOOR,
    "POST /v1/metrics": DOOR,
    "POST /v1/files/{connection}": DOOR,
    "GET /v1/files/{connection}/{raw_id}": DOOR,
    "GET /v1/schemas": DOOR,
    "GET /v1/schemas/{name}": DOOR,
}


def place(method: str, path: str) -> str:
    """Return an endpoint as the table has it, whatever its path parameters are called."""
    return f"{method} {re.sub(r'{[^}]*}', '{}', path)}"


TABLE = {place(*name.split(" ", 1)): (name, permit) for name, permit in _TABLE.items()}


def permit_of(method: str, path: str) -> Permit | None:
    """Return the row of a route, None when it has none."""
    row = TABLE.get(place(method, path))
    return row[1] if row else None

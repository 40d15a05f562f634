"""What a caller may see: everything, or only the orders of some partners, companies or warehouses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tower.model.connections import Connections
from tower.model.principal import Principal

# Dimension of a scope -> column of an order. Within one dimension any value will do; all dimensions must fit.
DIMENSIONS = ("partner", "company", "warehouse")


class ScopeError(ValueError):
    """A scope is not written as it should be; the message says how."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Orders and connections a caller may see. None in a dimension: every value of it."""

    partners: frozenset[str] | None
    connections: frozenset[str]
    companies: frozenset[str] | None = None
    warehouses: frozenset[str] | None = None

    @property
    def limits(self) -> dict[str, frozenset[str]]:
        """The dimensions that are limited, with the values allowed."""
        values = zip(DIMENSIONS, (self.partners, self.companies, self.warehouses), strict=True)
        return {name: allowed for name, allowed in values if allowed is not None}

    def holds(self, order: Mapping[str, Any]) -> bool:
        """Return whether an order, by its attributes, is one of those."""
        return all(order[name] in allowed for name, allowed in self.limits.items())

    def clauses(self) -> tuple[list[str], dict[str, Any]]:
        """Return the WHERE clauses over `orders` that keep to the scope, and the values they bind."""
        limits = self.limits
        clauses = [f"{name} IN {{of_{name}:Array(String)}}" for name in limits]
        return clauses, {f"of_{name}": sorted(allowed) for name, allowed in limits.items()}


def read_scopes(texts: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return the values by dimension of scopes written `partner=acme`. Raises ScopeError."""
    found: dict[str, set[str]] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if name not in DIMENSIONS or not sign or not value.strip():
            raise ScopeError(f"{text!r} is no scope; write {', '.join(f'{d}=VALUE' for d in DIMENSIONS[:-1])} or "
                             f"{DIMENSIONS[-1]}=VALUE")  # fmt: skip
        found.setdefault(name, set()).add(value)
    return {name: frozenset(values) for name, values in found.items()}


def scope_of(principal: Principal, connections: Connections) -> Scope | None:
    """Return the scope of a caller, None for one that sees everything.

    Scopes given with the key count, whatever its roles. A key without any that only reads, and that may send for
    connections which all speak for a partner, is that partner's key.
    """
    if principal.scopes:
        limits = read_scopes(principal.scopes)
        fitting = (
            c.name for c in connections.entries if all(getattr(c, d) in allowed for d, allowed in limits.items())
        )
        return Scope(limits.get("partner"), frozenset(fitting), limits.get("company"), limits.get("warehouse"))
    acts = principal.roles - {"viewer"}
    if acts or not principal.connections or "*" in principal.connections:
        return None
    named = [connections.named(name) for name in principal.connections]
    partners = {c.partner for c in named if c is not None}
    if "" in partners or None in named:
        return None
    return Scope(frozenset(partners), principal.connections)

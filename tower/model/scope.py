"""What a caller may see: everything, or only what concerns the partners whose connections it speaks for."""

from __future__ import annotations

from dataclasses import dataclass

from tower.model.connections import Connections
from tower.model.principal import Principal


@dataclass(frozen=True, slots=True)
class Scope:
    """Partners whose orders, and connections whose messages, a caller may see."""

    partners: frozenset[str]
    connections: frozenset[str]


def scope_of(principal: Principal, connections: Connections) -> Scope | None:
    """Return the scope of a caller, None for one that sees everything.

    A key that only reads, and that may send for connections which all speak for a partner, is that partner's key.
    """
    if principal.can("operator") or not principal.connections or "*" in principal.connections:
        return None
    named = [connections.named(name) for name in principal.connections]
    partners = {c.partner for c in named if c is not None}
    if "" in partners or None in named:
        return None
    return Scope(frozenset(partners), principal.connections)

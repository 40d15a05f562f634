"""Who is speaking: a name with roles and the connections it may send for."""

from __future__ import annotations

from dataclasses import dataclass

ROLES = ("viewer", "operator", "admin")


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller. `connections` holds the names it may send events for; `*` means any."""

    name: str
    roles: frozenset[str]
    connections: frozenset[str] = frozenset()

    def can(self, role: str) -> bool:
        """Return whether the caller has the role; admin has every role, operator also reads."""
        if "admin" in self.roles or role in self.roles:
            return True
        return role == "viewer" and "operator" in self.roles

    def may_send_for(self, connection: str) -> bool:
        """Return whether events of that connection ('' for none) are accepted from the caller."""
        return "admin" in self.roles or "*" in self.connections or connection in self.connections

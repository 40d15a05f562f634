"""Who is speaking: a name with roles, the connections it may send for, and what part of the orders it may see."""

from __future__ import annotations

from dataclasses import dataclass

# What each may do is tower/api/permissions.py, endpoint by endpoint.
ROLES = ("viewer", "operator", "approver", "executive", "admin")
_READING = frozenset({"operator", "approver"})


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller.

    connections: names it may send events for; `*` means any. scopes: `partner=acme` and the like; none: every order.
    """

    name: str
    roles: frozenset[str]
    connections: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()

    def can(self, role: str) -> bool:
        """Return whether the caller has the role; admin has every role, who acts or approves also reads."""
        if "admin" in self.roles or role in self.roles:
            return True
        return role == "viewer" and bool(_READING & self.roles)

    def may_send_for(self, connection: str) -> bool:
        """Return whether events of that connection ('' for none) are accepted from the caller."""
        return "admin" in self.roles or "*" in self.connections or connection in self.connections

"""Write docs/permissions.md from the table that the application enforces. `--check` only compares."""

from __future__ import annotations

import sys
from pathlib import Path

from tower.api.permissions import TABLE, Permit, Who
from tower.model.principal import ROLES

PAGE = Path(__file__).parent.parent / "docs" / "permissions.md"
HEAD = """# Permissions

Who may ask what. The table is the one that the tower enforces (`tower/api/permissions.py`); this page is written from
it, and a test asks every endpoint as every role with and without a scope. An endpoint without a row answers 403 to
everybody.

**Roles.** A *viewer* reads. An *operator* reads and acts. An *approver* reads and gives the second yes to acts that
need one (R3 in [bulk](bulk.md)), never to their own. An *executive* sees money and totals, and no single order. An
*admin* may do all of it, and keys. A key may have several roles.

**Scopes.** A key with `partner=P`, `company=C` or `warehouse=W` lives in a smaller world: orders that do not fit do not
exist for it. Not on the board, in a count, a total, an Arrow stream, an `ETag` or an error text, and an order that is
somebody else's gets the same 404 as one that was never heard of. Several values of one kind add up, several kinds must
all fit. What cannot be cut to a scope is refused (403 `partner_scope`); traces and logs, which may serve many orders,
are left out of an order's page. A viewer's key without a scope whose connections all have a partner is that partner's.

**Odds** are read off everybody's orders, since a part alone has too few that ended. A key with a scope reads the odds
of its own orders as shares; how many orders they rest on (`odds_from`, `self_heal_from`, the curves of *why*) is left
out, and totals of odds (`GET /v1/jeopardy`) are refused. A shipment that carries orders of two scopes counts for both
and names neither to the other. Of what is said [by hand](actions.md#facts-by-hand) a key with a scope reads its own
words.

**Doors** ask for their own proof: the connections of a key, or the signature of the connection.
"""


def table() -> str:
    """Return one line per endpoint."""
    names = ROLES
    lines = [f"| endpoint | {' | '.join(names)} | with a scope |", f"|---|{'---|' * len(names)}---|"]
    for name, permit in TABLE.values():
        marks = " | ".join(_mark(permit, role) for role in names)
        lines.append(f"| `{name}` | {marks} | {_scoped(permit)} |")
    return "\n".join(lines)


def _mark(permit: Permit, role: str) -> str:
    if permit.who is not Who.KEY:
        return permit.who.value
    return "yes" if permit.allows({role}) else "–"


def _scoped(permit: Permit) -> str:
    return permit.scoped.value if permit.who is Who.KEY else permit.who.value


def main() -> None:
    """Write or compare."""
    text = f"{HEAD}\n{table()}\n"
    if "--check" not in sys.argv:
        PAGE.write_text(text)
    elif not PAGE.exists() or PAGE.read_text() != text:
        sys.exit("docs/permissions.md is not what the program says; run `make format`")


if __name__ == "__main__":
    main()

"""Whose word makes a milestone true: an expression over the order's attributes."""

from __future__ import annotations

from collections.abc import Collection

from rules.compile.quote import choose, text
from rules.match import when_sql
from rules.model import Book, Milestone
from rules.vocabulary import ORDER_ATTRIBUTES


def configured(milestone: Milestone, kinds: frozenset[str] | None) -> Milestone:
    """Return the milestone with only the authorities that can speak: kinds without a connection are skipped.

    If none of them has a connection the milestone keeps all: its owner is still its owner, and what others say
    about it stays an echo. kinds None means that no connections are configured, so every kind is known.
    """
    if kinds is None:
        return milestone
    known = tuple(a for a in milestone.authority if a.kind in kinds)
    if not known:
        return milestone
    return Milestone(milestone.name, milestone.object, known, milestone.after, milestone.means)


def columns(table: str) -> dict[str, str]:
    """Return where matchers find each order attribute; amounts compare in the reporting currency.

    table: '' where the names are plain.
    """
    of = f"{table}." if table else ""
    found = {name: f"{of}{name}" for name in ORDER_ATTRIBUTES}
    found["amount"] = f"{of}reporting_amount"
    found["priority"] = f"{of}priority"
    return found


def milestone_authority_sql(milestone: Milestone, table: str) -> str:
    """Return the expression for one milestone's authority in an order of `table`; '' when nobody owns it."""
    cases: list[tuple[str, str]] = []
    for authority in milestone.authority:
        if not authority.when.any_of:
            return choose(cases, text(authority.kind))
        cases.append((when_sql(authority.when, columns(table)), text(authority.kind)))
    return choose(cases, text(milestone.authority[0].kind if milestone.authority else ""))


def authority_sql(
    book: Book, kinds: frozenset[str] | None, name_sql: str, table: str, only: Collection[str] | None = None
) -> str:
    """Return the expression for the authority of the milestone that `name_sql` names; only: the names it can be."""
    by_value: dict[str, list[str]] = {}
    for m in book.milestones.values():
        if m.authority and (only is None or m.name in only):
            by_value.setdefault(milestone_authority_sql(configured(m, kinds), table), []).append(text(m.name))
    return choose([(f"{name_sql} IN ({', '.join(names)})", value) for value, names in by_value.items()], "''")

"""Whose word makes a milestone true: an expression over the attributes of an object and of its order.

Attributes of place (PART_ATTRIBUTES) hold for the object that they were told of, and go before what the order says: two
shipments of one order may leave from two warehouses with two systems. Whoever needs an authority asks here.
"""

from __future__ import annotations

from collections.abc import Collection

from rules.compile.quote import choose, text, texts
from rules.match import when_sql
from rules.model import Book, Milestone
from rules.vocabulary import ORDER_ATTRIBUTES, PART_ATTRIBUTES

Kinds = frozenset[str] | None

# `own` of an order: the objects that have attributes of their own, with all that they lie under, themselves included.
# An attribute that was never told of an object or of what it lies under is ''; then the order's holds.
OWN_TYPE = (
    "Array(Tuple(object UInt64, object_type String, above Array(UInt64), "
    + ", ".join(f"{name} String" for name in PART_ATTRIBUTES)
    + "))"
)
NOTHING_OWN = f"CAST([] AS {OWN_TYPE})"


def configured(milestone: Milestone, kinds: Kinds) -> Milestone:
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


def authority_sql(
    book: Book, kinds: Kinds, name_sql: str, table: str, object_sql: str, only: Collection[str] | None = None
) -> str:
    """Return the expression for the authority of the milestone that `name_sql` names, on an object of an order.

    table: the row of the order, with its attributes and `own`. object_sql: the number of the object, or "" for the order
    itself. only: the names it can be.
    """
    if not object_sql or not _by_part(book, kinds, only):
        return _kind_sql(book, kinds, name_sql, table, only, "")
    kind = _kind_sql(book, kinds, name_sql, table, only, "part")
    return f"arrayMap(part -> {kind}, [{_part_sql(table, object_sql)}])[1]"


def asked_sql(
    book: Book, kinds: Kinds, name_sql: str, table: str, object_sql: str, only: Collection[str] | None = None
) -> str:
    """Return the array of all whose word can count for a milestone on an object or on any known part of it.

    Silence means something only if all of them could have been heard. Arguments as of authority_sql; the first in the
    array is its answer.
    """
    names = _by_part(book, kinds, only)
    if not names:
        return f"[{_kind_sql(book, kinds, name_sql, table, only, '')}]"
    own_type = f"transform({name_sql}, {texts(names)}, {texts(book.milestones[n].object for n in names)}, '')"
    under = f" AND has(part.above, {object_sql})" if object_sql else ""
    parts = f"arrayFilter(part -> part.object_type = {own_type}{under}, {table}.own)"
    kind = _kind_sql(book, kinds, name_sql, table, only, "part")
    return f"arrayDistinct(arrayMap(part -> {kind}, arrayPushFront({parts}, {_part_sql(table, object_sql or '0')})))"


def owned_apart(book: Book, kinds: Kinds) -> tuple[str, ...]:
    """Return the attributes that a part of an order can have for itself and on which an authority of the book depends."""
    asked = {a for m in book.milestones.values() if m.object != "order" for a in _attributes(configured(m, kinds))}
    return tuple(name for name in PART_ATTRIBUTES if name in asked)


def told_apart(names: Collection[str]) -> str:
    """Return the facts that say one of these attributes of anything but the order, as what stands behind FROM."""
    return f"judged_facts WHERE object_type != 'order' AND ({_any_of(names)})"


def own_sql(names: Collection[str]) -> str:
    """Return the step with what the objects of each order have for themselves, of the attributes that are asked for.

    The latest that was told of the object itself, else the latest of what it lies under; what was told of the order is
    the order's and not in it.
    """
    latest = "(f.object = t.object, f.occurred_at, f.event_id, f.ev)"
    values = ",\n        ".join(
        f"CAST(ifNull(argMaxIf(f.{name}, {latest}, f.{name} != ''), '') AS String) AS {name}"
        if name in names
        else f"'' AS {name}"
        for name in PART_ATTRIBUTES
    )
    return f"""
-- One row: an order with the attributes that its objects have for themselves, told of them or of what they lie under.
SELECT
    order_no,
    CAST(groupArray((object, object_type, above, {", ".join(PART_ATTRIBUTES)})) AS {OWN_TYPE}) AS own
FROM
(
    SELECT
        t.order_no AS order_no, t.object AS object, any(t.object_type) AS object_type, groupUniqArray(t.above) AS above,
        {values}
    FROM judged_tree AS t
    LEFT JOIN (SELECT * FROM {told_apart(names)}) AS f
        ON f.order_no = t.order_no AND f.object = t.above
    GROUP BY t.order_no, t.object
    HAVING {_any_of(names)}
)
GROUP BY order_no
""".strip()


def _any_of(names: Collection[str]) -> str:
    return " OR ".join(f"{name} != ''" for name in names)


def _by_part(book: Book, kinds: Kinds, only: Collection[str] | None) -> list[str]:
    """Return the milestones whose authority depends on attributes that a part of an order can have for itself."""
    return [
        m.name
        for m in book.milestones.values()
        if m.object != "order"
        and (only is None or m.name in only)
        and _attributes(configured(m, kinds)) & {*PART_ATTRIBUTES}
    ]


def _attributes(milestone: Milestone) -> set[str]:
    return {c.attribute for a in milestone.authority for group in a.when.any_of for c in group}


def _part_sql(table: str, object_sql: str) -> str:
    """Return what an object has for itself: nothing but '' where nothing was told."""
    return f"arrayFirst(part -> part.object = {object_sql}, {table}.own)"


def _kind_sql(book: Book, kinds: Kinds, name_sql: str, table: str, only: Collection[str] | None, part: str) -> str:
    plain: dict[str, str] = {}
    by_value: dict[str, list[str]] = {}
    for m in book.milestones.values():
        if m.authority and (only is None or m.name in only):
            places = columns(table)
            if part and m.object != "order":
                places |= {a: f"if({part}.{a} = '', {table}.{a}, {part}.{a})" for a in PART_ATTRIBUTES}
            known = configured(m, kinds)
            if not known.authority[0].when.any_of:
                plain[m.name] = known.authority[0].kind
            else:
                by_value.setdefault(_of_milestone(known, places), []).append(text(m.name))
    otherwise = f"transform({name_sql}, {texts(plain)}, {texts(plain.values())}, '')" if plain else "''"
    return choose([(f"{name_sql} IN ({', '.join(names)})", value) for value, names in by_value.items()], otherwise)


def _of_milestone(milestone: Milestone, places: dict[str, str]) -> str:
    cases: list[tuple[str, str]] = []
    for authority in milestone.authority:
        if not authority.when.any_of:
            return choose(cases, text(authority.kind))
        cases.append((when_sql(authority.when, places), text(authority.kind)))
    return choose(cases, text(milestone.authority[0].kind))

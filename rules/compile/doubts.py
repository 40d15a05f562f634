"""What the rules under `findings` have their eye on: a doubt becomes a finding when its time has passed unanswered.

Each kind of rule says in rules.kinds where it sees something; here a doubt gets its order's matchers, and is weighed at
a moment: past its time, and heard past it by the feeds of the systems whose silence it rests on. `settled`: no silence
is involved, the facts alone say it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rules.compile.authority import columns
from rules.compile.quote import choose, text, texts
from rules.compile.verdict import GATES, MARKS, told_sql
from rules.kinds import diverging, duplicate, out_of_order, sync_late
from rules.match import when_sql
from rules.model import Book, FindingRule

_COLUMNS = (
    "order_no", "rule", "kind", "object", "object_type", "object_id", "opened_at", "resolved_at", "settled", "asks",
    "milestone", "system", "from_event", "to_event", "started_at", "more",
)  # fmt: skip
_AS_OF = "{as_of:DateTime64(3, 'UTC')}"
_KINDS = {
    "out_of_order": out_of_order.doubts_sql,
    "duplicate": duplicate.doubts_sql,
    "diverging": diverging.doubts_sql,
    "sync_late": sync_late.doubts_sql,
}


def can_find(rule: FindingRule, kinds: frozenset[str] | None) -> bool:
    """Return whether a rule can find something: systems without a connection neither tell nor keep silent."""
    if kinds is None:
        return True
    if rule.kind == "sync_late":
        return rule.system in kinds
    return rule.kind != "diverging" or len(diverging.parties(rule, kinds)) > 1


def judged_rules(book: Book, kinds: frozenset[str] | None) -> tuple[FindingRule, ...]:
    """Return the finding rules that can find something."""
    return tuple(rule for rule in book.findings if can_find(rule, kinds))


def seen_sql(book: Book, kinds: frozenset[str] | None) -> Iterator[tuple[str, str, str]]:
    """Yield for each kind with a rule the table of what its rules see, its SELECT, and what must be there for one row."""
    for kind, make in _KINDS.items():
        if own := [rule for rule in judged_rules(book, kinds) if rule.kind == kind]:
            yield f"judged_{kind}", make(book, own, kinds), _NEEDS[kind](own)


def _milestone_reached(rules: Sequence[FindingRule]) -> str:
    names = sorted({rule.then or rule.milestone for rule in rules})
    return f"judged_reached WHERE reached_at IS NOT NULL AND has({texts(names)}, milestone)"


def _reached_twice(rules: Sequence[FindingRule]) -> str:
    return (
        f"(SELECT 1 FROM {_milestone_reached(rules)} GROUP BY order_no, milestone"
        " HAVING count() > 1 OR max(length(reports)) > 1)"
    )


def _told_of_fact(rules: Sequence[FindingRule]) -> str:
    facts = texts(sorted({rule.fact for rule in rules}))
    systems = texts(sorted({system for rule in rules for system in rule.systems}))
    return f"judged_reports WHERE polarity = 'reached' AND has({facts}, milestone) AND has({systems}, kind)"


_NEEDS = {
    "out_of_order": _milestone_reached,
    "duplicate": _reached_twice,
    "diverging": _told_of_fact,
    "sync_late": _milestone_reached,
}


def any_seen(book: Book, kinds: frozenset[str] | None) -> str:
    """Return what must not be empty for a doubt."""
    tables = " UNION ALL ".join(f"SELECT 1 FROM {table}" for table, _, _ in seen_sql(book, kinds))
    return f"({tables})"


def doubts_sql(book: Book, kinds: frozenset[str] | None) -> str:
    """Return the step with what the rules see on the orders at hand, whatever the time."""
    rules = judged_rules(book, kinds)
    union = "\nUNION ALL\n".join(f"SELECT * FROM {table}" for table, _, _ in seen_sql(book, kinds))
    return f"""
-- One row: something that a rule of `findings` sees on an object: open from opened_at on, until resolved_at.
SELECT {", ".join(f"{'members' if name in ('object_type', 'object_id') else 'd'}.{name} AS {name}" for name in _COLUMNS)}
FROM
(
{union}
) AS d
INNER JOIN judged_cases AS o ON o.order_no = d.order_no
INNER JOIN judged_members AS members ON members.order_no = d.order_no AND members.object = d.object
WHERE {_applies(rules)}
""".strip()


def _applies(rules: Sequence[FindingRule]) -> str:
    cases = [(f"d.rule = {text(r.id)}", when_sql(r.when, columns("o"))) for r in rules if r.when.any_of]
    return choose(cases, "1")


def weighed_sql() -> str:
    """Return the step that weighs each doubt at the moment: found, or waiting for time or for a feed."""
    return f"""
-- One row: a doubt at the moment. A deadline is past after its instant; without one it holds from its instant on.
WITH
    {MARKS},
    opened_at < {_AS_OF} OR (opened_at = {_AS_OF} AND opened_at = started_at) AS past,
    {told_sql("s.kind = 'out_of_order'")},
    {GATES.format(speaks="has(s.asks, f.2)")} AS gates,
    arrayMap(f -> f.1, arrayFilter(f -> f.6 <= s.opened_at, gates)) AS behind
SELECT
    {", ".join(f"s.{name} AS {name}" for name in _COLUMNS)},
    past AND (s.settled OR empty(behind)) AS found, found AND s.resolved_at IS NULL AS holds,
    if(past AND NOT s.settled, behind, []) AS waits_for,
    if(past, NULL, s.opened_at + toIntervalMillisecond(s.opened_at != s.started_at)) AS next_at
FROM judged_doubts AS s
INNER JOIN judged_cases AS o ON o.order_no = s.order_no
LEFT JOIN judged_scopes AS scopes ON scopes.order_no = s.order_no AND scopes.object = s.object
""".strip()


def findings_sql(book: Book, kinds: frozenset[str] | None) -> str:
    """Return the findings among the weighed doubts; of several on one object the latest counts."""
    rules = judged_rules(book, kinds)
    budget = (
        f"transform(rule, {texts(r.id for r in rules)}, [{', '.join(str(r.within_s or r.settle_s) for r in rules)}], 0)"
    )
    return f"""
/* kinds: {", ".join(kind for kind in _KINDS if any(r.kind == kind for r in rules))} */
SELECT
    order_no, rule, kind, object, object_type, object_id, opened_at, resolved_at, milestone, system, '' AS error,
    from_event, to_event, started_at, CAST({budget} AS Nullable(Int64)) AS budget_s, CAST(NULL AS Nullable(Int64)) AS used_s,
    '' AS calendar, CAST([] AS Array(Tuple(DateTime64(3, 'UTC'), DateTime64(3, 'UTC')))) AS holds, 1 AS outlives, more
FROM
(
    SELECT * FROM judged_weighed WHERE found ORDER BY opened_at DESC LIMIT 1 BY order_no, rule, object
)
""".strip()


def worst_sql(book: Book, kinds: frozenset[str] | None) -> str:
    """Return what an order is in because of findings that hold; their label stands where a failure has its message."""
    rules = judged_rules(book, kinds)
    label = f"transform(rule, {texts(r.id for r in rules)}, {texts(r.label for r in rules)}, '')"
    return f"""            UNION ALL
            SELECT order_no, 'diverging', '', object_type, object_id, opened_at, NULL, NULL, system, {label}, milestone
            FROM judged_weighed
            WHERE holds"""


# When time alone can change something, and which feeds are waited for up to when, of each order.
AHEAD = """
LEFT JOIN
(
    SELECT
        s.order_no AS order_no, min(s.next_at) AS next_at, arrayFlatten(groupArray(s.waits_for)) AS waits_for,
        arrayFlatten(groupArray(arrayMap(w -> s.opened_at, s.waits_for))) AS waits_until
    FROM judged_weighed AS s
    GROUP BY s.order_no
) AS d ON d.order_no = o.order_no
""".strip()

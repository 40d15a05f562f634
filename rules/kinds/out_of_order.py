"""out_of_order: what should come second came first.

Of a stage: its end came before its start, or its clock started on a cancelled order. Of a rule under `findings`: `then`
was reached on an object, and `first` was not complete by then (and `settle`) on what that object hangs from or carries.
"""

from __future__ import annotations

from collections.abc import Sequence

from rules.compile.authority import asked_sql, authority_sql, owned_apart
from rules.compile.quote import FAR, choose, text, texts
from rules.kinds.shape import rules_sql
from rules.model import Book, FindingRule


def findings_sql() -> str:
    """Return the rows of this kind from judged_clocks; it holds until facts or links say otherwise."""
    return """
/* kind: out_of_order */
SELECT
    order_no, rule, 'out_of_order' AS kind, object, object_type, object_id, started_at AS opened_at,
    CAST(NULL AS Nullable(DateTime64(3, 'UTC'))) AS resolved_at, to_milestone AS milestone, system, '' AS error,
    from_event, to_event, started_at, budget_s, used_s, calendar, holds
FROM judged_clocks
WHERE disorder OR after_cancelled
""".strip()


def doubts_sql(book: Book, rules: Sequence[FindingRule], kinds: frozenset[str] | None) -> str:
    """Return what these rules see. It is over when `first` is complete, or when the order is closed.

    `first` is asked of every object of its own type above or below that counts; where there is none, of the order. With
    `since` or `fresh` only what was reported from a moment on (floor_at) counts as `first`.
    """
    lines = [
        f"/* rule: {r.id} */ ({text(r.id)}, {text(r.first)}, {text(r.then)}, {text(_type(book, r.first))}, "
        f"{r.settle_s * 1000}, {text(r.since)}, {r.fresh_s * 1000})"
        for r in rules
    ]
    shape = "rule String, first String, then String, first_type String, settle_ms Int64, since String, fresh_ms Int64"
    firsts, types = texts(sorted({r.first for r in rules})), texts(sorted({_type(book, r.first) for r in rules}))
    names = {r.first for r in rules}
    seconds = texts(sorted({r.then for r in rules}))
    owner = authority_sql(book, kinds, "late.first", "o", "late.open[1]", names)
    asked = asked_sql(book, kinds, "late.first", "o", "", names)
    if owned_apart(book, kinds):
        each = authority_sql(book, kinds, "late.first", "o", "place", names)
        asked = f"if(empty(late.open), {asked}, arrayDistinct(arrayMap(place -> {each}, late.open)))"
    return f"""
/* kind: out_of_order */
WITH
{rules_sql(shape, lines)},
seconds AS
(
    SELECT
        r.rule AS rule, r.first AS first, r.then AS then, r.first_type AS first_type, r.settle_ms AS settle_ms,
        t.order_no AS order_no, t.base AS object, assumeNotNull(t.reached_at) AS then_at, t.reached_ev AS then_ev,
        {_floor(rules)} AS floor_at
    FROM judged_reached AS t
    INNER JOIN rules AS r ON r.then = t.milestone{_before(rules)}
    WHERE t.reached_at IS NOT NULL{_asked_since(rules)}
),
near AS
(
    SELECT order_no, object, above AS part, above_type AS part_type
    FROM judged_tree
    WHERE has({types}, above_type) AND object IN (SELECT base FROM judged_reached WHERE has({seconds}, milestone))
    UNION DISTINCT
    SELECT order_no, above, object, object_type
    FROM judged_tree
    WHERE has({types}, object_type) AND above IN (SELECT base FROM judged_reached WHERE has({seconds}, milestone))
),
told AS
(
    SELECT order_no, object, object_type, milestone, down_first_at AS told_at, down_first_ev AS told_ev, reports
    FROM judged_anchors
    WHERE has({firsts}, milestone) AND down_first_at IS NOT NULL
),
places AS
(
    SELECT
        s.order_no AS order_no, s.rule AS rule, s.object AS object, s.first AS first, s.then AS then, s.settle_ms AS settle_ms,
        s.then_at AS then_at, s.then_ev AS then_ev, near.part AS part, part.told_ev AS part_ev, whole.told_ev AS whole_ev,
        {_at(rules, "part")} AS part_at, {_at(rules, "whole")} AS whole_at
    FROM seconds AS s
    LEFT JOIN (SELECT * FROM near WHERE (order_no, part) NOT IN (SELECT order_no, object FROM judged_void)) AS near
        ON near.order_no = s.order_no AND near.object = s.object AND near.part_type = s.first_type
    LEFT JOIN told AS part ON part.order_no = s.order_no AND part.object = near.part AND part.milestone = s.first
    LEFT JOIN (SELECT * FROM told WHERE object_type = 'order') AS whole
        ON whole.order_no = s.order_no AND whole.milestone = s.first{_known(rules)}
),
asked AS
(
    SELECT
        p.order_no AS order_no, p.rule AS rule, p.object AS object, any(p.first) AS first, any(p.then) AS then,
        any(p.settle_ms) AS settle_ms, any(p.then_at) AS then_at, any(p.then_ev) AS then_ev,
        countIf(p.part IS NOT NULL) AS parts, countIf(p.part IS NOT NULL AND p.part_at IS NULL) AS missing,
        arraySort(groupUniqArrayIf(assumeNotNull(p.part), p.part IS NOT NULL AND p.part_at IS NULL)) AS open, max(p.part_at) AS last_at, argMax(p.part_ev, (p.part_at, p.part_ev)) AS last_ev,
        any(p.whole_at) AS whole_at, any(p.whole_ev) AS whole_ev
    FROM places AS p
    GROUP BY p.order_no, p.rule, p.object
),
late AS
(
    SELECT
        *, then_at + toIntervalMillisecond(settle_ms) AS until,
        if(parts = 0, whole_at, if(missing = 0, last_at, NULL)) AS first_at,
        if(parts = 0, whole_ev, if(missing = 0, last_ev, NULL)) AS first_ev
    FROM asked
),
least(
    ifNull(late.first_at, {FAR}),
    if(o.done_at IS NULL OR o.done_at < late.then_at, {FAR}, assumeNotNull(o.done_at)),
    if(o.cancelled_at IS NULL OR o.cancelled_at < late.then_at, {FAR}, assumeNotNull(o.cancelled_at))) AS ends_at
SELECT
    late.order_no AS order_no, late.rule AS rule, 'out_of_order' AS kind, late.object AS object, late.until AS opened_at,
    if(ends_at = {FAR}, NULL, ends_at) AS resolved_at, late.first_at IS NOT NULL AS settled,
    {asked} AS asks, late.first AS milestone, {owner} AS system, late.then_ev AS from_event,
    ifNull(late.first_ev, 0) AS to_event, late.then_at AS started_at,
    concat('{{"first":"', late.first, '","then":"', late.then, '"}}') AS more
FROM late
INNER JOIN judged_cases AS o ON o.order_no = late.order_no
WHERE ends_at > late.until
""".strip()


def _type(book: Book, milestone: str) -> str:
    return book.milestones[milestone].object


def _floor(rules: Sequence[FindingRule]) -> str:
    """Return from when on a report counts; without `since` and `fresh` any does."""
    cases = []
    if any(r.since for r in rules):
        cases.append(("r.since != ''", "arrayLastOrNull(at -> at <= assumeNotNull(t.reached_at), back.reports)"))
    if any(r.fresh_s for r in rules):
        cases.append(("r.fresh_ms > 0", "assumeNotNull(t.reached_at) - toIntervalMillisecond(r.fresh_ms)"))
    return f"CAST({choose(cases, 'NULL')} AS Nullable(DateTime64(3, 'UTC')))"


def _before(rules: Sequence[FindingRule]) -> str:
    if not any(r.since for r in rules):
        return ""
    return """
    LEFT JOIN judged_anchors AS back ON back.order_no = t.order_no AND back.object = t.base AND back.milestone = r.since"""


def _asked_since(rules: Sequence[FindingRule]) -> str:
    return " AND (r.since = '' OR floor_at IS NOT NULL)" if any(r.since for r in rules) else ""


def _at(rules: Sequence[FindingRule], name: str) -> str:
    if not any(r.since or r.fresh_s for r in rules):
        return f"{name}.told_at"
    late = f"arrayFirstOrNull(at -> at >= assumeNotNull(s.floor_at), {name}.reports)"
    return f"if(s.floor_at IS NULL, {name}.told_at, {late})"


def _known(rules: Sequence[FindingRule]) -> str:
    """Return the condition that `fresh` asks only where `first` was ever told."""
    fresh = texts(r.id for r in rules if r.fresh_s)
    return f"\n    WHERE NOT has({fresh}, s.rule) OR whole.told_at IS NOT NULL" if fresh != texts([]) else ""

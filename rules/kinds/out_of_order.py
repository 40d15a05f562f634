"""out_of_order: what should come second came first.

Of a stage: its end came before its start, or its clock started on a cancelled order. Of a rule under `findings`: `then`
was reached on an object, and `first` was not complete by then (and `settle`) on what that object hangs from or carries.
"""

from __future__ import annotations

from collections.abc import Sequence

from rules.compile.authority import authority_sql
from rules.compile.quote import FAR, text, texts
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

    `first` is asked of every object of its own type above or below that counts; where there is none, of the order.
    """
    lines = [
        f"/* rule: {r.id} */ ({text(r.id)}, {text(r.first)}, {text(r.then)}, {text(_type(book, r.first))}, {r.settle_s * 1000})"
        for r in rules
    ]
    firsts, types = texts(sorted({r.first for r in rules})), texts(sorted({_type(book, r.first) for r in rules}))
    owner = authority_sql(book, kinds, "late.first", "o", {r.first for r in rules})
    return f"""
/* kind: out_of_order */
WITH
{rules_sql("rule String, first String, then String, first_type String, settle_ms Int64", lines)},
seconds AS
(
    SELECT r.*, t.order_no AS order_no, t.base AS object, assumeNotNull(t.reached_at) AS then_at, t.reached_ev AS then_ev
    FROM judged_reached AS t
    INNER JOIN rules AS r ON r.then = t.milestone
    WHERE t.reached_at IS NOT NULL
),
near AS
(
    SELECT order_no, object, above AS part, above_type AS part_type
    FROM judged_tree
    WHERE has({types}, above_type) AND object IN (SELECT object FROM seconds)
    UNION DISTINCT
    SELECT order_no, above, object, object_type
    FROM judged_tree
    WHERE has({types}, object_type) AND above IN (SELECT object FROM seconds)
),
told AS
(
    SELECT order_no, object, object_type, milestone, down_first_at AS told_at, down_first_ev AS told_ev
    FROM judged_anchors
    WHERE has({firsts}, milestone) AND down_first_at IS NOT NULL
),
asked AS
(
    SELECT
        s.order_no AS order_no, s.rule AS rule, s.object AS object, any(s.first) AS first, any(s.then) AS then,
        any(s.settle_ms) AS settle_ms, any(s.then_at) AS then_at, any(s.then_ev) AS then_ev,
        countIf(near.part IS NOT NULL) AS parts, countIf(near.part IS NOT NULL AND part.told_at IS NULL) AS missing,
        max(part.told_at) AS last_at, argMax(part.told_ev, (part.told_at, part.told_ev)) AS last_ev,
        any(whole.told_at) AS whole_at, any(whole.told_ev) AS whole_ev
    FROM seconds AS s
    LEFT JOIN (SELECT * FROM near WHERE (order_no, part) NOT IN (SELECT order_no, object FROM judged_void)) AS near
        ON near.order_no = s.order_no AND near.object = s.object AND near.part_type = s.first_type
    LEFT JOIN told AS part ON part.order_no = s.order_no AND part.object = near.part AND part.milestone = s.first
    LEFT JOIN (SELECT * FROM told WHERE object_type = 'order') AS whole
        ON whole.order_no = s.order_no AND whole.milestone = s.first
    GROUP BY s.order_no, s.rule, s.object
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
    [{owner}] AS asks, late.first AS milestone, asks[1] AS system, late.then_ev AS from_event,
    ifNull(late.first_ev, 0) AS to_event, late.then_at AS started_at,
    concat('{{"first":"', late.first, '","then":"', late.then, '"}}') AS more
FROM late
INNER JOIN judged_cases AS o ON o.order_no = late.order_no
WHERE ends_at > late.until
""".strip()


def _type(book: Book, milestone: str) -> str:
    return book.milestones[milestone].object

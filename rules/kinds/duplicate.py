"""duplicate: what may happen once only on an object happened twice: two invoices of one shipment, one payment applied twice.

Two different objects reached it; asked per object of the milestone's own type, it was told of two instants. What was
taken back does not count, nor the same fact told again. Parts of one whole are none: together they come to no more than
the object was said to be worth.
"""

from __future__ import annotations

from collections.abc import Sequence

from rules.compile.authority import asked_sql, authority_sql
from rules.compile.quote import NO_INSTANT, text, texts
from rules.kinds.shape import rules_sql
from rules.model import Book, FindingRule


def doubts_sql(book: Book, rules: Sequence[FindingRule], kinds: frozenset[str] | None) -> str:
    """Return what these rules see; it is there from the second one on, and gone once all but one are taken back."""
    lines = [
        f"/* rule: {r.id} */ ({text(r.id)}, {text(r.milestone)}, {text(r.per)}, {int(r.per == book.milestones[r.milestone].object)}, {r.settle_s * 1000})"
        for r in rules
    ]
    wanted = texts(sorted({r.milestone for r in rules}))
    own = [m for m in book.milestones.values() if m.object in {r.per for r in rules}]
    names = {r.milestone for r in rules}
    owner = authority_sql(book, kinds, "d.milestone", "o", "d.object", names)
    asked = asked_sql(book, kinds, "d.milestone", "o", "d.object", names)
    return f"""
/* kind: duplicate */
WITH
{rules_sql("rule String, milestone String, per String, itself UInt8, settle_ms Int64", lines)},
money AS
(
    SELECT f.order_no AS order_no, f.ev AS ev, any(f.amount) AS amount, any(CAST(f.currency AS String)) AS currency
    FROM judged_facts AS f
    WHERE has({wanted}, f.milestone) AND f.amount IS NOT NULL
    GROUP BY f.order_no, f.ev
),
worth AS
(
    SELECT
        f.order_no AS order_no, f.object AS object, argMax(f.amount, (f.occurred_at, f.event_id, f.ev)) AS amount,
        argMax(CAST(f.currency AS String), (f.occurred_at, f.event_id, f.ev)) AS currency
    FROM judged_facts AS f
    WHERE f.amount IS NOT NULL AND f.polarity = 'reached'
        AND f.object_type = transform(f.milestone, {texts(m.name for m in own)}, {texts(m.object for m in own)}, '')
    GROUP BY f.order_no, f.object
),
once AS
(
    SELECT t.order_no AS order_no, r.rule AS rule, tree.above AS object, r.milestone AS milestone, r.settle_ms AS settle_ms,
        said.1 AS said_at, said.2 AS said_ev, t.base AS part, r.itself AS itself
    FROM judged_reached AS t
    INNER JOIN rules AS r ON r.milestone = t.milestone
    INNER JOIN judged_tree AS tree ON tree.order_no = t.order_no AND tree.object = t.base AND tree.above_type = r.per
    ARRAY JOIN if(r.itself, arrayMap(at -> (at, t.reached_ev), arrayDistinct(t.reports)), [(assumeNotNull(t.reached_at), t.reached_ev)]) AS said
    WHERE t.reached_at IS NOT NULL AND t.base_type = t.milestone_type
),
d AS
(
    SELECT
        once.order_no AS order_no, once.rule AS rule, once.object AS object, any(once.milestone) AS milestone,
        any(once.settle_ms) AS settle_ms, any(once.itself) AS itself,
        arraySort(groupArray((once.said_at, once.part, once.said_ev, members.object_id))) AS said,
        countIf(money.amount IS NULL) AS unpriced, sum(money.amount) AS total,
        groupUniqArray(ifNull(money.currency, '')) AS currencies
    FROM once
    INNER JOIN judged_members AS members ON members.order_no = once.order_no AND members.object = once.part
    LEFT JOIN money ON money.order_no = once.order_no AND money.ev = once.said_ev
    GROUP BY once.order_no, once.rule, once.object
    HAVING length(said) > 1
)
SELECT
    d.order_no AS order_no, d.rule AS rule, 'duplicate' AS kind, d.object AS object,
    d.said[2].1 + toIntervalMillisecond(d.settle_ms) AS opened_at, {NO_INSTANT} AS resolved_at, d.settle_ms = 0 AS settled,
    if(settled, [], {asked}) AS asks, d.milestone AS milestone, {owner} AS system, d.said[1].3 AS from_event,
    if(d.itself, 0, d.said[2].3) AS to_event, d.said[2].1 AS started_at,
    toJSONString(CAST((
        arrayMap(x -> (x.4, toString(x.1)), d.said),
        if(d.unpriced = 0, toString(d.total), NULL), if(length(d.currencies) = 1, d.currencies[1], '')),
        'Tuple(reached Array(Tuple(object String, at String)), amount Nullable(String), currency String)')) AS more
FROM d
INNER JOIN judged_cases AS o ON o.order_no = d.order_no
LEFT JOIN worth ON worth.order_no = d.order_no AND worth.object = d.object
WHERE d.itself OR d.unpriced > 0 OR worth.amount IS NULL OR d.currencies != [assumeNotNull(worth.currency)] OR d.total > worth.amount
""".strip()

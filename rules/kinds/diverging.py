"""diverging: systems say different things about one fact.

Of a stage: past due, others say it happened, and the authority's feed has passed without saying so. Of a rule under
`findings`: its systems differ for longer than `settle` on whether the fact stands, or on an amount, quantity or date that
they tell of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from rules.compile.quote import text, texts
from rules.kinds.shape import rules_sql
from rules.model import Book, FindingRule


def findings_sql() -> str:
    """Return the rows of this kind from judged_clocks."""
    return """
/* kind: diverging */
SELECT
    order_no, rule, 'diverging' AS kind, object, object_type, object_id, assumeNotNull(due_at) AS opened_at,
    CAST(NULL AS Nullable(DateTime64(3, 'UTC'))) AS resolved_at, to_milestone AS milestone, system, '' AS error,
    from_event, to_event, started_at, budget_s, used_s, calendar, holds
FROM judged_clocks
WHERE NOT provisional AND past AND passed AND to_echo_at IS NOT NULL
""".strip()


def parties(rule: FindingRule, kinds: frozenset[str] | None) -> tuple[str, ...]:
    """Return the systems of the rule that have a connection; kinds None: all."""
    return tuple(s for s in rule.systems if kinds is None or s in kinds)


def doubts_sql(_: Book, rules: Sequence[FindingRule], kinds: frozenset[str] | None) -> str:
    """Return what these rules see: the present difference, and the last one that was put right too late.

    What a system says is what it reported since it last took the fact back. A silent one rests on its feed.
    """
    lines = [
        f"/* rule: {r.id} */ ({text(r.id)}, {text(r.fact)}, {texts(parties(r, kinds))}, {r.settle_s * 1000})"
        for r in rules
    ]
    told = ", ".join(
        f"if(arrayUniq(arrayFilter(x -> x != '', arrayMap(v -> ifNull(toString(v.{place}), ''), views))) > 1, '{name}', '')"
        for place, name in enumerate(("amount", "currency", "quantity", "promised_at", "requested_at"), 3)
    )
    return f"""
/* kind: diverging */
WITH
{rules_sql("rule String, fact String, systems Array(String), settle_ms Int64", lines)},
said AS
(
    SELECT
        f.order_no AS order_no, r.rule AS rule, f.base AS object, any(r.fact) AS fact, any(r.settle_ms) AS settle_ms,
        any(f.authority) AS authority,
        arrayConcat(arrayFilter(x -> x = authority, any(r.systems)), arrayFilter(x -> x != authority, any(r.systems))) AS parties,
        arraySort(e -> (e.1, e.2, e.3), groupArray((
            f.occurred_at, f.event_id, f.ev, CAST(f.kind AS String), f.polarity = 'reversed', f.amount,
            CAST(f.currency AS String), f.quantity, f.promised_at, f.requested_at))) AS told
    FROM judged_reports AS f
    INNER JOIN rules AS r ON r.fact = f.milestone
    WHERE f.polarity IN ('reached', 'reversed') AND has(r.systems, CAST(f.kind AS String))
    GROUP BY f.order_no, r.rule, f.base
),
seen AS
(
    SELECT
        *, arrayDistinct(arrayMap(e -> e.1, told)) AS moments,
        arrayMap(t -> arrayMap(kept -> (
                notEmpty(kept), if(empty(kept), NULL, kept[1].1),
                arrayLast(e -> e.6 IS NOT NULL, kept).6, arrayLast(e -> e.7 != '', kept).7,
                arrayLast(e -> e.8 IS NOT NULL, kept).8, arrayLast(e -> e.9 IS NOT NULL, kept).9,
                arrayLast(e -> e.10 IS NOT NULL, kept).10, if(empty(kept), 0, kept[-1].3)),
            arrayMap(own -> arraySlice(own, toInt64(arrayLastIndex(e -> e.5, own)) + 1),
                arrayMap(p -> arrayFilter(e -> e.1 <= t AND e.4 = p, told), parties))), moments) AS looks
    FROM said
),
differing AS
(
    SELECT
        *, arrayMap(views -> arrayFilter(x -> x != '', [
            if(arrayUniq(arrayMap(v -> v.1, views)) > 1, 'status', ''), {told}]), looks) AS differs,
        arrayFilter(i -> notEmpty(differs[i]) AND (i = 1 OR empty(differs[i - 1])), arrayEnumerate(moments)) AS begins
    FROM seen
),
runs AS
(
    SELECT
        *, arrayMap(b -> (b, toUInt32(arrayFirstIndex((x, i) -> i > b AND empty(x), differs, arrayEnumerate(differs)))), begins) AS spans
    FROM differing
),
run AS
(
    SELECT
        r.*, r.moments[span.1] AS since, since + toIntervalMillisecond(r.settle_ms) AS until,
        if(span.2 = 0, NULL, r.moments[span.2]) AS ends_at,
        if(span.2 = 0, length(r.moments), span.2 - 1) AS at, r.differs[at] AS differ, r.looks[at] AS views,
        arrayFirstIndex((v, p) -> v.1 != views[1].1, views, parties) AS other_status,
        arrayFirstIndex(v -> ifNull(v.3 != views[1].3, 0) OR (v.4 != '' AND views[1].4 != '' AND v.4 != views[1].4) OR ifNull(v.5 != views[1].5, 0) OR ifNull(v.6 != views[1].6, 0) OR ifNull(v.7 != views[1].7, 0), views) AS other_value,
        if(other_status > 0, other_status, if(other_value > 0, other_value, 2)) AS other
    FROM runs AS r
    ARRAY JOIN arrayConcat(
        arraySlice(arrayFilter(s -> s.2 > 0 AND moments[s.2] > moments[s.1] + toIntervalMillisecond(settle_ms), spans), -1),
        arrayFilter(s -> s.2 = 0, spans)) AS span
)
SELECT
    order_no, rule, 'diverging' AS kind, object, until AS opened_at, ends_at AS resolved_at,
    ends_at IS NOT NULL OR differ != ['status'] AS settled,
    arrayFilter((p, v) -> NOT v.1, parties, views) AS asks, fact AS milestone, parties[other] AS system,
    views[1].8 AS from_event, views[other].8 AS to_event, since AS started_at,
    toJSONString(CAST((
        differ,
        arrayMap((p, v) -> (p, v.1 = 1, toString(v.2), toString(v.3), v.4, toString(v.5), toString(v.6), toString(v.7)), parties, views),
        if(has(differ, 'status'), toString(arrayFirst(v -> v.3 IS NOT NULL, views).3), if(has(differ, 'amount') AND NOT has(differ, 'currency'), toString(abs(views[1].3 - views[other].3)), NULL)),
        arrayFirst(v -> v.4 != '', views).4),
        'Tuple(differs Array(String), says Array(Tuple(system String, reached Bool, at Nullable(String), amount Nullable(String), currency String, quantity Nullable(String), promised_at Nullable(String), requested_at Nullable(String))), difference Nullable(String), currency String)')) AS more
FROM run
""".strip()

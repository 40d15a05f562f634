"""sync_late: a system was told of a milestone later than `within` after the authority's word, or has not been yet."""

from __future__ import annotations

from collections.abc import Sequence

from rules.compile.authority import authority_sql
from rules.compile.quote import text, texts
from rules.kinds.shape import rules_sql
from rules.model import Book, FindingRule


def doubts_sql(book: Book, rules: Sequence[FindingRule], kinds: frozenset[str] | None) -> str:
    """Return what these rules see; it is over when the system reports the milestone.

    A system that knows only the order, or only what hangs from the object, reports it there.
    """
    lines = [
        f"/* rule: {r.id} */ ({text(r.id)}, {text(r.milestone)}, {text(r.system)}, {r.within_s * 1000})" for r in rules
    ]
    names = {r.milestone for r in rules}
    owner = authority_sql(book, kinds, "w.milestone", "o", "w.object", names)
    return f"""
/* kind: sync_late */
WITH
{rules_sql("rule String, milestone String, system String, within_ms Int64", lines)},
words AS
(
    SELECT
        r.rule AS rule, r.milestone AS milestone, r.system AS system, t.order_no AS order_no, t.base AS object, assumeNotNull(t.reached_at) AS word_at, t.reached_ev AS word_ev,
        assumeNotNull(t.reached_at) + toIntervalMillisecond(r.within_ms) AS until
    FROM judged_reached AS t
    INNER JOIN rules AS r ON r.milestone = t.milestone
    WHERE t.reached_at IS NOT NULL
),
heard AS
(
    SELECT
        near.order_no AS order_no, near.object AS object, said.milestone AS milestone,
        maxOrNullIf(said.occurred_at, said.polarity = 'reversed' AND said.base = near.object) AS back_at,
        arraySort(groupArrayIf((said.occurred_at, said.ev, CAST(said.kind AS String)), said.polarity = 'reached')) AS told
    FROM judged_reports AS said
    INNER JOIN
    (
        SELECT order_no, object, above AS place FROM judged_tree
        UNION DISTINCT
        SELECT order_no, above, object FROM judged_tree
    ) AS near ON near.order_no = said.order_no AND near.place = said.base
    WHERE has({texts(sorted(names))}, said.milestone) AND near.object IN (SELECT object FROM words)
    GROUP BY near.order_no, near.object, said.milestone
),
arrayFirst(x -> x.3 = w.system AND (h.back_at IS NULL OR x.1 > assumeNotNull(h.back_at)), h.told) AS echo
SELECT
    w.order_no AS order_no, w.rule AS rule, 'sync_late' AS kind, w.object AS object, w.until AS opened_at,
    if(echo.2 = 0, NULL, echo.1) AS resolved_at, echo.2 != 0 AS settled, [w.system] AS asks, w.milestone AS milestone,
    w.system AS system, w.word_ev AS from_event, echo.2 AS to_event, w.word_at AS started_at,
    toJSONString(CAST((
        {owner}, if(settled, toString(echo.1), NULL),
        if(settled, intDiv(toUnixTimestamp64Milli(echo.1) - toUnixTimestamp64Milli(w.word_at), 1000), NULL)),
        'Tuple(authority String, echo_at Nullable(String), lag_s Nullable(Int64))')) AS more
FROM words AS w
INNER JOIN judged_cases AS o ON o.order_no = w.order_no
LEFT JOIN heard AS h ON h.order_no = w.order_no AND h.object = w.object AND h.milestone = w.milestone
WHERE w.system != {owner} AND (NOT settled OR echo.1 > w.until)
""".strip()

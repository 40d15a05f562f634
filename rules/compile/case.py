"""The steps that put one order together from its facts and links, before any promise is looked at.

One row of judged_tree says that an object lies under another within an order (itself included); only what hangs
from the order downwards is in it, so an event on a shared object reaches every order above it and then stops.
"""

from __future__ import annotations

from rules.compile.authority import NOTHING_OWN, authority_sql, columns, owned_apart
from rules.compile.quote import choose, text, texts
from rules.match import when_sql
from rules.model import Book
from rules.vocabulary import TEXT_ATTRIBUTES, TIME_ATTRIBUTES

TREE = """
-- One row: object lies under above (or is it), both on a way down from the order.
WITH RECURSIVE walk AS
(
    SELECT
        order_no, object, CAST('order' AS String) AS object_type, order_id AS object_id,
        object AS above, CAST('order' AS String) AS above_type, toUInt8(0) AS depth
    FROM scope
    WHERE (order_no, object) NOT IN (SELECT order_no, name FROM judged_names)
    UNION ALL
    SELECT DISTINCT
        links.order_no, links.child, CAST(links.child_type AS String), links.child_id,
        pair.1, pair.2, toUInt8(walk.depth + 1)
    FROM walk
    INNER JOIN judged_links AS links ON links.order_no = walk.order_no AND links.parent = walk.object
    ARRAY JOIN [(walk.above, walk.above_type), (links.child, CAST(links.child_type AS String))] AS pair
    WHERE walk.depth < 24
)
SELECT DISTINCT order_no, object, object_type, object_id, above, above_type FROM walk
"""

MEMBERS = """
-- One row: an object of the order, with the types on its way up (its own included).
SELECT
    order_no, object, any(object_type) AS object_type, any(object_id) AS object_id,
    groupUniqArray(above_type) AS types
FROM judged_tree
GROUP BY order_no, object
"""

FACTS = """
-- One row: a fact on an object of the order, known and happened as of the moment, under the name the object goes by.
SELECT
    f.order_no AS order_no, ifNull(n.target, f.object) AS object, f.object_type AS object_type,
    ifNull(n.target_id, f.object_id) AS object_id, ev, body, event_id, source, connection, kind, milestone,
    polarity, occurred_at, received_at, amount, quantity, currency, customer_id, customer_tier, channel, order_type,
    company, warehouse, partner, promised_at, requested_at, reason, error, trace_id,
    source_version
FROM
(
    SELECT *
    FROM case_facts FINAL
    WHERE order_no IN (SELECT order_no FROM scope)
        AND occurred_at <= {as_of:DateTime64(3, 'UTC')} AND received_at <= {known_at:DateTime64(3, 'UTC')}
        AND (ev, body) NOT IN (SELECT ev, body FROM conflicts)
) AS f
LEFT JOIN judged_names AS n ON n.order_no = f.order_no AND n.name = f.object
WHERE (order_no, object) IN (SELECT order_no, object FROM judged_members)
LIMIT 1 BY order_no, object, ev, body
"""


# What the scope of a feed may name, with the name for many of them.
SCOPES = {"company": "companies", "warehouse": "warehouses", "partner": "partners"}


def attributes_sql(book: Book, kinds: frozenset[str] | None) -> str:
    """Return the step that gives each order its attributes: the latest by occurrence, own milestones first.

    With it what its objects have for themselves (`own`), and every company, warehouse and partner told anywhere under it.
    Amount and currency come from the order's own milestones only. The amount in the reporting currency takes the
    rate in force when the amount was stated; an amount without a currency is in the reporting currency.
    """
    own = texts(m.name for m in book.milestones.values() if m.object == "order")
    text_lines = [
        f"            argMaxIf(f.{name}, f.latest, f.{name} != ''{' AND f.own' if name == 'currency' else ''}) AS {name},"
        for name in TEXT_ATTRIBUTES
    ]
    time_lines = [
        f"            argMaxOrNullIf(f.{name}, f.latest, f.{name} IS NOT NULL) AS {name}," for name in TIME_ATTRIBUTES
    ]
    apart = owned_apart(book, kinds)
    parts = "parts.own AS own" if apart else f"{NOTHING_OWN} AS own"
    return "\n".join(
        [
            "-- One row: an order with its attributes, its amount in the reporting currency, and its priority.",
            f"SELECT profile.*, {_priority_sql(book)} AS priority, {parts}",
            "FROM",
            "(",
            f"    SELECT *, {reporting_sql(book)} AS reporting_amount",
            "    FROM",
            "    (",
            "        SELECT",
            "            order_no,",
            *text_lines,
            *time_lines,
            "            argMaxOrNullIf(f.amount, f.latest, f.amount IS NOT NULL AND f.own) AS amount,",
            "            argMaxOrNullIf(f.occurred_at, f.latest, f.amount IS NOT NULL AND f.own) AS amount_at,",
            "            argMaxOrNullIf(f.quantity, f.latest, f.quantity IS NOT NULL) AS quantity,",
            "            argMax(f.milestone, (f.polarity = 'reached', f.occurred_at, f.event_id, f.ev)) AS last_milestone,",
            "            maxOrNullIf(f.occurred_at, f.polarity = 'reached') AS last_at,",
            *(
                f"            groupUniqArrayIf(CAST(f.{name} AS String), f.{name} != '') AS all_{plural},"
                for name, plural in SCOPES.items()
            ),
            "            groupBitXor(sipHash64(f.ev, f.body, f.object)) AS facts",
            "        FROM",
            "        (",
            "            SELECT",
            f"                *, has({own}, milestone) AS own,",
            "                row_number() OVER (PARTITION BY order_no ORDER BY own, occurred_at, source_version, event_id, ev) AS latest",
            "            FROM judged_facts",
            "        ) AS f",
            "        GROUP BY order_no",
            "    )",
            ") AS profile",
            *(["LEFT JOIN judged_own AS parts ON parts.order_no = profile.order_no"] if apart else []),
        ]
    )


def reporting_sql(book: Book) -> str:
    """Return `amount` of `currency` as of `amount_at` in the reporting currency; null where there is no rate."""
    value = book.value
    cases = [(f"currency IN ('', {text(value.currency)})", "amount")]
    for rate in sorted(value.rates, key=lambda r: (r.currency, r.since), reverse=True):
        since = f"toDateTime64({text(rate.since)}, 3, 'UTC')"
        converted = (
            f"CAST(toDecimal256(amount, 6) * toDecimal256({text(str(rate.rate))}, 8) AS Nullable(Decimal(38, 6)))"
        )
        cases.append((f"currency = {text(rate.currency)} AND amount_at >= {since}", converted))
    return choose(cases, "CAST(NULL AS Nullable(Decimal(38, 6)))")


def _priority_sql(book: Book) -> str:
    if not book.priorities:
        return "''"
    cases = [(when_sql(p.when, columns("profile")), text(p.name)) for p in book.priorities[:-1] if p.when.any_of]
    return choose(cases, text(book.priorities[-1].name))


# What systems may differ on beside the fact itself.
_VALUES = ("amount", "currency", "quantity", "promised_at", "requested_at")


def reports_sql(book: Book, kinds: frozenset[str] | None, *, values: bool = False) -> str:
    """Return the step that lays each fact on the object its milestone is about, and says whose word it is.

    values: with what it tells beside, where a rule compares that.

    The base of a fact is every object of the milestone's own type on the way up from where it is kept, or that
    place itself when there is none.
    """
    names = list(book.milestones)
    own_type = f"transform(facts.milestone, {texts(names)}, {texts(book.milestones[n].object for n in names)}, '')"
    return "\n".join(
        [
            "-- One row: a report about a milestone on its base object; `word` is 1 for the authority, 0 for an echo.",
            f"WITH {own_type} AS own_type",
            "SELECT",
            "    facts.order_no AS order_no, facts.milestone AS milestone, tree.above AS base,",
            "    tree.above_type AS base_type, own_type AS milestone_type, facts.polarity AS polarity,",
            "    facts.occurred_at AS occurred_at, facts.ev AS ev, facts.object AS object, facts.error AS error,",
            "    facts.reason AS reason, facts.kind AS kind, facts.event_id AS event_id,",
            *(f"    facts.{name} AS {name}," for name in _VALUES if values),
            f"    {authority_sql(book, kinds, 'facts.milestone', 'attributes', 'tree.above')} AS authority,",
            "    authority = '' OR authority = facts.kind AS word",
            "FROM judged_facts AS facts",
            "INNER JOIN judged_tree AS tree ON tree.order_no = facts.order_no AND tree.object = facts.object",
            "INNER JOIN judged_members AS members ON members.order_no = facts.order_no AND members.object = facts.object",
            "INNER JOIN judged_attributes AS attributes ON attributes.order_no = facts.order_no",
            "WHERE own_type != ''",
            "    AND (tree.above_type = own_type OR (tree.above = facts.object AND NOT has(members.types, own_type)))",
        ]
    )


REACHED = """
-- One row: a milestone on its base object. reached_at is the authority's earliest report after its latest reversal;
-- echo_at is the earliest of the others, after any reversal.
WITH
    arraySort(arrayFilter(x -> isNull(taken_back_at) OR x.1 > assumeNotNull(taken_back_at), told)) AS words,
    arraySort(arrayFilter(x -> isNull(any_back_at) OR x.1 > assumeNotNull(any_back_at), heard)) AS echoes
SELECT
    order_no, milestone, base, base_type, milestone_type,
    if(empty(words), NULL, words[1].1) AS reached_at,
    if(empty(words), 0, words[1].2) AS reached_ev,
    if(empty(echoes), NULL, echoes[1].1) AS echo_at,
    if(empty(echoes), 0, echoes[1].2) AS echo_ev,
    arrayMap(x -> x.1, words) AS reports,
    reversals > 0 AS was_reversed
FROM
(
    SELECT
        order_no, milestone, base, base_type, milestone_type,
        maxOrNullIf(occurred_at, polarity = 'reversed' AND word) AS taken_back_at,
        maxOrNullIf(occurred_at, polarity = 'reversed') AS any_back_at,
        countIf(polarity = 'reversed') AS reversals,
        groupArrayIf((occurred_at, ev), polarity = 'reached' AND word) AS told,
        groupArrayIf((occurred_at, ev), polarity = 'reached' AND NOT word) AS heard
    FROM judged_reports
    WHERE polarity IN ('reached', 'reversed')
    GROUP BY order_no, milestone, base, base_type, milestone_type
)
"""

VOID = """
-- One row: an object that no longer counts, because everything reached on it was taken back.
SELECT order_no, base AS object
FROM judged_reached
WHERE base_type = milestone_type
GROUP BY order_no, base
HAVING countIf(was_reversed) > 0 AND countIf(reached_at IS NOT NULL OR echo_at IS NOT NULL) = 0
"""


TOLD = """
-- One row: every word on a milestone that failed somewhere in its order and counts for an object: on it or below it,
-- oldest first.
SELECT order_no, milestone, object, arraySort(groupArray(occurred_at)) AS told_at
FROM
(
    SELECT DISTINCT reports.order_no AS order_no, reports.milestone AS milestone, tree.above AS object, reports.occurred_at AS occurred_at
    FROM judged_reports AS reports
    INNER JOIN judged_tree AS tree ON tree.order_no = reports.order_no AND tree.object = reports.object
    WHERE reports.polarity = 'reached' AND reports.word
        AND (reports.order_no, reports.milestone) IN (SELECT order_no, milestone FROM judged_reports WHERE polarity = 'failed')
)
GROUP BY order_no, milestone, object
"""


def quantities_sql(book: Book) -> str:
    """Return the step with the quantity that each object was last said to have, on a milestone of its own type."""
    names = list(book.milestones)
    own_type = f"transform(f.milestone, {texts(names)}, {texts(book.milestones[n].object for n in names)}, '')"
    return f"""
-- One row: an object whose quantity was told.
SELECT f.order_no AS order_no, f.object AS object, argMax(assumeNotNull(f.quantity), (f.occurred_at, f.event_id, f.ev)) AS quantity
FROM judged_facts AS f
WHERE f.quantity IS NOT NULL AND f.polarity = 'reached' AND f.object_type = {own_type}
GROUP BY f.order_no, f.object
""".strip()


def short_sql(wanted: list[tuple[str, str, str]]) -> str:
    """Return the step for what is still short: all parts of a type tell a quantity, and together less than the whole."""
    return f"""
-- One row: an object under which the objects of a type come to less than its own quantity, so that more must follow.
SELECT tree.order_no AS order_no, tree.above AS object, tree.object_type AS per
FROM judged_tree AS tree
INNER JOIN judged_quantities AS whole ON whole.order_no = tree.order_no AND whole.object = tree.above
LEFT JOIN judged_quantities AS part ON part.order_no = tree.order_no AND part.object = tree.object
WHERE tree.above != tree.object AND has({texts(sorted({per for _, _, per in wanted}))}, tree.object_type)
    AND (tree.order_no, tree.object) NOT IN (SELECT order_no, object FROM judged_void)
GROUP BY tree.order_no, tree.above, tree.object_type
HAVING countIf(part.quantity IS NULL) = 0 AND sum(part.quantity) < any(whole.quantity)
""".strip()


def complete_sql(wanted: list[tuple[str, str, str]]) -> str:
    """Return the step for completeness: (type of the object above, milestone, type that must all have it)."""
    if not wanted:
        return (
            "-- Nothing in this book asks for completeness.\n"
            "SELECT toUInt64(0) AS order_no, toUInt64(0) AS object, '' AS milestone, '' AS per,\n"
            "    toDateTime64(0, 3, 'UTC') AS complete_at, toUInt64(0) AS complete_ev WHERE 0"
        )
    lines = ",\n        ".join(f"({text(above)}, {text(milestone)}, {text(per)})" for above, milestone, per in wanted)
    names = texts(sorted({milestone for _, milestone, _ in wanted}))
    return f"""
-- One row: a milestone that every object of a type under another has, and since when.
WITH
    wanted AS (SELECT * FROM values('above_type String, milestone String, per String',
        {lines})),
    told AS (SELECT order_no, object, object_type, milestone, down_first_at, down_first_ev FROM judged_anchors
        WHERE has({names}, milestone) AND down_first_at IS NOT NULL),
    if(whole.parts = 0, anywhere.down_first_at, if(whole.missing = 0, whole.last_at, NULL)) AS at
SELECT
    whole.order_no AS order_no, whole.object AS object, whole.milestone AS milestone, whole.per AS per,
    assumeNotNull(at) AS complete_at, if(whole.parts = 0, anywhere.down_first_ev, whole.last_ev) AS complete_ev
FROM
(
    WITH tree.counts AND tree.object_type = wanted.per AS counted
    SELECT
        tree.order_no AS order_no, tree.above AS object, wanted.milestone AS milestone, wanted.per AS per,
        countIf(counted) AS parts, countIf(counted AND part.down_first_at IS NULL) AS missing,
        maxOrNullIf(part.down_first_at, counted) AS last_at,
        argMaxIf(part.down_first_ev, (part.down_first_at, part.down_first_ev), counted AND part.down_first_at IS NOT NULL) AS last_ev
    FROM
    (
        SELECT
            order_no, object, object_type, above, above_type,
            (order_no, object) NOT IN (SELECT order_no, object FROM judged_void) AS counts
        FROM judged_tree
    ) AS tree
    INNER JOIN wanted ON wanted.above_type = tree.above_type
    LEFT JOIN told AS part
        ON part.order_no = tree.order_no AND part.object = tree.object AND part.milestone = wanted.milestone AND part.object_type = wanted.per
    GROUP BY tree.order_no, tree.above, wanted.milestone, wanted.per
) AS whole
LEFT JOIN told AS anywhere
    ON anywhere.order_no = whole.order_no AND anywhere.object = whole.object AND anywhere.milestone = whole.milestone
WHERE at IS NOT NULL AND (whole.order_no, whole.object, whole.per) NOT IN (SELECT order_no, object, per FROM judged_short)
""".strip()

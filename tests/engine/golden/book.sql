-- judged_calendars
-- One row: the days of all calendars, one calendar's after another's.
SELECT groupArrayArray(before_ms) AS before_ms, groupArrayArray(spans) AS spans, groupArrayArray(open_days) AS open_days, groupArrayArray(bucket) AS bucket
FROM (SELECT * FROM calendar_index FINAL WHERE has(['night@a741e1163a18', 'office@b8bc9f3ee9e8'], calendar) ORDER BY indexOf(['night@a741e1163a18', 'office@b8bc9f3ee9e8'], calendar))

-- judged_stages
-- One row: a stage.
SELECT *
FROM values(
    'rule String, per String, from_milestone String, from_pick String, to_milestone String, to_pick String, to_type String, within_ms Nullable(Int64), until String, plus_ms Int64, at_risk_share Nullable(Decimal(38, 6)), calendar String, pauses Array(Tuple(String, String)), resets Array(String), cancels Array(String)',
    /* stage: accept */ ('accept', 'order', 'order_captured', 'first', 'order_accepted', 'first', 'order', 3600000, '', 0, '0.75', '', [], CAST([] AS Array(String)), CAST([] AS Array(String))),
    /* stage: ship */ ('ship', 'order', 'order_accepted', 'first', 'shipment_confirmed', 'first', 'shipment', 21600000, '', 0, '0.5', 'office', [('credit_held', 'credit_released')], CAST(['order_changed'] AS Array(String)), CAST([] AS Array(String))),
    /* stage: ship-all */ ('ship-all', 'order', 'order_accepted', 'first', 'shipment_confirmed', 'complete', 'shipment', 72000000, '', 0, NULL, '', [], CAST([] AS Array(String)), CAST([] AS Array(String))),
    /* stage: invoice */ ('invoice', 'shipment', 'shipment_confirmed', 'first', 'invoice_released', 'first', 'invoice', 10800000, '', 0, '0.8', 'office', [('credit_held', 'credit_released'), ('stock_held', 'stock_released')], CAST(['stock_released'] AS Array(String)), CAST(['invoice_waived', 'order_changed'] AS Array(String))),
    /* stage: invoice-last */ ('invoice-last', 'order', 'shipment_confirmed', 'last', 'invoice_released', 'last', 'invoice', 5400000, '', 0, NULL, '', [], CAST([] AS Array(String)), CAST([] AS Array(String))),
    /* stage: deliver */ ('deliver', 'order', 'order_accepted', 'first', 'delivered', 'complete', 'shipment', NULL, 'promised_at', 14400000, '0.6', 'office', [], CAST([] AS Array(String)), CAST([] AS Array(String))),
    /* stage: pay */ ('pay', 'invoice', 'invoice_released', 'first', 'payment_applied', 'first', 'payment', 108000000, '', 0, NULL, '', [], CAST([] AS Array(String)), CAST([] AS Array(String))))

-- judged_statements
-- One row: what was last said about a child and a parent as of the moment, an operator's word before any system's.
SELECT
    order_no, child, parent,
    any(child_type) AS child_type, any(child_id) AS child_id, any(parent_type) AS parent_type, any(parent_id) AS parent_id,
    max((startsWith(source, '/tower/'), occurred_at, event_id, ev, retract, CAST(relation AS String))) AS said
FROM case_links FINAL
WHERE order_no IN (SELECT order_no FROM scope)
    AND occurred_at <= {as_of:DateTime64(3, 'UTC')} AND received_at <= {known_at:DateTime64(3, 'UTC')}
    AND (ev, body) NOT IN (SELECT ev, body FROM conflicts)
    AND child NOT IN (SELECT object FROM wide_objects FINAL)
    AND parent NOT IN (SELECT object FROM wide_objects FINAL)
GROUP BY order_no, child, parent

-- judged_same
-- One row: an alias in force. name is a further name of object; weak: it counts only without another candidate.
SELECT
    order_no, child AS name, parent AS object, child_type AS object_type, child_id AS name_id, parent_id AS object_id,
    said.6 = 'weak_alias' AS weak
FROM judged_statements
WHERE said.5 = 0 AND said.6 IN ('alias', 'weak_alias')
    AND (NOT weak OR said.2 > {as_of:DateTime64(3, 'UTC')} - INTERVAL 548 DAY)

-- judged_chosen
-- One row: an alias that counts: every strong one; a weak one whose name has no strong one, and one candidate of that kind
-- of number.
SELECT order_no, name, object, object_type, name_id, object_id
FROM
(
    SELECT
        *,
        countIf(NOT weak) OVER (PARTITION BY order_no, name) AS settled,
        uniqExact(object) OVER (PARTITION BY order_no, name, if(position(object_id, ':') > 0, splitByChar(':', object_id)[1], '')) AS candidates
    FROM judged_same
)
WHERE NOT weak OR (settled = 0 AND candidates = 1)

-- judged_names
-- One row: a name that stands for another object of its order. An object goes by a name that is nobody's further name;
-- among several by one without a namespace, then by the first in the alphabet.
WITH RECURSIVE
edges AS
(
    SELECT DISTINCT order_no, pair.1 AS a, pair.2 AS b
    FROM judged_chosen
    ARRAY JOIN [(name, object), (object, name)] AS pair
),
walk AS
(
    SELECT order_no, a AS node, a AS label, toUInt64(0) AS previous, toUInt8(0) AS depth FROM edges
    UNION ALL
    SELECT DISTINCT walk.order_no, edges.b, walk.label, walk.node, toUInt8(walk.depth + 1)
    FROM walk
    INNER JOIN edges ON edges.order_no = walk.order_no AND edges.a = walk.node
    WHERE walk.depth < 24 AND walk.label < edges.b AND edges.b != walk.previous
),
kin AS
(
    SELECT order_no, node, min(label) AS label FROM walk GROUP BY order_no, node
),
nodes AS
(
    SELECT order_no, node, any(object_type) AS object_type, any(id) AS id, max(further) AS further
    FROM
    (
        SELECT order_no, name AS node, CAST(object_type AS String) AS object_type, name_id AS id, 1 AS further FROM judged_chosen
        UNION ALL
        SELECT order_no, object, CAST(object_type AS String), object_id, 0 FROM judged_chosen
    )
    GROUP BY order_no, node
),
heads AS
(
    SELECT kin.order_no AS order_no, kin.label AS label, argMin((nodes.node, nodes.id), (nodes.further, position(nodes.id, ':') > 0, nodes.id)) AS head
    FROM kin
    INNER JOIN nodes ON nodes.order_no = kin.order_no AND nodes.node = kin.node
    GROUP BY kin.order_no, kin.label
)
SELECT
    kin.order_no AS order_no, kin.node AS name, nodes.object_type AS object_type, nodes.id AS name_id,
    heads.head.1 AS target, heads.head.2 AS target_id
FROM kin
INNER JOIN heads ON heads.order_no = kin.order_no AND heads.label = kin.label
INNER JOIN nodes ON nodes.order_no = kin.order_no AND nodes.node = kin.node
WHERE kin.node != heads.head.1

-- judged_links
-- One row: a child hangs from a parent as of the moment, both under the names they go by; the latest statement counts.
SELECT
    order_no, child, parent,
    any(child_type) AS child_type, any(child_id) AS child_id, any(parent_type) AS parent_type
FROM
(
    SELECT
        s.order_no AS order_no, ifNull(c.target, s.child) AS child, ifNull(p.target, s.parent) AS parent,
        s.child_type AS child_type, ifNull(c.target_id, s.child_id) AS child_id, s.parent_type AS parent_type,
        s.said AS said
    FROM judged_statements AS s
    LEFT JOIN judged_names AS c ON c.order_no = s.order_no AND c.name = s.child
    LEFT JOIN judged_names AS p ON p.order_no = s.order_no AND p.name = s.parent
    WHERE s.said.6 NOT IN ('alias', 'weak_alias', 'alias_of', 'weak_alias_of')
)
WHERE child != parent
GROUP BY order_no, child, parent
HAVING max(said).5 = 0

-- judged_tree
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

-- judged_members
-- One row: an object of the order, with the types on its way up (its own included).
SELECT
    order_no, object, any(object_type) AS object_type, any(object_id) AS object_id,
    groupUniqArray(above_type) AS types
FROM judged_tree
GROUP BY order_no, object

-- judged_facts
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

-- judged_ahead
-- One row: an order with a fact or a link that is known but has not happened yet as of the moment.
SELECT order_no, min(occurred_at) AS next_at
FROM
(
    SELECT order_no, occurred_at, received_at FROM case_facts WHERE order_no IN (SELECT order_no FROM scope)
    UNION ALL
    SELECT order_no, occurred_at, received_at FROM case_links WHERE order_no IN (SELECT order_no FROM scope)
)
WHERE occurred_at > {as_of:DateTime64(3, 'UTC')} AND received_at <= {known_at:DateTime64(3, 'UTC')}
GROUP BY order_no

-- judged_own
-- One row: an order with the attributes that its objects have for themselves, told of them or of what they lie under.
SELECT
    order_no,
    CAST(groupArray((object, object_type, above, company, warehouse, partner, channel, order_type)) AS Array(Tuple(object UInt64, object_type String, above Array(UInt64), company String, warehouse String, partner String, channel String, order_type String))) AS own
FROM
(
    SELECT
        t.order_no AS order_no, t.object AS object, any(t.object_type) AS object_type, groupUniqArray(t.above) AS above,
        CAST(ifNull(argMaxIf(f.company, (f.object = t.object, f.occurred_at, f.event_id, f.ev), f.company != ''), '') AS String) AS company,
        CAST(ifNull(argMaxIf(f.warehouse, (f.object = t.object, f.occurred_at, f.event_id, f.ev), f.warehouse != ''), '') AS String) AS warehouse,
        '' AS partner,
        '' AS channel,
        CAST(ifNull(argMaxIf(f.order_type, (f.object = t.object, f.occurred_at, f.event_id, f.ev), f.order_type != ''), '') AS String) AS order_type
    FROM judged_tree AS t
    LEFT JOIN (SELECT * FROM judged_facts WHERE object_type != 'order' AND (company != '' OR warehouse != '' OR order_type != '')) AS f
        ON f.order_no = t.order_no AND f.object = t.above
    GROUP BY t.order_no, t.object
    HAVING company != '' OR warehouse != '' OR order_type != ''
)
GROUP BY order_no

-- judged_attributes
-- One row: an order with its attributes, its amount in the reporting currency, and its priority.
SELECT profile.*, multiIf(((ifNull(profile.reporting_amount >= toDecimal128('1000', 6), 0)) OR (ifNull(profile.customer_tier IN ('gold'), 0) AND ifNull(profile.order_type IN ('bulk'), 0))), 'P1', (ifNull(profile.channel IN ('edi'), 0)), 'P2', 'P3') AS priority, parts.own AS own
FROM
(
    SELECT *, multiIf(currency IN ('', 'EUR'), amount, currency = 'USD' AND amount_at >= toDateTime64('2026-03-28', 3, 'UTC'), CAST(toDecimal256(amount, 6) * toDecimal256('0.8', 8) AS Nullable(Decimal(38, 6))), currency = 'USD' AND amount_at >= toDateTime64('2026-01-01', 3, 'UTC'), CAST(toDecimal256(amount, 6) * toDecimal256('0.9', 8) AS Nullable(Decimal(38, 6))), CAST(NULL AS Nullable(Decimal(38, 6)))) AS reporting_amount
    FROM
    (
        SELECT
            order_no,
            argMaxIf(f.currency, f.latest, f.currency != '' AND f.own) AS currency,
            argMaxIf(f.customer_id, f.latest, f.customer_id != '') AS customer_id,
            argMaxIf(f.customer_tier, f.latest, f.customer_tier != '') AS customer_tier,
            argMaxIf(f.channel, f.latest, f.channel != '') AS channel,
            argMaxIf(f.order_type, f.latest, f.order_type != '') AS order_type,
            argMaxIf(f.company, f.latest, f.company != '') AS company,
            argMaxIf(f.warehouse, f.latest, f.warehouse != '') AS warehouse,
            argMaxIf(f.partner, f.latest, f.partner != '') AS partner,
            argMaxOrNullIf(f.promised_at, f.latest, f.promised_at IS NOT NULL) AS promised_at,
            argMaxOrNullIf(f.requested_at, f.latest, f.requested_at IS NOT NULL) AS requested_at,
            argMaxOrNullIf(f.amount, f.latest, f.amount IS NOT NULL AND f.own) AS amount,
            argMaxOrNullIf(f.occurred_at, f.latest, f.amount IS NOT NULL AND f.own) AS amount_at,
            argMaxOrNullIf(f.quantity, f.latest, f.quantity IS NOT NULL) AS quantity,
            argMax(f.milestone, (f.polarity = 'reached', f.occurred_at, f.event_id, f.ev)) AS last_milestone,
            maxOrNullIf(f.occurred_at, f.polarity = 'reached') AS last_at,
            groupUniqArrayIf(CAST(f.company AS String), f.company != '') AS all_companies,
            groupUniqArrayIf(CAST(f.warehouse AS String), f.warehouse != '') AS all_warehouses,
            groupUniqArrayIf(CAST(f.partner AS String), f.partner != '') AS all_partners,
            groupBitXor(sipHash64(f.ev, f.body, f.object)) AS facts
        FROM
        (
            SELECT
                *, has(CAST(['order_captured', 'order_accepted', 'order_cancelled', 'credit_held', 'credit_released', 'order_changed'] AS Array(String)), milestone) AS own,
                row_number() OVER (PARTITION BY order_no ORDER BY own, occurred_at, source_version, event_id, ev) AS latest
            FROM judged_facts
        ) AS f
        GROUP BY order_no
    )
) AS profile
LEFT JOIN judged_own AS parts ON parts.order_no = profile.order_no

-- judged_reports
-- One row: a report about a milestone on its base object; `word` is 1 for the authority, 0 for an echo.
WITH transform(facts.milestone, CAST(['order_captured', 'order_accepted', 'order_cancelled', 'credit_held', 'credit_released', 'order_changed', 'invoice_waived', 'stock_held', 'stock_released', 'shipment_confirmed', 'delivered', 'invoice_released', 'payment_applied'] AS Array(String)), CAST(['order', 'order', 'order', 'order', 'order', 'order', 'shipment', 'shipment', 'shipment', 'shipment', 'shipment', 'invoice', 'payment'] AS Array(String)), '') AS own_type
SELECT
    facts.order_no AS order_no, facts.milestone AS milestone, tree.above AS base,
    tree.above_type AS base_type, own_type AS milestone_type, facts.polarity AS polarity,
    facts.occurred_at AS occurred_at, facts.ev AS ev, facts.object AS object, facts.error AS error,
    facts.reason AS reason, facts.kind AS kind, facts.event_id AS event_id,
    facts.amount AS amount,
    facts.currency AS currency,
    facts.quantity AS quantity,
    facts.promised_at AS promised_at,
    facts.requested_at AS requested_at,
    arrayMap(part -> multiIf(facts.milestone IN ('order_captured'), multiIf((ifNull(attributes.channel IN ('edi'), 0)), 'edi', 'commerce'), facts.milestone IN ('shipment_confirmed'), multiIf((ifNull(if(part.warehouse = '', attributes.warehouse, part.warehouse) IN ('HH2'), 0)), '3pl', 'wms'), facts.milestone IN ('invoice_released'), multiIf((ifNull(if(part.order_type = '', attributes.order_type, part.order_type) IN ('bulk'), 0) AND ifNull(if(part.company = '', attributes.company, part.company) NOT IN ('C1'), 1)), 'billing', 'erp'), transform(facts.milestone, CAST(['order_accepted', 'order_cancelled', 'credit_held', 'credit_released', 'order_changed', 'invoice_waived', 'stock_held', 'stock_released', 'delivered', 'payment_applied'] AS Array(String)), CAST(['erp', 'erp', 'erp', 'erp', 'erp', 'erp', 'wms', 'wms', 'tms', 'erp'] AS Array(String)), '')), [arrayFirst(part -> part.object = tree.above, attributes.own)])[1] AS authority,
    authority = '' OR authority = facts.kind AS word
FROM judged_facts AS facts
INNER JOIN judged_tree AS tree ON tree.order_no = facts.order_no AND tree.object = facts.object
INNER JOIN judged_members AS members ON members.order_no = facts.order_no AND members.object = facts.object
INNER JOIN judged_attributes AS attributes ON attributes.order_no = facts.order_no
WHERE own_type != ''
    AND (tree.above_type = own_type OR (tree.above = facts.object AND NOT has(members.types, own_type)))

-- judged_reached
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

-- judged_void
-- One row: an object that no longer counts, because everything reached on it was taken back.
SELECT order_no, base AS object
FROM judged_reached
WHERE base_type = milestone_type
GROUP BY order_no, base
HAVING countIf(was_reversed) > 0 AND countIf(reached_at IS NOT NULL OR echo_at IS NOT NULL) = 0

-- judged_anchors
-- One row: an object a clock may run on, and a milestone reached on it, above it or below it.
SELECT
    order_no, object, object_type, milestone,
    fromUnixTimestamp64Milli(toInt64(bitShiftRight(first_pair, 64)), 'UTC') AS first_at, ifNull(toUInt64(first_pair), 0) AS first_ev,
    fromUnixTimestamp64Milli(toInt64(bitShiftRight(last_pair, 64)), 'UTC') AS last_at, ifNull(toUInt64(last_pair), 0) AS last_ev,
    fromUnixTimestamp64Milli(toInt64(bitShiftRight(echo_pair, 64)), 'UTC') AS echo_at, ifNull(toUInt64(echo_pair), 0) AS echo_ev,
    fromUnixTimestamp64Milli(toInt64(bitShiftRight(down_first_pair, 64)), 'UTC') AS down_first_at, ifNull(toUInt64(down_first_pair), 0) AS down_first_ev,
    fromUnixTimestamp64Milli(toInt64(bitShiftRight(down_last_pair, 64)), 'UTC') AS down_last_at, ifNull(toUInt64(down_last_pair), 0) AS down_last_ev,
    down_echo_at, reports
FROM
(
    SELECT
        near.order_no AS order_no, near.object AS object, any(near.object_type) AS object_type, reached.milestone AS milestone,
        minOrNull(reached.pair) AS first_pair, maxOrNull(reached.pair) AS last_pair, minOrNull(reached.echo_pair) AS echo_pair,
        minOrNullIf(reached.pair, near.down) AS down_first_pair, maxOrNullIf(reached.pair, near.down) AS down_last_pair,
        minOrNullIf(reached.echo_at, near.down) AS down_echo_at,
        arrayDistinct(arraySort(groupArrayArray(reached.reports))) AS reports
    FROM
    (
        SELECT t.order_no AS order_no, t.above AS object, t.above_type AS object_type, t.object AS base, 1 AS down
        FROM judged_tree AS t
        WHERE has(CAST(['invoice', 'order', 'payment', 'shipment'] AS Array(String)), t.above_type)
        UNION ALL
        SELECT t.order_no, t.object, t.object_type, t.above, 0
        FROM judged_tree AS t
        WHERE has(CAST(['invoice', 'order', 'payment', 'shipment'] AS Array(String)), t.object_type) AND t.above != t.object
    ) AS near
    INNER JOIN
    (
        SELECT
            order_no, base, milestone, echo_at, reports, bitShiftLeft(toInt128(toUnixTimestamp64Milli(reached_at)), 64) + toInt128(reached_ev) AS pair,
            bitShiftLeft(toInt128(toUnixTimestamp64Milli(echo_at)), 64) + toInt128(echo_ev) AS echo_pair
        FROM judged_reached
        WHERE has(CAST(['credit_held', 'credit_released', 'delivered', 'invoice_released', 'invoice_waived', 'order_accepted', 'order_captured', 'order_changed', 'payment_applied', 'shipment_confirmed', 'stock_held', 'stock_released'] AS Array(String)), milestone)
    ) AS reached ON reached.order_no = near.order_no AND reached.base = near.base
    WHERE (near.object_type, reached.milestone) IN (('invoice', 'credit_held'), ('invoice', 'invoice_released'), ('invoice', 'payment_applied'), ('order', 'credit_held'), ('order', 'credit_released'), ('order', 'delivered'), ('order', 'invoice_released'), ('order', 'order_accepted'), ('order', 'order_captured'), ('order', 'order_changed'), ('order', 'payment_applied'), ('order', 'shipment_confirmed'), ('order', 'stock_released'), ('payment', 'credit_held'), ('payment', 'payment_applied'), ('shipment', 'credit_held'), ('shipment', 'credit_released'), ('shipment', 'delivered'), ('shipment', 'invoice_released'), ('shipment', 'invoice_waived'), ('shipment', 'order_changed'), ('shipment', 'shipment_confirmed'), ('shipment', 'stock_held'), ('shipment', 'stock_released'))
    GROUP BY near.order_no, near.object, reached.milestone
)

-- judged_told
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

-- judged_quantities
-- One row: an object whose quantity was told.
SELECT f.order_no AS order_no, f.object AS object, argMax(assumeNotNull(f.quantity), (f.occurred_at, f.event_id, f.ev)) AS quantity
FROM judged_facts AS f
WHERE f.quantity IS NOT NULL AND f.polarity = 'reached' AND f.object_type = transform(f.milestone, CAST(['order_captured', 'order_accepted', 'order_cancelled', 'credit_held', 'credit_released', 'order_changed', 'invoice_waived', 'stock_held', 'stock_released', 'shipment_confirmed', 'delivered', 'invoice_released', 'payment_applied'] AS Array(String)), CAST(['order', 'order', 'order', 'order', 'order', 'order', 'shipment', 'shipment', 'shipment', 'shipment', 'shipment', 'invoice', 'payment'] AS Array(String)), '')
GROUP BY f.order_no, f.object

-- judged_short
-- One row: an object under which the objects of a type come to less than its own quantity, so that more must follow.
SELECT tree.order_no AS order_no, tree.above AS object, tree.object_type AS per
FROM judged_tree AS tree
INNER JOIN judged_quantities AS whole ON whole.order_no = tree.order_no AND whole.object = tree.above
LEFT JOIN judged_quantities AS part ON part.order_no = tree.order_no AND part.object = tree.object
WHERE tree.above != tree.object AND has(CAST(['payment', 'shipment'] AS Array(String)), tree.object_type)
    AND (tree.order_no, tree.object) NOT IN (SELECT order_no, object FROM judged_void)
GROUP BY tree.order_no, tree.above, tree.object_type
HAVING countIf(part.quantity IS NULL) = 0 AND sum(part.quantity) < any(whole.quantity)

-- judged_complete
-- One row: a milestone that every object of a type under another has, and since when.
WITH
    wanted AS (SELECT * FROM values('above_type String, milestone String, per String',
        ('order', 'delivered', 'shipment'),
        ('order', 'invoice_released', 'shipment'),
        ('order', 'payment_applied', 'payment'),
        ('order', 'shipment_confirmed', 'shipment'))),
    told AS (SELECT order_no, object, object_type, milestone, down_first_at, down_first_ev FROM judged_anchors
        WHERE has(CAST(['delivered', 'invoice_released', 'payment_applied', 'shipment_confirmed'] AS Array(String)), milestone) AND down_first_at IS NOT NULL),
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

-- judged_failures
-- One row: a milestone that failed on the object its failure was reported on; open until the word comes later.
WITH
    arrayFirstOrNull(t -> t > fails.failed_at, told.told_at) AS healed,
    arrayLastOrNull(t -> t < fails.failed_at, told.told_at) AS told_before
SELECT
    fails.order_no AS order_no, fails.milestone AS milestone, fails.object AS object,
    members.object_type AS object_type, members.object_id AS object_id, fails.system AS system,
    healed AS healed_at, healed IS NULL AS failing,
    assumeNotNull(arrayFirst(t -> isNull(told_before) OR t > assumeNotNull(told_before), fails.times)) AS since,
    fails.error AS error, fails.event AS event
FROM
(
    SELECT
        order_no, milestone, object, max(occurred_at) AS failed_at,
        argMax(if(authority = '', CAST(kind AS String), authority), (occurred_at, event_id, ev, base)) AS system,
        arraySort(groupUniqArray(occurred_at)) AS times,
        argMax(if(error != '', error, reason), (occurred_at, event_id, ev)) AS error,
        argMax(ev, (occurred_at, event_id, ev)) AS event
    FROM judged_reports
    WHERE polarity = 'failed'
    GROUP BY order_no, milestone, object
) AS fails
INNER JOIN judged_members AS members ON members.order_no = fails.order_no AND members.object = fails.object
LEFT JOIN judged_told AS told
    ON told.order_no = fails.order_no AND told.milestone = fails.milestone AND told.object = fails.object

-- judged_hand
-- One row: an order of which something was said by hand. escalated_at, calmed_at: of the latest escalation.
WITH
    (occurred_at, fact_id) AS place,
    arraySort(groupArrayIf((occurred_at, fact_id, undo, by, said), what = 'escalated')) AS calls,
    arrayLast(c -> c.3 = 0, calls) AS last_call,
    arrayLast(c -> c.3 = 1 AND (c.1, c.2) < (last_call.1, last_call.2), calls) AS calm_before,
    arrayFirst(c -> c.3 = 0 AND (c.1, c.2) > (calm_before.1, calm_before.2), calls) AS call,
    arrayFirst(c -> c.3 = 1 AND (c.1, c.2) > (call.1, call.2), calls) AS calm,
    argMaxIf((undo, by, occurred_at), place, what = 'marked_done') AS mark,
    countIf(what = 'marked_done') > 0 AND mark.1 = 0 AND NOT ifNull(any(contrary_at) > mark.3, 0) AS marked
SELECT
    order_no,
    argMaxIf(if(undo, '', by), place, what = 'held') AS held_by,
    argMaxIf(if(undo, '', assignee), place, what = 'assigned') AS assignee,
    if(marked, mark.2, '') AS marked_by, if(marked, mark.3, NULL) AS marked_at,
    call.4 AS escalated_by, call.5 AS escalated_for, call.2 != '' AS escalated, call.1 AS escalated_at,
    if(calm.2 = '', NULL, calm.1) AS calmed_at
FROM
(
    SELECT ids.order_no AS order_no, f.* EXCEPT (order_no), contrary.contrary_at AS contrary_at
    FROM
    (
        SELECT order_no, order_id FROM scope
        UNION DISTINCT
        SELECT order_no, name_id FROM judged_names WHERE object_type = 'order'
    ) AS ids
    INNER JOIN
    (
        SELECT *
        FROM hand_facts FINAL
        WHERE order_id IN (SELECT order_id FROM (SELECT order_no, order_id FROM scope
        UNION DISTINCT
        SELECT order_no, name_id FROM judged_names WHERE object_type = 'order'))
            AND occurred_at <= {as_of:DateTime64(3, 'UTC')} AND received_at <= {known_at:DateTime64(3, 'UTC')}
    ) AS f ON f.order_id = ids.order_id
    LEFT JOIN
    (
        SELECT order_no, max(occurred_at) AS contrary_at
        FROM judged_facts
        WHERE polarity IN ('failed', 'reversed')
        GROUP BY order_no
    ) AS contrary ON contrary.order_no = ids.order_no
)
GROUP BY order_no

-- judged_cases
-- One row: an order with what starts and closes it.
SELECT
    profile.order_no AS order_no, scope.order_id AS order_id, profile.amount AS amount, profile.quantity AS quantity, profile.currency AS currency, profile.customer_id AS customer_id, profile.customer_tier AS customer_tier, profile.channel AS channel, profile.order_type AS order_type, profile.company AS company, profile.warehouse AS warehouse, profile.partner AS partner, profile.promised_at AS promised_at, profile.requested_at AS requested_at, profile.own AS own, profile.all_companies AS all_companies, profile.all_warehouses AS all_warehouses, profile.all_partners AS all_partners,
    profile.reporting_amount AS reporting_amount, profile.priority AS priority, profile.last_milestone AS last_milestone,
    profile.last_at AS last_at, profile.facts AS facts,
    starts.begun_at AS begun_at, starts.cancelled_at AS cancelled_at,
    multiIf(
        hand.marked_at IS NULL, finished.done_at, finished.done_at IS NULL, hand.marked_at,
        least(finished.done_at, hand.marked_at)) AS done_at,
    if(ifNull(done_at = hand.marked_at, 0), hand.marked_by, '') AS marked_by,
    ifNull(hand.held_by, '') AS held_by, ifNull(hand.assignee, '') AS assignee,
    if(hand.escalated AND hand.calmed_at IS NULL, hand.escalated_by, '') AS escalated_by
FROM judged_attributes AS profile
INNER JOIN scope ON scope.order_no = profile.order_no
LEFT JOIN
(
    SELECT
        order_no,
        minOrNullIf(ifNull(reached_at, echo_at), has(CAST(['order_captured', 'order_accepted'] AS Array(String)), milestone) AND (reached_at IS NOT NULL OR echo_at IS NOT NULL)) AS begun_at,
        minOrNullIf(reached_at, has(CAST(['order_cancelled'] AS Array(String)), milestone)) AS cancelled_at
    FROM judged_reached
    GROUP BY order_no
) AS starts ON starts.order_no = profile.order_no
LEFT JOIN
(
    SELECT order_no, CAST(if(countIf(milestone = 'delivered' AND per = 'shipment') > 0 AND countIf(milestone = 'invoice_released' AND per = 'shipment') > 0 AND countIf(milestone = 'payment_applied' AND per = 'payment') > 0, greatest(maxIf(complete_at, milestone = 'delivered' AND per = 'shipment'), maxIf(complete_at, milestone = 'invoice_released' AND per = 'shipment'), maxIf(complete_at, milestone = 'payment_applied' AND per = 'payment')), NULL) AS Nullable(DateTime64(3, 'UTC'))) AS done_at
    FROM judged_complete
    WHERE object IN (SELECT object FROM scope)
    GROUP BY order_no
) AS finished ON finished.order_no = profile.order_no
LEFT JOIN judged_hand AS hand ON hand.order_no = profile.order_no

-- judged_runs
-- One row: one stage running on one object of one order.
WITH
    met AS
    (
        SELECT
            a.order_no AS order_no, a.object AS object, s.rule AS rule,
            anyIf(if(s.from_pick = 'last', a.last_at, a.first_at), a.milestone = s.from_milestone) AS from_at,
            anyIf(if(s.from_pick = 'last', a.last_ev, a.first_ev), a.milestone = s.from_milestone) AS from_ev,
            anyIf(a.echo_at, a.milestone = s.from_milestone) AS from_echo_at,
            anyIf(a.echo_ev, a.milestone = s.from_milestone) AS from_echo_ev,
            anyIf(if(s.to_pick = 'last', a.down_last_at, a.down_first_at), a.milestone = s.to_milestone) AS one_at,
            anyIf(if(s.to_pick = 'last', a.down_last_ev, a.down_first_ev), a.milestone = s.to_milestone) AS one_ev,
            anyIf(a.down_echo_at, a.milestone = s.to_milestone) AS to_echo_at,
            groupArrayIf((CAST(a.milestone AS String), a.reports), notEmpty(s.pauses) OR notEmpty(s.resets) OR notEmpty(s.cancels)) AS told
        FROM judged_anchors AS a
        INNER JOIN judged_stages AS s ON s.per = a.object_type
        WHERE a.milestone IN (s.from_milestone, s.to_milestone) OR arrayExists(p -> a.milestone IN (p.1, p.2), s.pauses)
            OR has(s.resets, a.milestone) OR has(s.cancels, a.milestone)
        GROUP BY a.order_no, a.object, s.rule
        HAVING from_at IS NOT NULL OR from_echo_at IS NOT NULL
    ),
    run AS
    (
        SELECT
            met.*, s.per AS per, s.from_milestone AS from_milestone, s.to_milestone AS to_milestone, s.to_pick AS to_pick,
            s.to_type AS to_type, s.within_ms AS own_within_ms, s.until AS own_until, s.plus_ms AS own_plus_ms,
            s.at_risk_share AS at_risk_share, s.calendar AS own_calendar, s.pauses AS pauses, s.resets AS resets, s.cancels AS cancels
        FROM met
        INNER JOIN judged_stages AS s ON s.rule = met.rule
    )
SELECT
    run.order_no AS order_no, run.rule AS rule, run.object AS object, run.per AS object_type,
    run.from_milestone AS from_milestone, run.to_milestone AS to_milestone, run.from_at IS NULL AS provisional,
    if(provisional, run.from_echo_ev, run.from_ev) AS from_event,
    if(run.to_pick = 'complete', c.complete_at, run.one_at) AS to_at,
    ifNull(arrayLastOrNull(at -> at > assumeNotNull(ifNull(run.from_at, run.from_echo_at)) AND at < least(ifNull(to_at, toDateTime64('2200-01-01 00:00:00', 3, 'UTC')), if(ifNull(o.done_at >= assumeNotNull(ifNull(run.from_at, run.from_echo_at)), 0), assumeNotNull(o.done_at), toDateTime64('2200-01-01 00:00:00', 3, 'UTC')), if(ifNull(o.cancelled_at >= assumeNotNull(ifNull(run.from_at, run.from_echo_at)), 0), assumeNotNull(o.cancelled_at), toDateTime64('2200-01-01 00:00:00', 3, 'UTC'))), arraySort(arrayFlatten(arrayMap(m -> arrayFirst(t -> t.1 = m, run.told).2, run.resets)))), assumeNotNull(ifNull(run.from_at, run.from_echo_at))) AS started_at, arrayFirstOrNull(at -> at >= started_at AND at < ifNull(to_at, toDateTime64('2200-01-01 00:00:00', 3, 'UTC')), arraySort(arrayFlatten(arrayMap(m -> arrayFirst(t -> t.1 = m, run.told).2, run.cancels)))) AS called_off_at,
    if(run.to_pick = 'complete', ifNull(c.complete_ev, 0), run.one_ev) AS to_ev,
    run.to_echo_at AS to_echo_at,
    toUInt16(multiIf(run.rule = 'ship' AND (ifNull(o.priority IN ('P1'), 0)), 1, run.rule = 'ship' AND (ifNull(o.customer_tier IN ('gold'), 0)) AND NOT (ifNull(o.priority IN ('P1'), 0)) AND NOT (ifNull(o.warehouse IN ('HH2'), 0)), 2, 0)) AS limit_tier,
    CAST(if(limit_tier = 0, run.own_within_ms, [7200000, NULL][limit_tier]) AS Nullable(Int64)) AS within_ms,
    if(limit_tier = 0, run.own_until, ['', 'promised_at'][limit_tier]) AS until,
    CAST(multiIf(until = 'promised_at', o.promised_at, NULL) AS Nullable(DateTime64(3, 'UTC'))) AS until_at,
    toInt64(if(limit_tier = 0, run.own_plus_ms, [0, 0][limit_tier])) AS plus_ms,
    CAST(multiIf(run.rule = 'ship' AND (ifNull(o.warehouse IN ('HH2'), 0)) AND NOT (ifNull(o.priority IN ('P1'), 0)), 'night', run.own_calendar) AS String) AS calendar,
    run.at_risk_share AS at_risk_share,
    arrayFlatten(arrayMap(p -> arrayMap(opened ->
        (opened, ifNull(arrayFirstOrNull(closed -> closed >= opened, arrayFirst(t -> t.1 = p.2, run.told).2), toDateTime64('2200-01-01 00:00:00', 3, 'UTC'))),
        arrayFirst(t -> t.1 = p.1, run.told).2), run.pauses)) AS raw_holds,
    CAST(arrayMap(part -> multiIf(run.to_milestone IN ('shipment_confirmed'), multiIf((ifNull(if(part.warehouse = '', o.warehouse, part.warehouse) IN ('HH2'), 0)), '3pl', 'wms'), run.to_milestone IN ('invoice_released'), multiIf((ifNull(if(part.order_type = '', o.order_type, part.order_type) IN ('bulk'), 0) AND ifNull(if(part.company = '', o.company, part.company) NOT IN ('C1'), 1)), 'billing', 'erp'), transform(run.to_milestone, CAST(['order_accepted', 'delivered', 'payment_applied'] AS Array(String)), CAST(['erp', 'tms', 'erp'] AS Array(String)), '')), [arrayFirst(part -> part.object = run.object, o.own)])[1] AS String) AS system,
    o.done_at AS done_at, o.cancelled_at AS cancelled_at
FROM run
INNER JOIN judged_cases AS o ON o.order_no = run.order_no
LEFT JOIN judged_complete AS c
    ON c.order_no = run.order_no AND c.object = run.object AND c.milestone = run.to_milestone AND c.per = run.to_type
WHERE multiIf(run.rule = 'ship-all', (ifNull(o.order_type IN ('standard', 'bulk'), 0)), run.rule = 'invoice-last', (ifNull(o.reporting_amount >= toDecimal128('500', 6), 0)), 1)

-- judged_ends
-- One row: a run with its end and its pauses.
WITH
    closing AS
    (
        SELECT
            *,
            least(
                if(done_at IS NULL OR started_at > assumeNotNull(done_at), toDateTime64('2200-01-01 00:00:00', 3, 'UTC'), assumeNotNull(done_at)),
                if(cancelled_at IS NULL, toDateTime64('2200-01-01 00:00:00', 3, 'UTC'), greatest(assumeNotNull(cancelled_at), started_at)),
                ifNull(called_off_at, toDateTime64('2200-01-01 00:00:00', 3, 'UTC'))) AS closes_at,
            arraySort(arrayFilter(p -> p.1 < p.2, arrayMap(p -> (greatest(p.1, started_at), p.2), raw_holds))) AS cut_holds
        FROM judged_runs
    )
SELECT
    * EXCEPT (raw_holds, cut_holds),
    arrayFold((merged, p) -> if(empty(merged) OR p.1 > merged[-1].2, arrayPushBack(merged, p),
        arrayPushBack(arrayPopBack(merged), (merged[-1].1, greatest(merged[-1].2, p.2)))), cut_holds, CAST([] AS Array(Tuple(DateTime64(3, 'UTC'), DateTime64(3, 'UTC'))))) AS holds,
    to_at IS NOT NULL AND assumeNotNull(to_at) <= closes_at AS stopped,
    multiIf(stopped, greatest(assumeNotNull(to_at), started_at), closes_at < toDateTime64('2200-01-01 00:00:00', 3, 'UTC'), closes_at, NULL) AS end_at,
    NOT stopped AND ifNull(called_off_at = closes_at, 0) AS called_off
FROM closing

-- judged_dues
-- One row: a run with its deadline.
WITH
    (SELECT before_ms FROM judged_calendars) AS `cals_before_ms`,
    (SELECT spans FROM judged_calendars) AS `cals_spans`,
    (SELECT open_days FROM judged_calendars) AS `cals_open_days`,
    (SELECT bucket FROM judged_calendars) AS `cals_bucket`,
    opened AS
    (
        SELECT
            *,
            transform(calendar, ['night', 'office'], CAST([0, 18264] AS Array(Int64)), toInt64(1)) AS cal_before_ms_at,
            transform(calendar, ['night', 'office'], CAST([0, 18263] AS Array(Int64)), toInt64(1)) AS cal_spans_at,
            transform(calendar, ['night', 'office'], CAST([0, 18263] AS Array(Int64)), toInt64(1)) AS cal_open_days_at,
            transform(calendar, ['night', 'office'], CAST([0, 18264] AS Array(Int64)), toInt64(1)) AS cal_bucket_at,
            transform(calendar, ['night', 'office'], CAST([28800000, 24685488] AS Array(Int64)), toInt64(1)) AS cal_bucket_ms_at,
            transform(calendar, ['night', 'office'], CAST([525974400000, 450806400000] AS Array(Int64)), toInt64(1)) AS cal_total_ms_at,
            arrayMap(t -> toInt64(if(calendar = '', toUnixTimestamp64Milli(t), arrayMap(at -> `cals_before_ms`[cal_before_ms_at + intDiv(at, 86400000) + 1] + arraySum(s -> greatest(0, least(s.2, at % 86400000) - s.1), `cals_spans`[cal_spans_at + intDiv(at, 86400000) + 1]), [least(greatest(toUnixTimestamp64Milli(t), 788918400000), 2366841600000) - 788918400000])[1])),
                arrayConcat([started_at, ifNull(end_at, started_at)], arrayMap(p -> p.1, holds), arrayMap(p -> p.2, holds))) AS opens,
            opens[1] AS started_open, opens[2] AS end_open,
            arrayMap((p, i) -> (opens[i + 2], if(p.2 = toDateTime64('2200-01-01 00:00:00', 3, 'UTC'), toInt64(1000000000000000), opens[i + 2 + length(holds)])),
                holds, arrayEnumerate(holds)) AS holds_open
        FROM judged_ends
    )
SELECT
    * EXCEPT (opens),
    if(within_ms IS NULL, ifNull(until_at, started_at), started_at) AS due_from,
    multiIf(
        within_ms IS NOT NULL, arrayFold((needed, p) -> if(p.1 - started_open < needed, if(p.2 >= 1000000000000000, toInt64(1000000000000000), needed + p.2 - p.1), needed), holds_open, toInt64(ifNull(within_ms, 0))),
        until_at IS NULL, toInt64(1000000000000000),
        plus_ms) AS due_after,
    CAST(if(due_after >= 1000000000000000, NULL, multiIf(if(due_after >= 1000000000000000, 0, due_after) <= 0, due_from, calendar = '', addMilliseconds(due_from, if(due_after >= 1000000000000000, 0, due_after)), arrayMap(used -> if(used > cal_total_ms_at, NULL, fromUnixTimestamp64Milli(arrayMap(day -> (toInt64(day) + 9131) * 86400000 + used - `cals_before_ms`[cal_before_ms_at + day + 1] + arrayMax((s, c) -> if(c - (s.2 - s.1) < used - `cals_before_ms`[cal_before_ms_at + day + 1], s.2 - c, 0), `cals_spans`[cal_spans_at + day + 1], arrayCumSum(s -> s.2 - s.1, `cals_spans`[cal_spans_at + day + 1])), [`cals_open_days`[cal_open_days_at + arrayFirst(p -> `cals_before_ms`[cal_before_ms_at + `cals_open_days`[cal_open_days_at + p + 1] + 2] >= used, range(`cals_bucket`[cal_bucket_at + intDiv(used - 1, cal_bucket_ms_at) + 1], `cals_bucket`[cal_bucket_at + intDiv(used - 1, cal_bucket_ms_at) + 2] + 1)) + 1]])[1], 'UTC')), [arrayMap(at -> `cals_before_ms`[cal_before_ms_at + intDiv(at, 86400000) + 1] + arraySum(s -> greatest(0, least(s.2, at % 86400000) - s.1), `cals_spans`[cal_spans_at + intDiv(at, 86400000) + 1]), [least(greatest(toUnixTimestamp64Milli(assumeNotNull(due_from)), 788918400000), 2366841600000) - 788918400000])[1] + toInt64(assumeNotNull(if(due_after >= 1000000000000000, 0, due_after)))])[1])) AS Nullable(DateTime64(3, 'UTC'))) AS due_at
FROM opened

-- judged_starts
-- One row: a clock with everything that does not depend on the moment it is looked at.
WITH
    (SELECT before_ms FROM judged_calendars) AS `cals_before_ms`,
    (SELECT spans FROM judged_calendars) AS `cals_spans`,
    (SELECT open_days FROM judged_calendars) AS `cals_open_days`,
    (SELECT bucket FROM judged_calendars) AS `cals_bucket`,
    budgeted AS
    (
        SELECT
            *,
            if(within_ms IS NOT NULL, within_ms,
                if(due_at IS NULL, NULL, toInt64(if(calendar = '', toUnixTimestamp64Milli(ifNull(due_at, started_at)), arrayMap(at -> `cals_before_ms`[cal_before_ms_at + intDiv(at, 86400000) + 1] + arraySum(s -> greatest(0, least(s.2, at % 86400000) - s.1), `cals_spans`[cal_spans_at + intDiv(at, 86400000) + 1]), [least(greatest(toUnixTimestamp64Milli(ifNull(due_at, started_at)), 788918400000), 2366841600000) - 788918400000])[1])) - started_open)) AS budget_ms
        FROM judged_dues
    ),
    warned AS
    (
        SELECT
            *,
            toInt64(ceil(ifNull(budget_ms, 0) * ifNull(at_risk_share, 0))) AS at_risk_target,
            if(at_risk_share IS NULL OR budget_ms IS NULL, toInt64(1000000000000000), arrayFold((needed, p) -> if(p.1 - started_open < needed, if(p.2 >= 1000000000000000, toInt64(1000000000000000), needed + p.2 - p.1), needed), holds_open, at_risk_target)) AS at_risk_needed
        FROM budgeted
    )
SELECT
    order_no, rule, object, object_type, from_milestone, to_milestone, provisional, from_event, started_at,
    stopped, if(stopped, to_ev, 0) AS to_event, end_at, to_echo_at,
    stopped AND assumeNotNull(to_at) < started_at AS disorder,
    cancelled_at IS NOT NULL AND started_at > assumeNotNull(cancelled_at) AS after_cancelled,
    due_at, budget_ms,
    CAST(if(at_risk_needed >= 1000000000000000, NULL, multiIf(if(at_risk_needed >= 1000000000000000, 0, at_risk_needed) <= 0, started_at, calendar = '', addMilliseconds(started_at, if(at_risk_needed >= 1000000000000000, 0, at_risk_needed)), arrayMap(used -> if(used > cal_total_ms_at, NULL, fromUnixTimestamp64Milli(arrayMap(day -> (toInt64(day) + 9131) * 86400000 + used - `cals_before_ms`[cal_before_ms_at + day + 1] + arrayMax((s, c) -> if(c - (s.2 - s.1) < used - `cals_before_ms`[cal_before_ms_at + day + 1], s.2 - c, 0), `cals_spans`[cal_spans_at + day + 1], arrayCumSum(s -> s.2 - s.1, `cals_spans`[cal_spans_at + day + 1])), [`cals_open_days`[cal_open_days_at + arrayFirst(p -> `cals_before_ms`[cal_before_ms_at + `cals_open_days`[cal_open_days_at + p + 1] + 2] >= used, range(`cals_bucket`[cal_bucket_at + intDiv(used - 1, cal_bucket_ms_at) + 1], `cals_bucket`[cal_bucket_at + intDiv(used - 1, cal_bucket_ms_at) + 2] + 1)) + 1]])[1], 'UTC')), [arrayMap(at -> `cals_before_ms`[cal_before_ms_at + intDiv(at, 86400000) + 1] + arraySum(s -> greatest(0, least(s.2, at % 86400000) - s.1), `cals_spans`[cal_spans_at + intDiv(at, 86400000) + 1]), [least(greatest(toUnixTimestamp64Milli(assumeNotNull(started_at)), 788918400000), 2366841600000) - 788918400000])[1] + toInt64(assumeNotNull(if(at_risk_needed >= 1000000000000000, 0, at_risk_needed)))])[1])) AS Nullable(DateTime64(3, 'UTC'))) AS at_risk_at,
    if(end_at IS NULL, NULL, end_open - started_open - arraySum(p -> least(p.2, end_open) - least(p.1, end_open), holds_open)) AS used_ms,
    calendar, holds, system, called_off
FROM warned

-- judged_scopes
-- One row: an object with what was told on it or below it.
SELECT
    tree.order_no AS order_no, tree.above AS object,
    groupUniqArrayIf(CAST(f.company AS String), f.company != '') AS companies,
    groupUniqArrayIf(CAST(f.warehouse AS String), f.warehouse != '') AS warehouses,
    groupUniqArrayIf(CAST(f.partner AS String), f.partner != '') AS partners
FROM judged_facts AS f
INNER JOIN judged_tree AS tree ON tree.order_no = f.order_no AND tree.object = f.object
WHERE f.company != '' OR f.warehouse != '' OR f.partner != ''
GROUP BY tree.order_no, tree.above

-- judged_failing
-- One row: an object that a failure which lasts concerns: the object itself, above it or below it.
SELECT e.order_no AS order_no, e.milestone AS milestone, e.object AS object,
    argMax(e.error, (e.since, e.error)) AS error, min(e.since) AS since
FROM
(
    SELECT f.order_no AS order_no, f.milestone AS milestone, tree.above AS object, f.error AS error, f.since AS since
    FROM judged_failures AS f
    INNER JOIN judged_tree AS tree ON tree.order_no = f.order_no AND tree.object = f.object
    WHERE f.failing
    UNION ALL
    SELECT f.order_no, f.milestone, tree.object, f.error, f.since
    FROM judged_failures AS f
    INNER JOIN judged_tree AS tree ON tree.order_no = f.order_no AND tree.above = f.object
    WHERE f.failing AND tree.object != f.object
) AS e
GROUP BY e.order_no, e.milestone, e.object

-- judged_clocks
-- One row: a clock with its state now. verdict is the order state it stands for, '' when it stands for none.
WITH
    (SELECT groupArray((connection, kind, company, warehouse, partner, watermark)) FROM feed_marks) AS marks,
    end_at IS NULL AND arrayExists(p -> p.1 <= {as_of:DateTime64(3, 'UTC')} AND p.2 > {as_of:DateTime64(3, 'UTC')}, s.holds) AS paused,
    multiIf(s.stopped, 'stopped', end_at IS NOT NULL, 'ended', paused, 'paused', 'running') AS clock_state,
    failing.error IS NOT NULL AND end_at IS NULL AS fails,
    ifNull(multiIf(clock_state IN ('running', 'paused'), due_at < {as_of:DateTime64(3, 'UTC')}, clock_state = 'ended', due_at < end_at AND NOT s.called_off, 0), 0) AS overdue,
    clock_state = 'running' AND overdue AS past,
    if(empty(scopes.companies), o.all_companies, scopes.companies) AS companies,
    if(empty(scopes.warehouses), o.all_warehouses, scopes.warehouses) AS warehouses,
    if(empty(scopes.partners), o.all_partners, scopes.partners) AS partners,
    arrayDistinct(arrayMap(part -> multiIf(s.to_milestone IN ('shipment_confirmed'), multiIf((ifNull(if(part.warehouse = '', o.warehouse, part.warehouse) IN ('HH2'), 0)), '3pl', 'wms'), s.to_milestone IN ('invoice_released'), multiIf((ifNull(if(part.order_type = '', o.order_type, part.order_type) IN ('bulk'), 0) AND ifNull(if(part.company = '', o.company, part.company) NOT IN ('C1'), 1)), 'billing', 'erp'), transform(s.to_milestone, CAST(['order_accepted', 'delivered', 'payment_applied'] AS Array(String)), CAST(['erp', 'tms', 'erp'] AS Array(String)), '')), arrayPushFront(arrayFilter(part -> part.object_type = transform(s.to_milestone, CAST(['shipment_confirmed', 'invoice_released'] AS Array(String)), CAST(['shipment', 'invoice'] AS Array(String)), '') AND has(part.above, s.object), o.own), arrayFirst(part -> part.object = s.object, o.own)))) AS asks,
    arrayFilter(f -> has(asks, f.2) AND (f.3 = '' OR empty(companies) OR has(companies, f.3)) AND (f.4 = '' OR empty(warehouses) OR has(warehouses, f.4)) AND (f.5 = '' OR empty(partners) OR has(partners, f.5)), marks) AS gates,
    if(s.to_echo_at IS NULL, s.due_at, if(s.due_at IS NULL, s.to_echo_at, greatest(s.due_at, s.to_echo_at))) AS pass_at,
    overdue AND arrayAll(f -> f.6 > assumeNotNull(pass_at), gates) AS passed
SELECT
    s.order_no AS order_no, s.rule AS rule, s.object AS object, s.object_type AS object_type, members.object_id AS object_id,
    s.from_milestone AS from_milestone, s.to_milestone AS to_milestone, s.provisional AS provisional,
    s.from_event AS from_event, s.to_event AS to_event, s.started_at AS started_at, s.end_at AS end_at,
    s.to_echo_at AS to_echo_at, s.due_at AS due_at, s.at_risk_at AS at_risk_at, intDiv(s.budget_ms, 1000) AS budget_s,
    intDiv(s.used_ms, 1000) AS used_s, s.calendar AS calendar, s.holds AS holds, s.system AS system,
    s.disorder AS disorder, s.after_cancelled AS after_cancelled, clock_state AS state, past, passed, pass_at,
    if(overdue AND NOT passed, arrayMap(f -> f.1, arrayFilter(f -> f.6 <= assumeNotNull(pass_at), gates)), []) AS waits_for,
    multiIf(
        fails, 'failing',
        past AND s.provisional, 'unknown',
        past AND NOT passed, 'unknown',
        past AND s.to_echo_at IS NOT NULL, 'diverging',
        past, 'late',
        s.disorder, 'diverging',
        clock_state = 'running' AND ifNull(s.at_risk_at <= {as_of:DateTime64(3, 'UTC')}, 0), 'at_risk',
        end_at IS NULL, 'on_track',
        '') AS verdict,
    if(fails, failing.error, '') AS error, if(fails, failing.since, NULL) AS failing_since
FROM judged_starts AS s
INNER JOIN judged_cases AS o ON o.order_no = s.order_no
INNER JOIN judged_members AS members ON members.order_no = s.order_no AND members.object = s.object
LEFT JOIN judged_scopes AS scopes ON scopes.order_no = s.order_no AND scopes.object = s.object
LEFT JOIN judged_failing AS failing
    ON failing.order_no = s.order_no AND failing.milestone = s.to_milestone AND failing.object = s.object

-- judged_out_of_order
/* kind: out_of_order */
WITH
rules AS
(
    SELECT *
    FROM values(
        'rule String, first String, then String, first_type String, settle_ms Int64, since String, fresh_ms Int64',
        /* rule: unshipped */ ('unshipped', 'shipment_confirmed', 'invoice_released', 'shipment', 5400000, '', 0),
        /* rule: unaccepted */ ('unaccepted', 'order_accepted', 'shipment_confirmed', 'order', 0, '', 0),
        /* rule: held-again */ ('held-again', 'credit_released', 'shipment_confirmed', 'order', 3600000, 'credit_held', 0),
        /* rule: stale-stock */ ('stale-stock', 'stock_released', 'shipment_confirmed', 'shipment', 0, '', 86400000),
        /* rule: unsettled */ ('unsettled', 'payment_applied', 'delivered', 'payment', 172800000, '', 0))
),
seconds AS
(
    SELECT
        r.rule AS rule, r.first AS first, r.then AS then, r.first_type AS first_type, r.settle_ms AS settle_ms,
        t.order_no AS order_no, t.base AS object, assumeNotNull(t.reached_at) AS then_at, t.reached_ev AS then_ev,
        CAST(multiIf(r.since != '', arrayLastOrNull(at -> at <= assumeNotNull(t.reached_at), back.reports), r.fresh_ms > 0, assumeNotNull(t.reached_at) - toIntervalMillisecond(r.fresh_ms), NULL) AS Nullable(DateTime64(3, 'UTC'))) AS floor_at
    FROM judged_reached AS t
    INNER JOIN rules AS r ON r.then = t.milestone
    LEFT JOIN judged_anchors AS back ON back.order_no = t.order_no AND back.object = t.base AND back.milestone = r.since
    WHERE t.reached_at IS NOT NULL AND (r.since = '' OR floor_at IS NOT NULL)
),
near AS
(
    SELECT order_no, object, above AS part, above_type AS part_type
    FROM judged_tree
    WHERE has(CAST(['order', 'payment', 'shipment'] AS Array(String)), above_type) AND object IN (SELECT base FROM judged_reached WHERE has(CAST(['delivered', 'invoice_released', 'shipment_confirmed'] AS Array(String)), milestone))
    UNION DISTINCT
    SELECT order_no, above, object, object_type
    FROM judged_tree
    WHERE has(CAST(['order', 'payment', 'shipment'] AS Array(String)), object_type) AND above IN (SELECT base FROM judged_reached WHERE has(CAST(['delivered', 'invoice_released', 'shipment_confirmed'] AS Array(String)), milestone))
),
told AS
(
    SELECT order_no, object, object_type, milestone, down_first_at AS told_at, down_first_ev AS told_ev, reports
    FROM judged_anchors
    WHERE has(CAST(['credit_released', 'order_accepted', 'payment_applied', 'shipment_confirmed', 'stock_released'] AS Array(String)), milestone) AND down_first_at IS NOT NULL
),
places AS
(
    SELECT
        s.order_no AS order_no, s.rule AS rule, s.object AS object, s.first AS first, s.then AS then, s.settle_ms AS settle_ms,
        s.then_at AS then_at, s.then_ev AS then_ev, near.part AS part, part.told_ev AS part_ev, whole.told_ev AS whole_ev,
        if(s.floor_at IS NULL, part.told_at, arrayFirstOrNull(at -> at >= assumeNotNull(s.floor_at), part.reports)) AS part_at, if(s.floor_at IS NULL, whole.told_at, arrayFirstOrNull(at -> at >= assumeNotNull(s.floor_at), whole.reports)) AS whole_at
    FROM seconds AS s
    LEFT JOIN (SELECT * FROM near WHERE (order_no, part) NOT IN (SELECT order_no, object FROM judged_void)) AS near
        ON near.order_no = s.order_no AND near.object = s.object AND near.part_type = s.first_type
    LEFT JOIN told AS part ON part.order_no = s.order_no AND part.object = near.part AND part.milestone = s.first
    LEFT JOIN (SELECT * FROM told WHERE object_type = 'order') AS whole
        ON whole.order_no = s.order_no AND whole.milestone = s.first
    WHERE NOT has(CAST(['stale-stock'] AS Array(String)), s.rule) OR whole.told_at IS NOT NULL
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
    ifNull(late.first_at, toDateTime64('2200-01-01 00:00:00', 3, 'UTC')),
    if(o.done_at IS NULL OR o.done_at < late.then_at, toDateTime64('2200-01-01 00:00:00', 3, 'UTC'), assumeNotNull(o.done_at)),
    if(o.cancelled_at IS NULL OR o.cancelled_at < late.then_at, toDateTime64('2200-01-01 00:00:00', 3, 'UTC'), assumeNotNull(o.cancelled_at))) AS ends_at
SELECT
    late.order_no AS order_no, late.rule AS rule, 'out_of_order' AS kind, late.object AS object, late.until AS opened_at,
    if(ends_at = toDateTime64('2200-01-01 00:00:00', 3, 'UTC'), NULL, ends_at) AS resolved_at, late.first_at IS NOT NULL AS settled,
    if(empty(late.open), arrayDistinct(arrayMap(part -> multiIf(late.first IN ('shipment_confirmed'), multiIf((ifNull(if(part.warehouse = '', o.warehouse, part.warehouse) IN ('HH2'), 0)), '3pl', 'wms'), transform(late.first, CAST(['order_accepted', 'credit_released', 'stock_released', 'payment_applied'] AS Array(String)), CAST(['erp', 'erp', 'wms', 'erp'] AS Array(String)), '')), arrayPushFront(arrayFilter(part -> part.object_type = transform(late.first, CAST(['shipment_confirmed'] AS Array(String)), CAST(['shipment'] AS Array(String)), ''), o.own), arrayFirst(part -> part.object = 0, o.own)))), arrayDistinct(arrayMap(place -> arrayMap(part -> multiIf(late.first IN ('shipment_confirmed'), multiIf((ifNull(if(part.warehouse = '', o.warehouse, part.warehouse) IN ('HH2'), 0)), '3pl', 'wms'), transform(late.first, CAST(['order_accepted', 'credit_released', 'stock_released', 'payment_applied'] AS Array(String)), CAST(['erp', 'erp', 'wms', 'erp'] AS Array(String)), '')), [arrayFirst(part -> part.object = place, o.own)])[1], late.open))) AS asks, late.first AS milestone, arrayMap(part -> multiIf(late.first IN ('shipment_confirmed'), multiIf((ifNull(if(part.warehouse = '', o.warehouse, part.warehouse) IN ('HH2'), 0)), '3pl', 'wms'), transform(late.first, CAST(['order_accepted', 'credit_released', 'stock_released', 'payment_applied'] AS Array(String)), CAST(['erp', 'erp', 'wms', 'erp'] AS Array(String)), '')), [arrayFirst(part -> part.object = late.open[1], o.own)])[1] AS system, late.then_ev AS from_event,
    ifNull(late.first_ev, 0) AS to_event, late.then_at AS started_at,
    concat('{"first":"', late.first, '","then":"', late.then, '"}') AS more
FROM late
INNER JOIN judged_cases AS o ON o.order_no = late.order_no
WHERE ends_at > late.until

-- judged_duplicate
/* kind: duplicate */
WITH
rules AS
(
    SELECT *
    FROM values(
        'rule String, milestone String, per String, itself UInt8, settle_ms Int64',
        /* rule: billed-twice */ ('billed-twice', 'invoice_released', 'shipment', 0, 0),
        /* rule: paid-twice */ ('paid-twice', 'payment_applied', 'order', 0, 21600000),
        /* rule: applied-twice */ ('applied-twice', 'payment_applied', 'payment', 1, 0))
),
money AS
(
    SELECT f.order_no AS order_no, f.ev AS ev, any(f.amount) AS amount, any(CAST(f.currency AS String)) AS currency
    FROM judged_facts AS f
    WHERE has(CAST(['invoice_released', 'payment_applied'] AS Array(String)), f.milestone) AND f.amount IS NOT NULL
    GROUP BY f.order_no, f.ev
),
worth AS
(
    SELECT
        f.order_no AS order_no, f.object AS object, argMax(f.amount, (f.occurred_at, f.event_id, f.ev)) AS amount,
        argMax(CAST(f.currency AS String), (f.occurred_at, f.event_id, f.ev)) AS currency
    FROM judged_facts AS f
    WHERE f.amount IS NOT NULL AND f.polarity = 'reached'
        AND f.object_type = transform(f.milestone, CAST(['order_captured', 'order_accepted', 'order_cancelled', 'credit_held', 'credit_released', 'order_changed', 'invoice_waived', 'stock_held', 'stock_released', 'shipment_confirmed', 'delivered', 'payment_applied'] AS Array(String)), CAST(['order', 'order', 'order', 'order', 'order', 'order', 'shipment', 'shipment', 'shipment', 'shipment', 'shipment', 'payment'] AS Array(String)), '')
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
    d.said[2].1 + toIntervalMillisecond(d.settle_ms) AS opened_at, CAST(NULL AS Nullable(DateTime64(3, 'UTC'))) AS resolved_at, d.settle_ms = 0 AS settled,
    if(settled, [], arrayDistinct(arrayMap(part -> multiIf(d.milestone IN ('invoice_released'), multiIf((ifNull(if(part.order_type = '', o.order_type, part.order_type) IN ('bulk'), 0) AND ifNull(if(part.company = '', o.company, part.company) NOT IN ('C1'), 1)), 'billing', 'erp'), transform(d.milestone, CAST(['payment_applied'] AS Array(String)), CAST(['erp'] AS Array(String)), '')), arrayPushFront(arrayFilter(part -> part.object_type = transform(d.milestone, CAST(['invoice_released'] AS Array(String)), CAST(['invoice'] AS Array(String)), '') AND has(part.above, d.object), o.own), arrayFirst(part -> part.object = d.object, o.own))))) AS asks, d.milestone AS milestone, arrayMap(part -> multiIf(d.milestone IN ('invoice_released'), multiIf((ifNull(if(part.order_type = '', o.order_type, part.order_type) IN ('bulk'), 0) AND ifNull(if(part.company = '', o.company, part.company) NOT IN ('C1'), 1)), 'billing', 'erp'), transform(d.milestone, CAST(['payment_applied'] AS Array(String)), CAST(['erp'] AS Array(String)), '')), [arrayFirst(part -> part.object = d.object, o.own)])[1] AS system, d.said[1].3 AS from_event,
    if(d.itself, 0, d.said[2].3) AS to_event, d.said[2].1 AS started_at,
    toJSONString(CAST((
        arrayMap(x -> (x.4, toString(x.1)), d.said),
        if(d.unpriced = 0, toString(d.total), NULL), if(length(d.currencies) = 1, d.currencies[1], '')),
        'Tuple(reached Array(Tuple(object String, at String)), amount Nullable(String), currency String)')) AS more
FROM d
INNER JOIN judged_cases AS o ON o.order_no = d.order_no
LEFT JOIN worth ON worth.order_no = d.order_no AND worth.object = d.object
WHERE d.itself OR d.unpriced > 0 OR worth.amount IS NULL OR d.currencies != [assumeNotNull(worth.currency)] OR d.total > worth.amount

-- judged_diverging
/* kind: diverging */
WITH
rules AS
(
    SELECT *
    FROM values(
        'rule String, fact String, systems Array(String), settle_ms Int64',
        /* rule: invoice-differs */ ('invoice-differs', 'invoice_released', CAST(['billing', 'erp', 'middleware'] AS Array(String)), 14400000),
        /* rule: payment-differs */ ('payment-differs', 'payment_applied', CAST(['erp', 'bank'] AS Array(String)), 0))
),
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
            if(arrayUniq(arrayMap(v -> v.1, views)) > 1, 'status', ''), if(arrayUniq(arrayFilter(x -> x != '', arrayMap(v -> ifNull(toString(v.3), ''), views))) > 1, 'amount', ''), if(arrayUniq(arrayFilter(x -> x != '', arrayMap(v -> ifNull(toString(v.4), ''), views))) > 1, 'currency', ''), if(arrayUniq(arrayFilter(x -> x != '', arrayMap(v -> ifNull(toString(v.5), ''), views))) > 1, 'quantity', ''), if(arrayUniq(arrayFilter(x -> x != '', arrayMap(v -> ifNull(toString(v.6), ''), views))) > 1, 'promised_at', ''), if(arrayUniq(arrayFilter(x -> x != '', arrayMap(v -> ifNull(toString(v.7), ''), views))) > 1, 'requested_at', '')]), looks) AS differs,
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

-- judged_sync_late
/* kind: sync_late */
WITH
rules AS
(
    SELECT *
    FROM values(
        'rule String, milestone String, system String, within_ms Int64',
        /* rule: crm-hears-late */ ('crm-hears-late', 'delivered', 'crm', 10800000),
        /* rule: erp-hears-late */ ('erp-hears-late', 'shipment_confirmed', 'erp', 86400000))
),
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
    WHERE has(CAST(['delivered', 'shipment_confirmed'] AS Array(String)), said.milestone) AND near.object IN (SELECT object FROM words)
    GROUP BY near.order_no, near.object, said.milestone
),
arrayFirst(x -> x.3 = w.system AND (h.back_at IS NULL OR x.1 > assumeNotNull(h.back_at)), h.told) AS echo
SELECT
    w.order_no AS order_no, w.rule AS rule, 'sync_late' AS kind, w.object AS object, w.until AS opened_at,
    if(echo.2 = 0, NULL, echo.1) AS resolved_at, echo.2 != 0 AS settled, [w.system] AS asks, w.milestone AS milestone,
    w.system AS system, w.word_ev AS from_event, echo.2 AS to_event, w.word_at AS started_at,
    toJSONString(CAST((
        arrayMap(part -> multiIf(w.milestone IN ('shipment_confirmed'), multiIf((ifNull(if(part.warehouse = '', o.warehouse, part.warehouse) IN ('HH2'), 0)), '3pl', 'wms'), transform(w.milestone, CAST(['delivered'] AS Array(String)), CAST(['tms'] AS Array(String)), '')), [arrayFirst(part -> part.object = w.object, o.own)])[1], if(settled, toString(echo.1), NULL),
        if(settled, intDiv(toUnixTimestamp64Milli(echo.1) - toUnixTimestamp64Milli(w.word_at), 1000), NULL)),
        'Tuple(authority String, echo_at Nullable(String), lag_s Nullable(Int64))')) AS more
FROM words AS w
INNER JOIN judged_cases AS o ON o.order_no = w.order_no
LEFT JOIN heard AS h ON h.order_no = w.order_no AND h.object = w.object AND h.milestone = w.milestone
WHERE w.system != arrayMap(part -> multiIf(w.milestone IN ('shipment_confirmed'), multiIf((ifNull(if(part.warehouse = '', o.warehouse, part.warehouse) IN ('HH2'), 0)), '3pl', 'wms'), transform(w.milestone, CAST(['delivered'] AS Array(String)), CAST(['tms'] AS Array(String)), '')), [arrayFirst(part -> part.object = w.object, o.own)])[1] AND (NOT settled OR echo.1 > w.until)

-- judged_doubts
-- One row: something that a rule of `findings` sees on an object: open from opened_at on, until resolved_at.
SELECT d.order_no AS order_no, d.rule AS rule, d.kind AS kind, d.object AS object, members.object_type AS object_type, members.object_id AS object_id, d.opened_at AS opened_at, d.resolved_at AS resolved_at, d.settled AS settled, d.asks AS asks, d.milestone AS milestone, d.system AS system, d.from_event AS from_event, d.to_event AS to_event, d.started_at AS started_at, d.more AS more
FROM
(
SELECT * FROM judged_out_of_order
UNION ALL
SELECT * FROM judged_duplicate
UNION ALL
SELECT * FROM judged_diverging
UNION ALL
SELECT * FROM judged_sync_late
) AS d
INNER JOIN judged_cases AS o ON o.order_no = d.order_no
INNER JOIN judged_members AS members ON members.order_no = d.order_no AND members.object = d.object
WHERE multiIf(d.rule = 'unaccepted', (ifNull(o.order_type IN ('standard', 'bulk'), 0)), d.rule = 'paid-twice', (ifNull(o.channel NOT IN ('edi'), 1)), d.rule = 'erp-hears-late', (ifNull(o.reporting_amount >= toDecimal128('500', 6), 0)), 1)

-- judged_weighed
-- One row: a doubt at the moment. A deadline is past after its instant; without one it holds from its instant on.
WITH
    (SELECT groupArray((connection, kind, company, warehouse, partner, watermark)) FROM feed_marks) AS marks,
    opened_at < {as_of:DateTime64(3, 'UTC')} OR (opened_at = {as_of:DateTime64(3, 'UTC')} AND opened_at = started_at) AS past,
    if(empty(scopes.companies) OR s.kind = 'out_of_order', o.all_companies, scopes.companies) AS companies,
    if(empty(scopes.warehouses) OR s.kind = 'out_of_order', o.all_warehouses, scopes.warehouses) AS warehouses,
    if(empty(scopes.partners) OR s.kind = 'out_of_order', o.all_partners, scopes.partners) AS partners,
    arrayFilter(f -> has(s.asks, f.2) AND (f.3 = '' OR empty(companies) OR has(companies, f.3)) AND (f.4 = '' OR empty(warehouses) OR has(warehouses, f.4)) AND (f.5 = '' OR empty(partners) OR has(partners, f.5)), marks) AS gates,
    arrayMap(f -> f.1, arrayFilter(f -> f.6 <= s.opened_at, gates)) AS behind
SELECT
    s.order_no AS order_no, s.rule AS rule, s.kind AS kind, s.object AS object, s.object_type AS object_type, s.object_id AS object_id, s.opened_at AS opened_at, s.resolved_at AS resolved_at, s.settled AS settled, s.asks AS asks, s.milestone AS milestone, s.system AS system, s.from_event AS from_event, s.to_event AS to_event, s.started_at AS started_at, s.more AS more,
    past AND (s.settled OR empty(behind)) AS found, found AND s.resolved_at IS NULL AS holds,
    if(past AND NOT s.settled, behind, []) AS waits_for,
    if(past, NULL, s.opened_at + toIntervalMillisecond(s.opened_at != s.started_at)) AS next_at
FROM judged_doubts AS s
INNER JOIN judged_cases AS o ON o.order_no = s.order_no
LEFT JOIN judged_scopes AS scopes ON scopes.order_no = s.order_no AND scopes.object = s.object

-- judged_orders
-- One row: an order as the board shows it.
WITH
    ifNull(o.done_at IS NOT NULL AND NOT ifNull(c.open_since > o.done_at, 0), 0) AS is_done,
    multiIf(is_done, 'done', o.cancelled_at IS NOT NULL, 'cancelled', w.verdict != '', assumeNotNull(w.verdict), 'on_track') AS order_state,
    if(order_state = 'done', o.done_at, if(order_state = 'cancelled', o.cancelled_at, NULL)) AS closed,
    closed IS NOT NULL AS is_closed
SELECT
    o.order_no AS order_no, o.order_id AS order_id, o.begun_at IS NOT NULL AS on_board, order_state AS state,
    closed AS closed_at, o.begun_at AS started_at,
    if(is_closed, '', ifNull(w.rule, '')) AS stage, if(is_closed, '', ifNull(w.object_type, '')) AS object_type,
    if(is_closed, '', ifNull(w.object_id, '')) AS object_id,
    if(is_closed, closed, ifNull(w.since, o.last_at)) AS since, if(is_closed, NULL, w.due_at) AS due_at,
    if(is_closed, NULL, w.budget_s) AS budget_s,
    o.priority AS priority, o.amount AS amount, o.quantity AS quantity, o.currency AS currency, o.customer_id AS customer_id, o.customer_tier AS customer_tier, o.channel AS channel, o.order_type AS order_type, o.company AS company, o.warehouse AS warehouse, o.partner AS partner, o.promised_at AS promised_at, o.requested_at AS requested_at, o.reporting_amount AS reporting_amount,
    if(has(CAST(['failing', 'late', 'diverging', 'unknown', 'at_risk'] AS Array(String)), order_state), o.reporting_amount, if(o.reporting_amount IS NULL, NULL, toDecimal128(0, 6))) AS value_at_risk,
    if(is_closed, '', ifNull(w.system, '')) AS system, if(is_closed, '', ifNull(w.error, '')) AS error,
    o.last_milestone AS last_milestone, o.last_at AS last_at, if(is_closed, '', ifNull(w.to_milestone, '')) AS next_milestone,
    o.facts AS facts, o.own AS own,
    lower(hex(sipHash64(o.facts, order_state, stage, object_id, ifNull(toUnixTimestamp64Milli(due_at), 0), error))) AS version,
    least(ifNull(c.warns_at, toDateTime64('2200-01-01 00:00:00', 3, 'UTC')), ifNull(c.ends_at + toIntervalMillisecond(1), toDateTime64('2200-01-01 00:00:00', 3, 'UTC')), ifNull(ahead.next_at, toDateTime64('2200-01-01 00:00:00', 3, 'UTC')), ifNull(d.next_at, toDateTime64('2200-01-01 00:00:00', 3, 'UTC'))) AS next_at,
    arrayConcat(ifNull(c.waits_for, []), d.waits_for) AS waits_for, arrayConcat(ifNull(c.waits_until, []), d.waits_until) AS waits_until,
    c.clocks.1 AS `clocks.rule`,
    c.clocks.2 AS `clocks.object`,
    c.clocks.3 AS `clocks.object_type`,
    c.clocks.4 AS `clocks.object_id`,
    c.clocks.5 AS `clocks.from_milestone`,
    c.clocks.6 AS `clocks.to_milestone`,
    c.clocks.7 AS `clocks.from_event`,
    c.clocks.8 AS `clocks.to_event`,
    c.clocks.9 AS `clocks.started_at`,
    c.clocks.10 AS `clocks.stopped_at`,
    c.clocks.11 AS `clocks.due_at`,
    c.clocks.12 AS `clocks.at_risk_at`,
    c.clocks.13 AS `clocks.budget_s`,
    c.clocks.14 AS `clocks.used_s`,
    c.clocks.15 AS `clocks.calendar`,
    c.clocks.16 AS `clocks.pauses`,
    c.clocks.17 AS `clocks.state`,
    c.clocks.18 AS `clocks.verdict`,
    c.clocks.19 AS `clocks.provisional`,
    c.clocks.20 AS `clocks.system`,
    c.clocks.21 AS `clocks.error`,
    n.names.1 AS `names.name`,
    n.names.2 AS `names.object_type`,
    n.names.3 AS `names.name_id`,
    n.names.4 AS `names.target`,
    n.names.5 AS `names.target_id`,
    o.held_by AS held_by, o.assignee AS assignee, o.escalated_by AS escalated_by,
    if(order_state = 'done', o.marked_by, '') AS closed_by,
    'a8127f1e41cd4526f36c692c23d23c09ba947f4a764d1114f52297ffa2624f17' AS book
FROM judged_cases AS o
LEFT JOIN
(
    SELECT
        order_no,
        arraySort(x -> (x.1, x.2), groupArray((
            rule, object, object_type, object_id, from_milestone, to_milestone, from_event, to_event, started_at,
            end_at, due_at, at_risk_at, budget_s, used_s, calendar,
            arrayMap(p -> (p.1, if(p.2 = toDateTime64('2200-01-01 00:00:00', 3, 'UTC'), NULL, p.2)), holds), state, verdict, provisional, system, error))) AS clocks,
        maxOrNullIf(started_at, end_at IS NULL) AS open_since,
        minOrNullIf(at_risk_at, state = 'running' AND at_risk_at > {as_of:DateTime64(3, 'UTC')}) AS warns_at,
        minOrNullIf(due_at, state = 'running' AND due_at >= {as_of:DateTime64(3, 'UTC')}) AS ends_at,
        arrayFlatten(groupArrayIf(k.waits_for, NOT provisional)) AS waits_for,
        arrayFlatten(groupArrayIf(arrayMap(w -> assumeNotNull(pass_at), k.waits_for), NOT provisional)) AS waits_until
    FROM judged_clocks AS k
    GROUP BY order_no
) AS c ON c.order_no = o.order_no
LEFT JOIN
(
    SELECT
        order_no, worst.1 AS verdict, worst.2 AS rule, worst.3 AS object_type, worst.4 AS object_id, worst.5 AS since,
        worst.6 AS due_at, worst.7 AS budget_s, worst.8 AS system, worst.9 AS error, worst.10 AS to_milestone
    FROM
    (
        SELECT
            x.order_no AS order_no,
            argMin((x.verdict, x.rule, x.object_type, x.object_id, x.since, x.due_at, x.budget_s, x.system, x.error, x.to_milestone),
                (transform(x.verdict, CAST(['failing', 'late', 'diverging', 'unknown', 'at_risk', 'on_track'] AS Array(String)), CAST([0, 1, 2, 3, 4, 5] AS Array(UInt8)), toUInt8(99)), ifNull(x.due_at, toDateTime64('2200-01-01 00:00:00', 3, 'UTC')), x.rule, x.object_id, x.to_milestone, x.error)) AS worst
        FROM
        (
            SELECT order_no, CAST(verdict AS String) AS verdict, CAST(rule AS String) AS rule, CAST(object_type AS String) AS object_type,
                object_id, started_at AS since, due_at, budget_s, CAST(system AS String) AS system, error, CAST(to_milestone AS String) AS to_milestone
            FROM judged_clocks
            WHERE verdict != ''
            UNION ALL
            SELECT order_no, 'failing', '', object_type, object_id, since, NULL, NULL, CAST(system AS String), error, milestone
            FROM judged_failures
            WHERE failing AND (order_no, milestone) NOT IN (SELECT order_no, to_milestone FROM judged_clocks WHERE verdict = 'failing')
            UNION ALL
            SELECT order_no, 'diverging', '', object_type, object_id, opened_at, NULL, NULL, system, transform(rule, CAST(['unshipped', 'unaccepted', 'held-again', 'stale-stock', 'unsettled', 'billed-twice', 'paid-twice', 'applied-twice', 'invoice-differs', 'payment-differs', 'crm-hears-late', 'erp-hears-late'] AS Array(String)), CAST(['Unshipped', 'Unaccepted', 'Held again', 'Stale stock', 'Unsettled', 'Billed twice', 'Paid twice', 'Applied twice', 'Invoice differs', 'Payment differs', 'Crm hears late', 'Erp hears late'] AS Array(String)), ''), milestone
            FROM judged_weighed
            WHERE holds
        ) AS x
        GROUP BY x.order_no
    )
) AS w ON w.order_no = o.order_no
LEFT JOIN judged_ahead AS ahead ON ahead.order_no = o.order_no
LEFT JOIN
(
    SELECT
        s.order_no AS order_no, min(s.next_at) AS next_at, arrayFlatten(groupArray(s.waits_for)) AS waits_for,
        arrayFlatten(groupArray(arrayMap(w -> s.opened_at, s.waits_for))) AS waits_until
    FROM judged_weighed AS s
    GROUP BY s.order_no
) AS d ON d.order_no = o.order_no
LEFT JOIN
(
    SELECT order_no, arraySort(groupArray((name, object_type, name_id, target, target_id))) AS names
    FROM judged_names
    WHERE (order_no, target) IN (SELECT order_no, object FROM judged_members)
    GROUP BY order_no
) AS n ON n.order_no = o.order_no

-- judged_findings
-- One row: a finding of a compiled rule as of the moment.
SELECT
    f.order_no AS order_no, c.order_id AS order_id, f.rule AS rule, f.kind AS kind, f.object AS object,
    f.object_type AS object_type, f.object_id AS object_id,
    lower(hex(sipHash64(f.order_no, f.rule, f.kind, f.object))) AS breach_id,
    ifNull(f.resolved_at, if(f.outlives, NULL, o.closed_at)) AS ended_at, if(ended_at IS NULL, 'open', 'resolved') AS state,
    f.opened_at AS opened_at, ended_at AS resolved_at,
    f.milestone AS milestone, f.system AS system, f.error AS error, f.from_event AS from_event, f.to_event AS to_event,
    f.started_at AS started_at, f.budget_s AS budget_s, f.used_s AS used_s, f.calendar AS calendar, f.holds AS holds, f.more AS more
FROM
(
SELECT *, 0 AS outlives, '' AS more FROM
(
/* kind: late */
SELECT
    order_no, rule, 'late' AS kind, object, object_type, object_id, assumeNotNull(due_at) AS opened_at,
    if(end_at IS NULL, NULL, end_at) AS resolved_at, to_milestone AS milestone, system, '' AS error,
    from_event, to_event, started_at, budget_s, used_s, calendar, holds
FROM judged_clocks
WHERE NOT provisional AND NOT after_cancelled AND due_at IS NOT NULL
    AND (
        (past AND passed AND to_echo_at IS NULL)
        OR (state = 'stopped' AND assumeNotNull(end_at) > assumeNotNull(due_at))
        OR (state IN ('paused', 'ended') AND passed)
    )
UNION ALL
/* kind: diverging */
SELECT
    order_no, rule, 'diverging' AS kind, object, object_type, object_id, assumeNotNull(due_at) AS opened_at,
    CAST(NULL AS Nullable(DateTime64(3, 'UTC'))) AS resolved_at, to_milestone AS milestone, system, '' AS error,
    from_event, to_event, started_at, budget_s, used_s, calendar, holds
FROM judged_clocks
WHERE NOT provisional AND past AND passed AND to_echo_at IS NOT NULL
UNION ALL
/* kind: out_of_order */
SELECT
    order_no, rule, 'out_of_order' AS kind, object, object_type, object_id, started_at AS opened_at,
    CAST(NULL AS Nullable(DateTime64(3, 'UTC'))) AS resolved_at, to_milestone AS milestone, system, '' AS error,
    from_event, to_event, started_at, budget_s, used_s, calendar, holds
FROM judged_clocks
WHERE disorder OR after_cancelled
UNION ALL
/* kind: failing */
SELECT
    order_no, concat(milestone, '.failed') AS rule, 'failing' AS kind, object, object_type, object_id,
    since AS opened_at, if(failing, NULL, healed_at) AS resolved_at, milestone, system, error,
    event AS from_event, toUInt64(0) AS to_event, since AS started_at, CAST(NULL AS Nullable(Int64)) AS budget_s,
    CAST(NULL AS Nullable(Int64)) AS used_s, '' AS calendar,
    CAST([] AS Array(Tuple(DateTime64(3, 'UTC'), DateTime64(3, 'UTC')))) AS holds
FROM judged_failures
UNION ALL
/* kind: too_fast, stage: accept */
SELECT
    order_no, rule, 'too_fast' AS kind, object, object_type, object_id, assumeNotNull(end_at) AS opened_at,
    end_at AS resolved_at, to_milestone AS milestone, system, '' AS error,
    from_event, to_event, started_at, budget_s, used_s, calendar, holds
FROM judged_clocks
WHERE rule = 'accept' AND state = 'stopped' AND NOT disorder AND NOT provisional
    AND toUnixTimestamp64Milli(assumeNotNull(end_at)) - toUnixTimestamp64Milli(started_at) < 300000
UNION ALL
/* kind: too_fast, stage: invoice */
SELECT
    order_no, rule, 'too_fast' AS kind, object, object_type, object_id, assumeNotNull(end_at) AS opened_at,
    end_at AS resolved_at, to_milestone AS milestone, system, '' AS error,
    from_event, to_event, started_at, budget_s, used_s, calendar, holds
FROM judged_clocks
WHERE rule = 'invoice' AND state = 'stopped' AND NOT disorder AND NOT provisional
    AND toUnixTimestamp64Milli(assumeNotNull(end_at)) - toUnixTimestamp64Milli(started_at) < 120000
)
UNION ALL
/* kind: escalated */
SELECT
    h.order_no AS order_no, 'escalated' AS rule, 'escalated' AS kind, scope.object AS object, 'order' AS object_type,
    scope.order_id AS object_id, h.escalated_at AS opened_at, h.calmed_at AS resolved_at, '' AS milestone, '' AS system,
    h.escalated_for AS error, toUInt64(0) AS from_event, toUInt64(0) AS to_event, h.escalated_at AS started_at,
    CAST(NULL AS Nullable(Int64)) AS budget_s, CAST(NULL AS Nullable(Int64)) AS used_s, '' AS calendar,
    CAST([] AS Array(Tuple(DateTime64(3, 'UTC'), DateTime64(3, 'UTC')))) AS holds, 0 AS outlives,
    toJSONString(CAST(tuple(h.escalated_by), 'Tuple(by String)')) AS more
FROM judged_hand AS h
INNER JOIN scope ON scope.order_no = h.order_no
WHERE h.escalated
UNION ALL
/* kinds: out_of_order, duplicate, diverging, sync_late */
SELECT
    order_no, rule, kind, object, object_type, object_id, opened_at, resolved_at, milestone, system, '' AS error,
    from_event, to_event, started_at, CAST(transform(rule, CAST(['unshipped', 'unaccepted', 'held-again', 'stale-stock', 'unsettled', 'billed-twice', 'paid-twice', 'applied-twice', 'invoice-differs', 'payment-differs', 'crm-hears-late', 'erp-hears-late'] AS Array(String)), [5400, 0, 3600, 0, 172800, 0, 21600, 0, 14400, 0, 10800, 86400], 0) AS Nullable(Int64)) AS budget_s, CAST(NULL AS Nullable(Int64)) AS used_s,
    '' AS calendar, CAST([] AS Array(Tuple(DateTime64(3, 'UTC'), DateTime64(3, 'UTC')))) AS holds, 1 AS outlives, more
FROM
(
    SELECT * FROM judged_weighed WHERE found ORDER BY opened_at DESC LIMIT 1 BY order_no, rule, object
)
) AS f
INNER JOIN judged_cases AS c ON c.order_no = f.order_no
INNER JOIN judged_orders AS o ON o.order_no = f.order_no
WHERE c.begun_at IS NOT NULL

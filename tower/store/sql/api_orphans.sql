-- Objects that belong to no order on the board. where, filter, key (what is sorted by, falling) and value (over amount,
-- currency, amount_at) from tower/api/orphans.py. Parameter: limit.
-- An order that nothing has started is one, with everything heard under it; so is a name that several orders share.
WITH
    joined AS (SELECT DISTINCT arrayJoin(names.name) AS name FROM orders FINAL WHERE on_board AND notEmpty(names.name)),
    waiting AS
    (
        SELECT own.object AS object, own.order_no AS order_no, own.order_id AS order_id
        FROM (SELECT order_no, any(object) AS object, any(order_id) AS order_id FROM order_objects GROUP BY order_no) AS own
        INNER JOIN (SELECT order_no FROM orders FINAL WHERE NOT on_board AND state != '') AS off
            ON off.order_no = own.order_no
        WHERE own.object NOT IN (SELECT name FROM joined)
    ),
    candidates AS
    (
        SELECT child, arraySort(groupUniqArray((parent_type, parent_id))) AS names
        FROM
        (
            SELECT child, any(CAST(parent_type AS String)) AS parent_type, any(parent_id) AS parent_id
            FROM case_links FINAL
            WHERE relation = 'weak_alias'
            GROUP BY child, parent
            HAVING argMax(retract, (startsWith(source, '/tower/'), occurred_at, event_id, ev, retract)) = 0
        )
        GROUP BY child
    ),
    lone AS
    (
        SELECT
            object, any(object_type) AS object_type, any(object_id) AS object_id,
            arraySort(groupUniqArrayIf(assumeNotNull(under), under != '')) AS orders
        FROM
        (
            SELECT c.object AS object, CAST(c.object_type AS String) AS object_type, c.object_id AS object_id, w.order_id AS under
            FROM object_cases AS c
            LEFT JOIN waiting AS w ON w.order_no = c.order_no
            WHERE c.object IN
            (
                SELECT object FROM object_cases GROUP BY object
                HAVING countIf(order_no != 0 AND order_no NOT IN (SELECT order_no FROM waiting)) = 0
            )
            UNION ALL
            SELECT object, 'order', order_id, order_id FROM waiting WHERE object IN (SELECT child FROM candidates)
        )
        GROUP BY object
    ),
    facts AS
    (
        SELECT order_no, object, ev, occurred_at, CAST(milestone AS String) AS milestone, source, amount, CAST(currency AS String) AS currency
        FROM case_facts FINAL
        WHERE (order_no = 0 OR order_no IN (SELECT order_no FROM waiting)) AND (ev, body) NOT IN (SELECT ev, body FROM conflicts)
    ),
    told AS
    (
        SELECT object, ev, occurred_at, milestone, source, amount, currency FROM facts
        UNION ALL
        SELECT w.object, f.ev, f.occurred_at, f.milestone, f.source, f.amount, f.currency
        FROM facts AS f
        INNER JOIN waiting AS w ON w.order_no = f.order_no
        WHERE f.object != w.object
    )
SELECT
    object_type, object_id, events, first_at, last_at, milestones, sources, amount, currency, value, orders, candidates,
    total, value_total, $key AS page_key, concat(object_type, ' ', object_id) AS page_id
FROM
(
    SELECT *, $value AS value, count() OVER () AS total, sum(value) OVER () AS value_total
    FROM
    (
        SELECT
            any(lone.object_type) AS object_type, any(lone.object_id) AS object_id,
            uniqExactIf(told.ev, told.ev != 0) AS events, min(told.occurred_at) AS first_at, max(told.occurred_at) AS last_at,
            arraySort(groupUniqArrayIf(assumeNotNull(told.milestone), told.milestone != '')) AS milestones,
            arraySort(groupUniqArrayIf(assumeNotNull(told.source), told.source != '')) AS sources,
            argMaxOrNullIf(told.amount, (told.occurred_at, told.ev), told.amount IS NOT NULL) AS amount,
            argMaxIf(ifNull(told.currency, ''), (told.occurred_at, told.ev), told.amount IS NOT NULL) AS currency,
            maxOrNullIf(told.occurred_at, told.amount IS NOT NULL) AS amount_at,
            any(lone.orders) AS orders, any(candidates.names) AS candidates
        FROM lone
        LEFT JOIN told ON told.object = lone.object
        LEFT JOIN candidates ON candidates.child = lone.object
        GROUP BY lone.object
    )
    WHERE $filter
)
WHERE $where
ORDER BY page_key DESC, page_id DESC
LIMIT {limit:UInt32}

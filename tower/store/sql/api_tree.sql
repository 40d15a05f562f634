-- The objects of one order, each with what it lies under. Parameters: order_no, order_id, as_of, known_at. orders: the table.
-- One row: object (type, id) lies under above (type, id) or is it, by links that hold; the latest statement counts. Objects
-- stand under the names they go by. This is the head of api_objects.sql and api_facts.sql, which follow it.
WITH RECURSIVE
named AS
(
    SELECT alias.1 AS name, alias.2 AS target, alias.3 AS target_id
    FROM $orders
    ARRAY JOIN arrayZip(names.name, names.target, names.target_id) AS alias
    WHERE order_no = {order_no:UInt64}
),
stated AS
(
    SELECT
        child, parent, any(child_type) AS child_type, any(child_id) AS child_id, any(parent_type) AS parent_type,
        any(parent_id) AS parent_id,
        max((startsWith(source, '/tower/'), occurred_at, event_id, ev, retract, CAST(relation AS String), source)) AS said
    FROM case_links FINAL
    WHERE order_no = {order_no:UInt64}
        AND occurred_at <= {as_of:DateTime64(3, 'UTC')} AND received_at <= {known_at:DateTime64(3, 'UTC')}
        AND (ev, body) NOT IN (SELECT ev, body FROM conflicts)
        AND child NOT IN (SELECT object FROM wide_objects FINAL)
        AND parent NOT IN (SELECT object FROM wide_objects FINAL)
    GROUP BY child, parent
),
hanging AS
(
    SELECT
        lower AS child, upper AS parent, any(child_type) AS child_type, any(lower_id) AS child_id,
        any(parent_type) AS parent_type, any(upper_id) AS parent_id, max(said) AS last_said
    FROM
    (
        SELECT
            ifNull(c.target, s.child) AS lower, s.child_type AS child_type, ifNull(c.target_id, s.child_id) AS lower_id,
            ifNull(p.target, s.parent) AS upper, s.parent_type AS parent_type, ifNull(p.target_id, s.parent_id) AS upper_id,
            s.said AS said
        FROM stated AS s
        LEFT JOIN named AS c ON c.name = s.child
        LEFT JOIN named AS p ON p.name = s.parent
        WHERE s.said.6 NOT IN ('alias', 'weak_alias', 'alias_of', 'weak_alias_of')
    )
    WHERE lower != upper
    GROUP BY lower, upper
    HAVING max(said).5 = 0
),
walk AS
(
    SELECT
        sipHash64('order', {order_id:String}) AS object, 'order' AS object_type, {order_id:String} AS object_id,
        sipHash64('order', {order_id:String}) AS above, 'order' AS above_type, {order_id:String} AS above_id,
        toUInt8(0) AS depth
    UNION ALL
    SELECT DISTINCT
        hanging.child, CAST(hanging.child_type AS String), hanging.child_id, pair.1, pair.2, pair.3,
        toUInt8(walk.depth + 1)
    FROM walk
    INNER JOIN hanging ON hanging.parent = walk.object
    ARRAY JOIN [
        (walk.above, walk.above_type, walk.above_id),
        (hanging.child, CAST(hanging.child_type AS String), hanging.child_id)
    ] AS pair
    WHERE walk.depth < 24
),
tree AS
(
    SELECT DISTINCT object, object_type, object_id, above, above_type, above_id FROM walk
)

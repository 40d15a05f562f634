-- Reads the tables of tower.api.order_tree. One row: a fact of the order with the objects its milestone is about (base), and whose
-- word counts on each of them. Parameters besides: milestones and their object types. authority: over facts.milestone,
-- base (type, id) and the row o of orders. Order: when it happened.
SELECT
    facts.event_id AS event_id, facts.milestone AS milestone, facts.polarity AS polarity,
    facts.object_type AS object_type, facts.object_id AS object_id, facts.occurred_at AS occurred_at,
    facts.received_at AS received_at, facts.kind AS system, facts.connection AS connection, facts.source AS source,
    facts.error AS error, facts.reason AS reason, facts.trace_id AS trace_id, facts.raw_id AS raw_id,
    facts.mapping AS mapping, arrayMap(base -> $authority, facts.bases) AS authorities,
    facts.bases AS bases
FROM
(
    SELECT
        f.*, {order_no:UInt64} AS o_no,
        transform(f.milestone, {milestones:Array(String)}, {types:Array(String)}, '') AS own_type,
        if(
            arrayExists(a -> a.1 = own_type, places.aboves),
            arrayFilter(a -> a.1 = own_type, places.aboves),
            [(CAST(f.object_type AS String), f.object_id)]
        ) AS bases
    FROM
    (
        SELECT had.* EXCEPT (object, object_id), ifNull(named.target, had.object) AS object, ifNull(named.target_id, had.object_id) AS object_id
        FROM (SELECT * FROM case_facts FINAL WHERE order_no = {order_no:UInt64}) AS had
        LEFT JOIN order_named AS named ON named.name = had.object
        LIMIT 1 BY object, ev, body
    ) AS f
    INNER JOIN
    (
        SELECT object, arraySort(groupUniqArray((above_type, above_id))) AS aboves FROM order_tree GROUP BY object
    ) AS places ON places.object = f.object
    WHERE f.occurred_at <= {as_of:DateTime64(3, 'UTC')} AND f.received_at <= {known_at:DateTime64(3, 'UTC')}
        AND (f.ev, f.body) NOT IN (SELECT ev, body FROM conflicts)
) AS facts
LEFT JOIN (SELECT * FROM $orders WHERE order_no = {order_no:UInt64}) AS o ON o.order_no = facts.o_no
ORDER BY facts.occurred_at, facts.event_id, facts.object_type, facts.object_id

-- What was reached on each object of the orders in value_scope, in the words of the authority, after its last reversal.
-- meanings: pairs of milestone and meaning. authority: whose word counts for f.milestone on its object in order o.
-- Parameters: as_of, known_at. One row: one meaning reached on one object; quantity as last stated with it. No order.
CREATE OR REPLACE TEMPORARY TABLE value_reached ENGINE = Memory AS
WITH
named AS
(
    SELECT order_no, pair.1 AS name, pair.2 AS target
    FROM value_scope
    ARRAY JOIN arrayZip(further, targets) AS pair
),
told AS
(
    SELECT
        f.order_no AS order_no, ifNull(n.target, f.object) AS object, f.object_type AS object_type,
        f.object_id AS object_id, toString(f.milestone) AS milestone, f.polarity AS polarity, f.occurred_at AS occurred_at,
        f.quantity AS quantity
    FROM
    (
        SELECT *
        FROM case_facts FINAL
        WHERE order_no IN (SELECT order_no FROM value_scope)
            AND milestone IN (arrayMap(m -> m.1, $meanings))
            AND polarity IN ('reached', 'reversed')
            AND occurred_at <= {as_of:DateTime64(3, 'UTC')} AND received_at <= {known_at:DateTime64(3, 'UTC')}
            AND (ev, body) NOT IN (SELECT ev, body FROM conflicts)
    ) AS f
    INNER JOIN value_scope AS o ON o.order_no = f.order_no
    LEFT JOIN named AS n ON n.order_no = f.order_no AND n.name = f.object
    WHERE $authority IN ('', toString(f.kind))
),
stood AS
(
    SELECT
        order_no, object, any(object_type) AS object_type, any(object_id) AS object_id, milestone,
        maxOrNullIf(occurred_at, polarity = 'reversed') AS back_at,
        arrayFirstOrNull(t -> isNull(back_at) OR t > assumeNotNull(back_at),
            arraySort(groupArrayIf(occurred_at, polarity = 'reached'))) AS first_at,
        argMaxOrNullIf(quantity, occurred_at, polarity = 'reached' AND quantity IS NOT NULL) AS stated
    FROM told
    GROUP BY order_no, object, milestone
)
SELECT
    order_no, object, any(object_type) AS object_type, any(object_id) AS object_id, meant.2 AS meaning,
    min(assumeNotNull(first_at)) AS reached_at, argMaxOrNullIf(stated, first_at, stated IS NOT NULL) AS quantity
FROM stood
ARRAY JOIN arrayFilter(m -> m.1 = milestone, $meanings) AS meant
WHERE first_at IS NOT NULL
GROUP BY order_no, object, meaning

-- Which invoice of the orders in value_scope hangs from which shipment, as last stated. Parameters: as_of, known_at.
-- One row: one pair of objects that reached `invoice` and `ship`, or might yet. No order.
CREATE OR REPLACE TEMPORARY TABLE value_links ENGINE = Memory AS
WITH
named AS
(
    SELECT order_no, pair.1 AS name, pair.2 AS target
    FROM value_scope
    ARRAY JOIN arrayZip(further, targets) AS pair
),
stated AS
(
    SELECT order_no, child, parent, max((startsWith(source, '/tower/'), occurred_at, event_id, ev, retract, CAST(relation AS String))) AS said
    FROM case_links FINAL
    WHERE order_no IN (SELECT order_no FROM value_scope)
        AND child_type IN ({below:Array(String)}) AND parent_type IN ({above:Array(String)})
        AND occurred_at <= {as_of:DateTime64(3, 'UTC')} AND received_at <= {known_at:DateTime64(3, 'UTC')}
        AND (ev, body) NOT IN (SELECT ev, body FROM conflicts)
    GROUP BY order_no, child, parent
)
SELECT s.order_no AS order_no, ifNull(c.target, s.child) AS child, ifNull(p.target, s.parent) AS parent
FROM stated AS s
LEFT JOIN named AS c ON c.order_no = s.order_no AND c.name = s.child
LEFT JOIN named AS p ON p.order_no = s.order_no AND p.name = s.parent
WHERE s.said.6 NOT IN ('alias', 'weak_alias', 'alias_of', 'weak_alias_of')
GROUP BY order_no, child, parent
HAVING max(s.said).5 = 0

-- The links that hold in the orders of seen_due with news, under the names objects go by. Reads seen_named.
-- One row: child hangs from parent in one order.
SELECT order_no, lower AS child, upper AS parent
FROM
(
    SELECT s.order_no AS order_no, ifNull(c.target, s.child) AS lower, ifNull(p.target, s.parent) AS upper, s.said AS said
    FROM
    (
        SELECT order_no, child, parent, max((startsWith(source, '/tower/'), occurred_at, event_id, ev, retract, CAST(relation AS String))) AS said
        FROM case_links FINAL
        WHERE order_no IN (SELECT order_no FROM seen_due WHERE news)
            AND (ev, body) NOT IN (SELECT ev, body FROM conflicts)
        GROUP BY order_no, child, parent
    ) AS s
    LEFT JOIN seen_named AS c ON c.order_no = s.order_no AND c.name = s.child
    LEFT JOIN seen_named AS p ON p.order_no = s.order_no AND p.name = s.parent
    WHERE s.said.6 NOT IN ('alias', 'weak_alias', 'alias_of', 'weak_alias_of')
)
WHERE lower != upper
GROUP BY order_no, lower, upper
HAVING max(said).5 = 0

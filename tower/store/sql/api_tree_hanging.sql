-- The links of one order that hold, under the names objects go by. Reads order_stated and order_named. One row: a link.
SELECT
    lower AS child, upper AS parent, any(child_type) AS child_type, any(lower_id) AS child_id,
    any(parent_type) AS parent_type, any(upper_id) AS parent_id, max(said) AS last_said
FROM
(
    SELECT
        ifNull(c.target, s.child) AS lower, s.child_type AS child_type, ifNull(c.target_id, s.child_id) AS lower_id,
        ifNull(p.target, s.parent) AS upper, s.parent_type AS parent_type, ifNull(p.target_id, s.parent_id) AS upper_id,
        s.said AS said
    FROM order_stated AS s
    LEFT JOIN order_named AS c ON c.name = s.child
    LEFT JOIN order_named AS p ON p.name = s.parent
    WHERE s.said.6 NOT IN ('alias', 'weak_alias', 'alias_of', 'weak_alias_of')
)
WHERE lower != upper
GROUP BY lower, upper
HAVING max(said).5 = 0

-- Reads the tables of tower.api.order_tree. One row: one link that holds between two objects of the order, or a further name of one of them
-- (child is the name), with who last said so. Order: parent, child.
SELECT
    child_type, child_id, parent_type, parent_id, last_said.6 AS relation, last_said.2 AS said_at, last_said.7 AS source,
    last_said.3 AS event_id
FROM
(
    SELECT child_type, child_id, parent_type, parent_id, last_said
    FROM order_hanging
    WHERE parent IN (SELECT object FROM order_tree)
    UNION ALL
    SELECT s.child_type, s.child_id, s.parent_type, s.parent_id, s.said
    FROM order_stated AS s
    INNER JOIN order_named AS named ON named.name = s.child OR named.name = s.parent
    WHERE s.said.6 IN ('alias', 'weak_alias') AND s.said.5 = 0 AND named.target IN (SELECT object FROM order_tree)
    LIMIT 1 BY s.child, s.parent
)
ORDER BY parent_type, parent_id, child_type, child_id, relation

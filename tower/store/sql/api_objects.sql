-- Follows api_tree.sql. One row: one link between two objects of the order that holds. Order: parent, child.
SELECT child_type, child_id, parent_type, parent_id, relation, said_at
FROM hanging
WHERE parent IN (SELECT object FROM tree)
ORDER BY parent_type, parent_id, child_type, child_id

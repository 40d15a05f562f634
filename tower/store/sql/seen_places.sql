-- The objects of items in seen_due with news, and all that hangs under each. Reads seen_named and seen_hanging.
-- One row: (item_id, object).
WITH RECURSIVE tree AS
(
    SELECT wanted.item_id AS item_id, wanted.order_no AS order_no, ifNull(named.target, wanted.object) AS object, toUInt8(0) AS depth
    FROM seen_due AS wanted
    LEFT JOIN seen_named AS named ON named.order_no = wanted.order_no AND named.name = wanted.object
    WHERE wanted.news
    UNION ALL
    SELECT DISTINCT tree.item_id, tree.order_no, hanging.child, toUInt8(tree.depth + 1)
    FROM tree
    INNER JOIN seen_hanging AS hanging ON hanging.order_no = tree.order_no AND hanging.parent = tree.object
    WHERE tree.depth < 24
)
SELECT DISTINCT item_id, object FROM tree

-- The objects of one order, each with what it lies under. Parameter: order_id. Reads order_hanging. One row: object (type, id)
-- lies under above (type, id) or is it.
WITH RECURSIVE walk AS
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
    INNER JOIN order_hanging AS hanging ON hanging.parent = walk.object
    ARRAY JOIN [
        (walk.above, walk.above_type, walk.above_id),
        (hanging.child, CAST(hanging.child_type AS String), hanging.child_id)
    ] AS pair
    WHERE walk.depth < 24
)
SELECT DISTINCT object, object_type, object_id, above, above_type, above_id FROM walk

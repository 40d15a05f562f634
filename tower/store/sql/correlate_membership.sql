-- List each object of the batch under its orders, or under case 0 if it has none. Written after the facts, so that
-- a run cut short does everything again.
INSERT INTO object_cases
SELECT members.object, members.order_no, names.object_type, names.object_id
FROM
(
    SELECT object, order_no FROM pairs
    UNION ALL
    SELECT object, toUInt64(0) FROM batch_objects WHERE object NOT IN (SELECT object FROM pairs)
) AS members
INNER JOIN
(
    SELECT object, any(object_type) AS object_type, any(object_id) AS object_id
    FROM
    (
        SELECT object, object_type, object_id FROM batch_objects
        UNION ALL
        SELECT DISTINCT object, object_type, object_id FROM object_cases WHERE object IN (SELECT object FROM pairs)
    )
    GROUP BY object
) AS names ON names.object = members.object
WHERE (members.object, members.order_no) NOT IN (SELECT object, order_no FROM known)

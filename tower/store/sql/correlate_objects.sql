-- One row: an object that the batch names.
SELECT DISTINCT object, object_type, object_id
FROM
(
    SELECT object, object_type, object_id FROM batch_facts
    UNION ALL
    SELECT child, child_type, child_id FROM batch_links
    UNION ALL
    SELECT parent, parent_type, parent_id FROM batch_links
)

-- What was last said about a child and a parent of one order. Parameters: order_no, as_of, known_at. One row: a pair.
SELECT
    child, parent, any(child_type) AS child_type, any(child_id) AS child_id, any(parent_type) AS parent_type,
    any(parent_id) AS parent_id,
    max((startsWith(source, '/tower/'), occurred_at, event_id, ev, retract, CAST(relation AS String), source)) AS said
FROM case_links FINAL
WHERE order_no = {order_no:UInt64}
    AND occurred_at <= {as_of:DateTime64(3, 'UTC')} AND received_at <= {known_at:DateTime64(3, 'UTC')}
    AND (ev, body) NOT IN (SELECT ev, body FROM conflicts)
    AND child NOT IN (SELECT object FROM wide_objects FINAL)
    AND parent NOT IN (SELECT object FROM wide_objects FINAL)
GROUP BY child, parent

-- The breaches of one order, open and resolved; a retracted one never was. Parameter: order_no. breaches: the table.
-- Order: latest opened first.
SELECT breach_id, rule, kind, object_type, object_id, state, opened_at, detected_at, resolved_at, milestone, system, error, evidence
FROM $breaches
WHERE order_no = {order_no:UInt64} AND state != 'retracted'
ORDER BY opened_at DESC, rule, object_id

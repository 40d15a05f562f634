-- The feed_late findings ever opened; case 0 belongs to no order. One row: one feed; no order.
SELECT object_id AS connection, system, state, opened_at, detected_at, resolved_at, evidence
FROM breaches FINAL
WHERE order_no = 0 AND kind = 'feed_late'

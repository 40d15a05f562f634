-- Breaches with what their order is now. changed from tower/alerts/reader.py: which. Parameter: since. One row: one breach;
-- no order.
SELECT
    b.breach_id, b.state, b.opened_at, b.detected_at, coalesce(b.resolved_at, b.retracted_at) AS over_at, b.order_no,
    b.order_id, b.rule, b.kind, b.object_type, b.object_id,
    if(b.kind = 'escalated', ifNull(o.next_milestone, ''), b.milestone) AS milestone,
    if(b.kind = 'escalated', ifNull(o.system, ''), b.system) AS system, b.error, o.priority AS priority,
    o.reporting_amount AS amount, o.quantity AS quantity, o.value_at_risk AS value, o.currency AS currency,
    o.customer_id AS customer_id, o.customer_tier AS customer_tier, o.channel AS channel, o.order_type AS order_type,
    o.company AS company, o.warehouse AS warehouse, o.partner AS partner
FROM
(
    SELECT * FROM breaches FINAL
    WHERE (order_no, rule, kind, object) IN (SELECT order_no, rule, kind, object FROM $changed)
) AS b
LEFT JOIN
(
    SELECT * FROM orders FINAL
    WHERE order_no IN (SELECT order_no FROM $changed)
) AS o ON o.order_no = b.order_no

-- What was tried already, for the orders and objects of a page. Parameters: order_nos, objects, own (an action_id whose
-- items do not count). One row: one (order, object, rulebook action); a shared object comes with the items of every
-- order. No order.
SELECT
    order_no, object, rule_action,
    sum(attempts) AS sends,
    sumIf(attempts, state != 'verified') AS spent,
    countIf(state != 'cancelled') AS begun,
    max(state IN ('requested', 'approved', 'sent', 'accepted')) AS in_flight
FROM action_items FINAL
WHERE (order_no IN {order_nos:Array(UInt64)} OR object IN {objects:Array(UInt64)}) AND action_id != {own:String}
GROUP BY order_no, object, rule_action

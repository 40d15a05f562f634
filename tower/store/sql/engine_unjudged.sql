-- Orders in scope that have nothing to show at the moment: their first fact still lies ahead, or lost a conflict.
-- Parameters: now.
INSERT INTO orders (order_no, order_id, next_at, judged_at)
SELECT scope.order_no, scope.order_id, ifNull(ahead.next_at, toDateTime64('2200-01-01 00:00:00', 3, 'UTC')),
    {now:DateTime64(3, 'UTC')}
FROM scope
LEFT JOIN judged_ahead AS ahead ON ahead.order_no = scope.order_no
WHERE scope.order_no NOT IN (SELECT order_no FROM judged_orders)

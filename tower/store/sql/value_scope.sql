-- The orders that a window can hold. orders: the table. Parameters: since, until. One row: one order. No order.
CREATE OR REPLACE TEMPORARY TABLE value_scope ENGINE = Memory AS
SELECT
    order_no, order_id, toString(state) AS state, closed_at, started_at, toString(priority) AS priority,
    amount, currency, reporting_amount, quantity, customer_id, customer_tier, channel, order_type, company, warehouse,
    partner, promised_at, requested_at, own, names.name AS further, names.target AS targets
FROM $orders
WHERE on_board AND started_at < {until:DateTime64(3, 'UTC')}
    AND (closed_at IS NULL OR closed_at >= {since:DateTime64(3, 'UTC')})

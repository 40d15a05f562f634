-- Invoices released by the end of the window of which nothing had left by then: no shipment that they hang from, or, for
-- those that hang from none, no shipment of the order. Parameter: until. One row: one invoice of one order; measure:
-- seconds since it was released; amount: the order's, shared among its invoices. No order.
SELECT
    i.order_no AS order_no, s.order_id AS order_id, '' AS stage, i.object_id AS thing, i.reached_at AS at,
    CAST(dateDiff('millisecond', at, {until:DateTime64(3, 'UTC')}) / 1000 AS Nullable(Float64)) AS measure,
    CAST(NULL AS Nullable(Float64)) AS other, toUInt8(1) AS good,
    CAST(s.reporting_amount / n.invoices AS Nullable(Decimal(38, 6))) AS amount, toUInt8(s.reporting_amount IS NULL) AS unpriced
FROM value_reached AS i
INNER JOIN value_scope AS s ON s.order_no = i.order_no
INNER JOIN (SELECT order_no, count() AS invoices FROM value_reached WHERE meaning = 'invoice' GROUP BY order_no) AS n
    ON n.order_no = i.order_no
WHERE i.meaning = 'invoice' AND at < {until:DateTime64(3, 'UTC')} AND s.state != 'cancelled'
    AND (i.order_no, i.object) NOT IN
    (
        SELECT l.order_no, l.child
        FROM value_links AS l
        INNER JOIN value_reached AS g ON g.order_no = l.order_no AND g.object = l.parent
        WHERE g.meaning = 'ship' AND g.reached_at < {until:DateTime64(3, 'UTC')}
    )
    AND ((i.order_no, i.object) IN (SELECT order_no, child FROM value_links) OR i.order_no NOT IN
    (
        SELECT order_no FROM value_reached WHERE meaning = 'ship' AND reached_at < {until:DateTime64(3, 'UTC')}
    ))

-- Shipments that had left by the end of the window and had no invoice by then: none that hangs from them, and none of the
-- order that hangs from no shipment. Parameter: until. One row: one shipment of one order; measure: seconds since it
-- left; amount: the order's, shared among its shipments. No order.
SELECT
    g.order_no AS order_no, s.order_id AS order_id, '' AS stage, g.object_id AS thing, g.reached_at AS at,
    CAST(dateDiff('millisecond', at, {until:DateTime64(3, 'UTC')}) / 1000 AS Nullable(Float64)) AS measure,
    CAST(NULL AS Nullable(Float64)) AS other, toUInt8(1) AS good,
    CAST(s.reporting_amount / n.shipments AS Nullable(Decimal(38, 6))) AS amount, toUInt8(s.reporting_amount IS NULL) AS unpriced
FROM value_reached AS g
INNER JOIN value_scope AS s ON s.order_no = g.order_no
INNER JOIN (SELECT order_no, count() AS shipments FROM value_reached WHERE meaning = 'ship' GROUP BY order_no) AS n
    ON n.order_no = g.order_no
WHERE g.meaning = 'ship' AND at < {until:DateTime64(3, 'UTC')} AND s.state != 'cancelled'
    AND (g.order_no, g.object) NOT IN
    (
        SELECT l.order_no, l.parent
        FROM value_links AS l
        INNER JOIN value_reached AS i ON i.order_no = l.order_no AND i.object = l.child
        WHERE i.meaning = 'invoice' AND i.reached_at < {until:DateTime64(3, 'UTC')}
    )
    AND g.order_no NOT IN
    (
        SELECT order_no
        FROM value_reached
        WHERE meaning = 'invoice' AND reached_at < {until:DateTime64(3, 'UTC')}
            AND (order_no, object) NOT IN (SELECT order_no, child FROM value_links)
    )

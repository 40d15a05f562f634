-- Shipments that were first invoiced within the window. Parameters: since, until. open: the open seconds from since_at to at.
-- One row: one shipment of one order; measure: open seconds from shipping to its first invoice, other: elapsed seconds;
-- amount: the order's, shared among its shipments. No order.
$with
SELECT
    b.order_no AS order_no, s.order_id AS order_id, '' AS stage, b.object_id AS thing, b.at AS at, b.since_at AS since_at,
    CAST(greatest($open, 0) AS Nullable(Float64)) AS measure,
    CAST(greatest(dateDiff('millisecond', since_at, at), 0) / 1000 AS Nullable(Float64)) AS other, toUInt8(1) AS good,
    CAST(s.reporting_amount / n.shipments AS Nullable(Decimal(38, 6))) AS amount, toUInt8(s.reporting_amount IS NULL) AS unpriced
FROM
(
    SELECT
        g.order_no AS order_no, g.object AS object, any(g.object_id) AS object_id, any(g.reached_at) AS since_at,
        min(i.reached_at) AS at
    FROM (SELECT * FROM value_reached WHERE meaning = 'ship') AS g
    INNER JOIN value_links AS l ON l.order_no = g.order_no AND l.parent = g.object
    INNER JOIN (SELECT * FROM value_reached WHERE meaning = 'invoice') AS i ON i.order_no = l.order_no AND i.object = l.child
    GROUP BY g.order_no, g.object
) AS b
INNER JOIN value_scope AS s ON s.order_no = b.order_no
INNER JOIN (SELECT order_no, count() AS shipments FROM value_reached WHERE meaning = 'ship' GROUP BY order_no) AS n
    ON n.order_no = b.order_no
WHERE at >= {since:DateTime64(3, 'UTC')} AND at < {until:DateTime64(3, 'UTC')}

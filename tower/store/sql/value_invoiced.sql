-- Invoices released within the window. Parameters: since, until. open: the open seconds from since_at to at.
-- One row: one invoice of one order; measure: open seconds since the order came in, other: elapsed seconds; amount: the
-- order's, shared among its invoices. No order.
$with
SELECT
    i.order_no AS order_no, s.order_id AS order_id, '' AS stage, i.object_id AS thing, i.reached_at AS at,
    assumeNotNull(o.since_at) AS since_at,
    CAST(greatest($open, 0) AS Nullable(Float64)) AS measure,
    CAST(greatest(dateDiff('millisecond', since_at, at), 0) / 1000 AS Nullable(Float64)) AS other, toUInt8(1) AS good,
    CAST(s.reporting_amount / o.invoices AS Nullable(Decimal(38, 6))) AS amount, toUInt8(s.reporting_amount IS NULL) AS unpriced
FROM value_reached AS i
INNER JOIN value_scope AS s ON s.order_no = i.order_no
INNER JOIN
(
    SELECT order_no, minIf(reached_at, meaning = 'order') AS since_at, countIf(meaning = 'invoice') AS invoices
    FROM value_reached
    GROUP BY order_no
    HAVING countIf(meaning = 'order') > 0
) AS o ON o.order_no = i.order_no
WHERE i.meaning = 'invoice' AND at >= {since:DateTime64(3, 'UTC')} AND at < {until:DateTime64(3, 'UTC')}

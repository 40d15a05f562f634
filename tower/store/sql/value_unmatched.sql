-- What had reached one meaning by the end of the window while nothing it belongs with had reached the other by then:
-- shipments without an invoice, or invoices without a shipment. An invoice belongs with the shipments it hangs from; one that
-- hangs from none, with all of its order. thing, other: the meanings, ship and invoice or the reverse. Parameter: until.
-- One row: one thing of one order; measure: seconds since it was reached; amount: the order's, shared among its things. No order.
WITH
pairs AS
(
    SELECT order_no, parent AS ship, child AS invoice
    FROM value_links
    UNION ALL
    SELECT i.order_no, g.object, i.object
    FROM value_reached AS i
    INNER JOIN value_reached AS g ON g.order_no = i.order_no
    WHERE i.meaning = 'invoice' AND g.meaning = 'ship' AND (i.order_no, i.object) NOT IN (SELECT order_no, child FROM value_links)
)
SELECT
    t.order_no AS order_no, s.order_id AS order_id, '' AS stage, t.object_id AS thing, t.reached_at AS at,
    CAST(dateDiff('millisecond', at, {until:DateTime64(3, 'UTC')}) / 1000 AS Nullable(Float64)) AS measure,
    CAST(NULL AS Nullable(Float64)) AS other, toUInt8(1) AS good,
    CAST(s.reporting_amount / n.things AS Nullable(Decimal(38, 6))) AS amount, toUInt8(s.reporting_amount IS NULL) AS unpriced
FROM value_reached AS t
INNER JOIN value_scope AS s ON s.order_no = t.order_no
INNER JOIN (SELECT order_no, count() AS things FROM value_reached WHERE meaning = '$thing' GROUP BY order_no) AS n
    ON n.order_no = t.order_no
WHERE t.meaning = '$thing' AND at < {until:DateTime64(3, 'UTC')} AND s.state != 'cancelled'
    AND (t.order_no, t.object) NOT IN
    (
        SELECT p.order_no, p.$thing
        FROM pairs AS p
        INNER JOIN value_reached AS o ON o.order_no = p.order_no AND o.object = p.$other
        WHERE o.meaning = '$other' AND o.reached_at < {until:DateTime64(3, 'UTC')}
    )

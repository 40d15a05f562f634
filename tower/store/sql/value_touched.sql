-- What people did about orders and messages within the window, from the audit; the engine's own acts are left out.
-- Parameters: since, until, known_at. One row: one order in one act (one click may be about many orders; `thing` is the
-- act, order_no 0 where it is about no order). No order.
SELECT
    ifNull(n.order_no, 0) AS order_no, a.order_id AS order_id, a.stage AS stage, a.thing AS thing, a.touched_at AS at,
    CAST(NULL AS Nullable(Float64)) AS measure, CAST(NULL AS Nullable(Float64)) AS other, toUInt8(1) AS good,
    CAST(NULL AS Nullable(Decimal(38, 6))) AS amount, toUInt8(0) AS unpriced
FROM
(
    SELECT
        JSONExtractString(detail, 'order_id') AS order_id, JSONExtractString(detail, 'stage') AS stage,
        if(JSONExtractString(detail, 'action') != '', splitByChar('/', subject)[1], concat(act, ' ', subject)) AS thing, min(audit.at) AS touched_at
    FROM audit
    WHERE actor != 'engine' AND act IN ($acts) AND audit.at >= {since:DateTime64(3, 'UTC')} AND audit.at < {until:DateTime64(3, 'UTC')}
        AND audit.at <= {known_at:DateTime64(3, 'UTC')}
    GROUP BY order_id, stage, thing
) AS a
LEFT JOIN (SELECT order_no, order_id FROM order_objects FINAL) AS n ON n.order_id = a.order_id

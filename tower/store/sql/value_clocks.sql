-- Clocks with a deadline that stopped within the window. orders: the table. Parameters: since, until.
-- One row: one clock; measure: open seconds used, other: elapsed seconds, good: in time. No order.
SELECT
    order_no, order_id, toString(clock.1) AS stage, clock.2 AS thing, assumeNotNull(clock.4) AS at,
    CAST(clock.5 AS Nullable(Float64)) AS measure,
    CAST(dateDiff('millisecond', clock.3, at) / 1000 AS Nullable(Float64)) AS other, toUInt8(at <= assumeNotNull(clock.6)) AS good,
    CAST(NULL AS Nullable(Decimal(38, 6))) AS amount, toUInt8(0) AS unpriced
FROM $orders
ARRAY JOIN arrayZip(
    clocks.rule, clocks.object_id, clocks.started_at, clocks.stopped_at, clocks.used_s, clocks.due_at, clocks.state,
    clocks.provisional
) AS clock
WHERE on_board AND clock.7 = 'stopped' AND NOT clock.8 AND clock.6 IS NOT NULL
    AND clock.4 >= {since:DateTime64(3, 'UTC')} AND clock.4 < {until:DateTime64(3, 'UTC')}

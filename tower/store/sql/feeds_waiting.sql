-- What waits for each feed. One row: one connection with the open orders whose verdict waits for it; no order.
SELECT
    feed AS connection, count() AS orders, countIf(state = 'unknown') AS unknown,
    sumIf(value_at_risk, state = 'unknown') AS value
FROM (SELECT state, value_at_risk, arrayJoin(arrayDistinct(waits_for)) AS feed FROM orders FINAL WHERE on_board AND closed_at IS NULL AND notEmpty(waits_for))
GROUP BY feed

-- Sums over the rows of one of the value_*.sql queries. bucket: the text by which they are told apart, units: the query.
-- One row: one bucket. Quantiles are values that occurred. Order: bucket.
SELECT
    $bucket AS bucket, count() AS units, uniqExact(thing) AS things, uniqExactIf(order_no, order_no != 0) AS orders,
    countIf(good) AS good_units, countIf(measure IS NOT NULL) AS measured, sum(measure) AS measure_sum, sum(other) AS other_sum,
    quantileExactOrNull(0.5)(measure) AS measure_p50, quantileExactOrNull(0.9)(measure) AS measure_p90,
    quantileExactOrNull(0.5)(other) AS other_p50, quantileExactOrNull(0.9)(other) AS other_p90,
    sum(amount) AS amount_sum, sumIf(amount, good) AS good_amount, sum(unpriced) AS unpriced_units,
    sum(toFloat64(amount) * other) AS amount_seconds
FROM ($units)
GROUP BY bucket
ORDER BY bucket

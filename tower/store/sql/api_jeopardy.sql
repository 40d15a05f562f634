-- How predictions came out. Parameters: since, share (the age from which the plain rule expects a breach). One row: a stage
-- and a tenth of the odds; squared_* are sums over its predictions. Order: stage, tenth.
SELECT
    rule, least(9, toUInt8(floor(odds * 10))) AS tenth, count() AS predictions, sum(odds) AS predicted, sum(bad) AS breached,
    sum(pow(odds - bad, 2)) AS squared_odds, sum(pow((used_ms >= budget_ms * {share:Float64}) - bad, 2)) AS squared_share
FROM
(
    SELECT toString(rule) AS rule, odds, used_ms, budget_ms, toUInt8(outcome = 'breached') AS bad
    FROM predictions FINAL
    WHERE outcome IN ('breached', 'kept') AND made_at >= {since:DateTime64(3, 'UTC')}
)
GROUP BY rule, tenth
ORDER BY rule, tenth

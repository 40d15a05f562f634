-- How many predictions wait for their outcome, and of how many nobody will know it. Parameter: since. One row: a stage.
SELECT toString(rule) AS rule, countIf(outcome = '') AS waiting, countIf(outcome = 'gone') AS gone
FROM predictions FINAL
WHERE made_at >= {since:DateTime64(3, 'UTC')}
GROUP BY rule

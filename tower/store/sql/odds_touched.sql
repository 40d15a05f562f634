-- Open orders with a running clock of some stages, which new curves may judge otherwise. Parameter: stages.
INSERT INTO touched
SELECT order_no
FROM orders FINAL
WHERE closed_at IS NULL
    AND arrayExists((rule, state) -> state IN ('running', 'paused') AND has({stages:Array(String)}, CAST(rule AS String)), clocks.rule, clocks.state)

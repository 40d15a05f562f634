-- How targets did lately. Parameters: targets, since. One row: one target with its items that were verified, that ended
-- without effect or failed, and that are under way. No order.
SELECT
    JSONExtractString(request, 'target') AS target,
    countIf(state = 'verified') AS verified,
    countIf(state IN ('no_effect', 'duplicated', 'regressed', 'failed', 'expired')) AS unwell,
    countIf(state IN ('sent', 'accepted')) AS under_way
FROM action_items FINAL
WHERE (updated_at >= {since:DateTime64(3, 'UTC')} OR state IN ('sent', 'accepted')) AND has({targets:Array(String)}, target)
GROUP BY target

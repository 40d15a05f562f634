-- Items that are due and not on their way yet, by target. Parameter: now. One row: (target, items). No order.
SELECT JSONExtractString(request, 'target') AS target, count() AS items
FROM action_items FINAL
WHERE state = 'requested' OR (state = 'sent' AND next_at <= {now:DateTime64(3, 'UTC')})
GROUP BY target

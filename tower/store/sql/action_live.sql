-- Items that still need the engine: in flight, verified and still watched, or cancelled by a person and not yet in the
-- audit. Parameter: now. One row: one item, all columns (columns). Order: as asked for.
SELECT $columns
FROM action_items FINAL
WHERE state IN ('requested', 'approved', 'sent', 'accepted') OR (state = 'cancelled' AND finished_at IS NULL)
    OR (state = 'verified' AND verify_by >= {now:DateTime64(3, 'UTC')})
ORDER BY requested_at, item_id

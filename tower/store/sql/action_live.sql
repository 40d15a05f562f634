-- Items that still need the engine: in flight, or cancelled by a person and not yet in the audit.
-- One row: one item, all columns (columns). Order: as asked for.
SELECT $columns
FROM action_items FINAL
WHERE state IN ('requested', 'approved', 'sent', 'accepted') OR (state = 'cancelled' AND finished_at IS NULL)
ORDER BY requested_at, item_id

-- The items that wait for the facts: accepted, unanswered, or verified and still watched, with their contracts.
-- Parameter: now. One row: one item; noted is the instant before it was sent, latest when the contract's time ends.
SELECT
    item_id, order_no, object, JSONExtractString(contract, 'milestone') AS milestone,
    JSONExtractString(contract, 'system') AS system, JSONExtract(contract, 'once', 'Array(String)') AS once,
    JSONHas(contract, 'keep') AND JSONType(contract, 'keep') = 'Array' AS chosen,
    JSONExtract(contract, 'keep', 'Array(String)') AS keep,
    assumeNotNull(noted_at) AS noted, ifNull(verify_by, {now:DateTime64(3, 'UTC')}) AS latest,
    ifNull(verify_by <= {now:DateTime64(3, 'UTC')}, 0) AS over
FROM action_items FINAL
WHERE state = 'accepted' OR (state = 'sent' AND next_at IS NOT NULL)
    OR (state = 'verified' AND verify_by >= {now:DateTime64(3, 'UTC')})

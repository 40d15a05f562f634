-- The latest lines of the ledger. Parameters: known_at, limit. One row: one line. Order: the latest first.
SELECT
    computed_at, kind, figure, since, until, stage, item_id, order_id, value, low, high, amount, treated, matched, twins,
    reason, currency, rate_date, book
FROM value_ledger
WHERE computed_at <= {known_at:DateTime64(3, 'UTC')} AND kind = {kind:String}
ORDER BY computed_at DESC, entry_id
LIMIT {limit:UInt32}

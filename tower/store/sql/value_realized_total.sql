-- What the ledger holds as realized of acts proved within a window. Parameters: since, until, known_at.
-- One row: one stage. Order: stage.
SELECT stage, sum(value) AS acts, sum(counted) AS amount, sum(unpriced) AS not_priced
FROM
(
    SELECT stage, value, amount * toInt8(value) AS counted, toInt8(amount IS NULL) * toInt8(value) AS unpriced
    FROM value_ledger
    WHERE kind = 'realized' AND until >= {since:DateTime64(3, 'UTC')} AND until < {until:DateTime64(3, 'UTC')}
        AND computed_at <= {known_at:DateTime64(3, 'UTC')}
)
GROUP BY stage
ORDER BY stage

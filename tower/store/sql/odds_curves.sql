-- The survival curves in force at a moment. Parameters: at, least (ended clocks a curve needs).
CREATE OR REPLACE TEMPORARY TABLE odds_curves ENGINE = Memory AS
SELECT toString(rule) AS rule, toString(segment) AS segment, at_ms, alive
FROM curves FINAL
WHERE built_at = (SELECT max(built_at) FROM curves WHERE built_at <= {at:DateTime64(3, 'UTC')})
    AND ended >= {least:UInt64}

-- The survival curves in force at a moment that rest on enough cases. Parameters: at, least.
CREATE OR REPLACE TEMPORARY TABLE known_curves ENGINE = Memory AS
SELECT built_at, toString(rule) AS rule, toString(segment) AS segment, at_ms, alive, watched
FROM curves FINAL
WHERE built_at = (SELECT max(built_at) FROM curves WHERE built_at <= {at:DateTime64(3, 'UTC')}) AND ended >= {least:UInt64}

-- Give the open quarantined parts of the messages {raw_ids} that were stored before {before_ms} the state replayed.
INSERT INTO quarantine
SELECT * REPLACE ('replayed' AS state, version + 1 AS version)
FROM
(
    SELECT *
    FROM quarantine FINAL
    WHERE raw_id IN {raw_ids:Array(String)} AND state = 'open' AND reason != 'conflict'
        AND stored_at < fromUnixTimestamp64Milli({before_ms:Int64}, 'UTC')
)

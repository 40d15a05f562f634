-- What has drifted and nobody accepted. One row: connection, new fields, changed types, unknown codes.
SELECT
    connection, countIf(kind = 'field' AND was = '') AS new_fields, countIf(kind = 'field' AND was != '') AS changed_types,
    countIf(kind = 'code') AS unknown_codes
FROM shapes FINAL
WHERE drifted = 1
GROUP BY connection

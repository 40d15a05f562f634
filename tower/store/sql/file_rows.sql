-- The rows of a connection as its last file left them: (key, hash, version), by key. Parameter: connection.
SELECT key, argMax(hash, version) AS said, max(version) AS last
FROM file_rows
WHERE connection = {connection:String}
GROUP BY key
ORDER BY key

-- How many messages of each connection wait in quarantine. One row: one connection; no order.
SELECT connection, count() AS messages
FROM quarantine FINAL
WHERE state = 'open'
GROUP BY connection

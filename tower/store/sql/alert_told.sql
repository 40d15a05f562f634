-- Notices of the alerts that are not closed: what was told. One row: one notice; order: by their number.
SELECT DISTINCT alert_id, number, receiver, reason, at
FROM notices FINAL
WHERE alert_id IN (SELECT alert_id FROM alerts FINAL WHERE closed_at IS NULL)
ORDER BY number, receiver

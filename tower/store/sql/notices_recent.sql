-- Notices that caps count, and those held back. Parameter: since. One row: one notice; order: by time.
WITH covered AS (SELECT arrayJoin(covers) FROM notices FINAL WHERE reason = 'summary')
SELECT DISTINCT notice_id, alert_id, receiver, priority, at, state = 'held' AS held
FROM notices FINAL
WHERE (at > {since:DateTime64(3, 'UTC')} AND state != 'held') OR (state = 'held' AND notice_id NOT IN covered)
ORDER BY at, notice_id

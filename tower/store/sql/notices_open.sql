-- Notices that are not at their end. One row: one notice on one way; order: the most urgent first.
SELECT notice_id, channel, alert_id, number, receiver, reason, priority, at, body, covers, urgent, state, attempts, next_at,
    sent_at, detail
FROM notices FINAL
WHERE state IN ('due', 'sending')
ORDER BY if(priority = '', '~', priority), at, notice_id

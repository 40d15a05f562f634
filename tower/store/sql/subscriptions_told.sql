-- What receivers were told. Parameter: receivers. One row: one receiver with its number of notices and the latest.
SELECT receiver, uniqExact(notice_id) AS told, max(at) AS told_at
FROM notices FINAL
WHERE receiver IN {receivers:Array(String)} AND reason != 'confirm' AND state IN ('sent', 'due', 'sending')
GROUP BY receiver

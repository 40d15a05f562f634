-- Orders with a clock that waited for a feed which has now been heard far enough.
INSERT INTO touched
WITH (SELECT groupArray((kind, company, warehouse, partner, watermark)) FROM feed_marks) AS marks
SELECT order_no
FROM orders FINAL
WHERE on_board AND closed_at IS NULL AND notEmpty(waits_for)
    AND arrayExists((kind, until) ->
        arrayFold((least_mark, f) -> if(f.1 = kind AND (f.2 = '' OR f.2 = company) AND (f.3 = '' OR f.3 = warehouse)
            AND (f.4 = '' OR f.4 = partner), least(least_mark, f.5), least_mark),
            marks, toDateTime64('2200-01-01 00:00:00', 3, 'UTC')) > until,
        waits_for, waits_until)

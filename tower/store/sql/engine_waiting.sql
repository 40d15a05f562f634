-- Orders with a clock that waited for a feed which has now been heard far enough, or is no longer there. Closed ones
-- too: whether a clock that ended with its order had been late is told by its feed.
INSERT INTO touched
WITH
    (SELECT groupArray((connection, watermark)) FROM feed_marks) AS marks,
    arrayMap(f -> f.1, marks) AS connections
SELECT order_no
FROM orders FINAL
WHERE notEmpty(waits_for)
    AND arrayExists(
        (name, until) -> NOT has(connections, CAST(name AS String))
            OR arrayExists(f -> f.1 = CAST(name AS String) AND f.2 > until, marks),
        waits_for, waits_until)

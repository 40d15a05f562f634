-- The numbers heard of each numbering. Parameters: connections, since (a day).
-- One row: one block of 4,096: least and greatest heard, what is missing between, and (day, least, greatest) of each day.
-- Order: connection, numbering, number.
SELECT
    connection, sequence_of, bitmapMin(held) AS least, bitmapMax(held) AS most,
    if(bitmapCardinality(held) = most - least + 1, [], arrayFilter(n -> NOT bitmapContains(held, n), range(least, most + 1))) AS missing,
    days
FROM
(
    SELECT
        connection, sequence_of, block, groupBitmapMergeState(heard) AS held,
        arraySort(groupArray((day, bitmapMin(heard), bitmapMax(heard)))) AS days
    FROM
    (
        SELECT connection, sequence_of, block, day, groupBitmapMergeState(numbers) AS heard
        FROM heard_numbers
        WHERE connection IN {connections:Array(String)} AND day >= {since:Date}
        GROUP BY connection, sequence_of, block, day
    )
    GROUP BY connection, sequence_of, block
)
ORDER BY connection, sequence_of, least

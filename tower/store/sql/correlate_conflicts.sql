-- Bodies that lose: the smallest hash under one identity wins, whatever came first.
INSERT INTO conflicts
SELECT ev, arrayJoin(arrayFilter(b -> b != arrayMin(bodies), bodies)) AS body
FROM
(
    SELECT ev, groupUniqArray(body) AS bodies
    FROM identities
    WHERE ev IN (SELECT ev FROM batch)
    GROUP BY ev
    HAVING length(bodies) > 1
)
WHERE (ev, body) NOT IN (SELECT ev, body FROM conflicts)

-- Bodies that lose and were not known to: the smallest hash under one identity wins, whatever came first.
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

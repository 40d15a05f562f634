-- Bodies that lose and were not known to. Under one identity the highest rank wins, and among equals the smallest hash,
-- whatever came first. superseded: the winner is of a higher rank, so nobody made a mistake.
SELECT ev, loser.2 AS body, loser.1 != best.1 AS superseded
FROM
(
    SELECT ev, arraySort(groupUniqArray((bitNot(rank), body))) AS ranked, ranked[1] AS best
    FROM identities
    WHERE ev IN (SELECT ev FROM batch)
    GROUP BY ev
    HAVING length(ranked) > 1
)
ARRAY JOIN arrayPopFront(ranked) AS loser
WHERE (ev, body) NOT IN (SELECT ev, body FROM conflicts)

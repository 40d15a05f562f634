-- What the temporary table `again`, all of rank 0, says against what is in force. One row: source, event_id; known: the
-- event was stated before, with the rank and mapping now in force; said: with this content, ever; holds: this content is
-- in force. No order. A content's hash is its body without the rank, see migration 0005.
SELECT
    again.source AS source, again.event_id AS event_id, again.mapping AS mapping,
    notEmpty(stated.contents) AS known, stated.top.1 AS rank, stated.top.3 AS made_by,
    has(stated.contents, again.body) AS said, stated.top.2 = again.body AS holds
FROM again
LEFT JOIN
(
    SELECT
        ev,
        groupUniqArray(content) AS contents,
        argMin((rank, content, CAST(mapping AS String)), (bitNot(rank), body)) AS top
    FROM
    (
        SELECT ev, body, rank, mapping, bitXor(body, rank * 11400714819323198485) AS content
        FROM identities
        WHERE ev IN (SELECT ev FROM again)
    )
    GROUP BY ev
) AS stated ON stated.ev = again.ev

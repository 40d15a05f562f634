-- What the facts say about the items of seen_due with news. authority: whose word counts for facts.milestone on its object
-- in order o. Reads seen_orders, seen_named and seen_places.
-- One row: (item_id, first_at, seen, standing, harm). first_at: when the contract's milestone occurred, on the item's
-- object or anything under it in its order, in time, heard after the noted instant, and not taken back since.
-- standing: (milestone, object, heard since) of milestones that may stand on one object only. harm: (milestone, what, when)
-- of what had been reached before the noted instant and is not any more. No order.
WITH
facts AS
(
    SELECT
        f.order_no AS order_no, ifNull(named.target, f.object) AS object, f.object_id AS object_id, f.milestone AS milestone,
        f.kind AS kind, f.polarity AS polarity, f.occurred_at AS occurred_at, f.received_at AS received_at
    FROM
    (
        SELECT order_no, object, object_id, milestone, kind, polarity, occurred_at, received_at
        FROM case_facts FINAL
        WHERE order_no IN (SELECT order_no FROM seen_due WHERE news) AND (ev, body) NOT IN (SELECT ev, body FROM conflicts)
    ) AS f
    LEFT JOIN seen_named AS named ON named.order_no = f.order_no AND named.name = f.object
),
told AS
(
    SELECT
        wanted.item_id AS item, facts.milestone AS milestone, any(facts.object_id) AS object_id,
        max(ifNull(places.object, 0) = facts.object AND places.item_id IS NOT NULL) AS inside,
        any(wanted.milestone) = facts.milestone AS is_wanted,
        groupArrayIf(
            facts.occurred_at,
            facts.polarity = 'reached' AND facts.received_at > wanted.noted AND facts.occurred_at <= wanted.latest
        ) AS reached,
        maxIf(facts.occurred_at, facts.polarity = 'reversed') AS reversed,
        maxIf(facts.occurred_at, facts.polarity = 'reached') AS stood_at,
        minIf(facts.received_at, facts.polarity = 'reached') > any(wanted.noted) AS fresh,
        countIf(facts.polarity = 'reached' AND facts.received_at <= wanted.noted) > 0 AS was_there,
        argMaxIf(
            CAST(facts.polarity AS String), facts.occurred_at,
            facts.polarity != 'reached' AND facts.received_at > wanted.noted AND facts.occurred_at > wanted.noted
        ) AS hurt_by,
        maxIf(
            facts.occurred_at,
            facts.polarity != 'reached' AND facts.received_at > wanted.noted AND facts.occurred_at > wanted.noted
        ) AS hurt_at,
        has(any(wanted.once), facts.milestone) AS single,
        was_there AND hurt_at > stood_at AND NOT is_wanted
            AND (NOT any(wanted.chosen) OR has(any(wanted.keep), facts.milestone)) AS harmed,
        arrayFilter(at -> at > reversed, reached) AS counts
    FROM seen_due AS wanted
    INNER JOIN facts ON facts.order_no = wanted.order_no
    LEFT JOIN seen_orders AS o ON o.order_no = wanted.order_no
    LEFT JOIN seen_places AS places ON places.item_id = wanted.item_id AND places.object = facts.object
    WHERE wanted.news
        AND (facts.milestone != wanted.milestone OR if(wanted.system != '', wanted.system, $authority) IN ('', facts.kind))
    GROUP BY wanted.item_id, facts.milestone, facts.object
)
SELECT
    item AS item_id,
    minIf(arrayMin(counts), inside AND is_wanted AND notEmpty(counts)) AS first_at,
    countIf(inside AND is_wanted AND notEmpty(counts)) > 0 AS seen,
    groupArrayIf((milestone, object_id, fresh), inside AND single AND stood_at > reversed) AS standing,
    groupArrayIf((milestone, hurt_by, hurt_at), harmed) AS harm
FROM told
GROUP BY item

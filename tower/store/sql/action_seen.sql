-- What the facts say about every item that waits for them: accepted, unanswered, or verified and still watched. asked:
-- all whose word can count for wanted.milestone on the item's object in order o. authority: whose word counts for
-- facts.milestone on its object. Parameter: now.
-- One row: (item_id, asked, first_at, seen, standing, harm). first_at: when the contract's milestone occurred, on the
-- item's object or anything under it in its order, in time, heard after the noted instant, and not taken back since.
-- standing: (milestone, object, heard since) of milestones that may stand on one object only. harm: (milestone, what, when)
-- of what had been reached before the noted instant and is not any more. No order.
WITH RECURSIVE
wanted AS
(
    SELECT
        item_id, order_no, object, JSONExtractString(contract, 'milestone') AS milestone,
        JSONExtractString(contract, 'system') AS system, JSONExtract(contract, 'once', 'Array(String)') AS once,
        JSONHas(contract, 'keep') AND JSONType(contract, 'keep') = 'Array' AS chosen,
        JSONExtract(contract, 'keep', 'Array(String)') AS keep,
        assumeNotNull(noted_at) AS noted, ifNull(verify_by, {now:DateTime64(3, 'UTC')}) AS latest
    FROM action_items FINAL
    WHERE state = 'accepted' OR (state = 'sent' AND next_at IS NOT NULL)
        OR (state = 'verified' AND verify_by >= {now:DateTime64(3, 'UTC')})
),
judged AS
(
    SELECT * FROM orders FINAL WHERE order_no IN (SELECT order_no FROM wanted)
),
named AS
(
    SELECT order_no, pair.1 AS name, pair.2 AS target
    FROM judged
    ARRAY JOIN arrayZip(names.name, names.target) AS pair
),
stated AS
(
    SELECT order_no, child, parent, max((startsWith(source, '/tower/'), occurred_at, event_id, ev, retract, CAST(relation AS String))) AS said
    FROM case_links FINAL
    WHERE order_no IN (SELECT order_no FROM wanted)
        AND (ev, body) NOT IN (SELECT ev, body FROM conflicts)
    GROUP BY order_no, child, parent
),
hanging AS
(
    SELECT order_no, lower AS child, upper AS parent
    FROM
    (
        SELECT s.order_no AS order_no, ifNull(c.target, s.child) AS lower, ifNull(p.target, s.parent) AS upper, s.said AS said
        FROM stated AS s
        LEFT JOIN named AS c ON c.order_no = s.order_no AND c.name = s.child
        LEFT JOIN named AS p ON p.order_no = s.order_no AND p.name = s.parent
        WHERE s.said.6 NOT IN ('alias', 'weak_alias', 'alias_of', 'weak_alias_of')
    )
    WHERE lower != upper
    GROUP BY order_no, lower, upper
    HAVING max(said).5 = 0
),
tree AS
(
    SELECT wanted.item_id AS item_id, wanted.order_no AS order_no, ifNull(named.target, wanted.object) AS object, toUInt8(0) AS depth
    FROM wanted
    LEFT JOIN named ON named.order_no = wanted.order_no AND named.name = wanted.object
    UNION ALL
    SELECT DISTINCT tree.item_id, tree.order_no, hanging.child, toUInt8(tree.depth + 1)
    FROM tree
    INNER JOIN hanging ON hanging.order_no = tree.order_no AND hanging.parent = tree.object
    WHERE tree.depth < 24
),
places AS
(
    SELECT DISTINCT item_id, object FROM tree
),
owned AS
(
    SELECT
        wanted.item_id AS item_id, wanted.order_no AS order_no, wanted.milestone AS milestone, wanted.once AS once,
        wanted.chosen AS chosen, wanted.keep AS keep, wanted.noted AS noted, wanted.latest AS latest,
        wanted.system AS system, if(wanted.system != '', [wanted.system], $asked) AS asked
    FROM wanted
    LEFT JOIN judged AS o ON o.order_no = wanted.order_no
),
facts AS
(
    SELECT
        f.order_no AS order_no, ifNull(named.target, f.object) AS object, f.object_id AS object_id, f.milestone AS milestone,
        f.kind AS kind, f.polarity AS polarity, f.occurred_at AS occurred_at, f.received_at AS received_at
    FROM
    (
        SELECT order_no, object, object_id, milestone, kind, polarity, occurred_at, received_at
        FROM case_facts FINAL
        WHERE order_no IN (SELECT order_no FROM wanted) AND (ev, body) NOT IN (SELECT ev, body FROM conflicts)
    ) AS f
    LEFT JOIN named ON named.order_no = f.order_no AND named.name = f.object
),
told AS
(
    SELECT
        owned.item_id AS item, facts.milestone AS milestone, any(facts.object_id) AS object_id,
        max(ifNull(places.object, 0) = facts.object AND places.item_id IS NOT NULL) AS inside,
        any(owned.milestone) = facts.milestone AS is_wanted,
        groupArrayIf(
            facts.occurred_at,
            facts.polarity = 'reached' AND facts.received_at > owned.noted AND facts.occurred_at <= owned.latest
        ) AS reached,
        maxIf(facts.occurred_at, facts.polarity = 'reversed') AS reversed,
        maxIf(facts.occurred_at, facts.polarity = 'reached') AS stood_at,
        minIf(facts.received_at, facts.polarity = 'reached') > any(owned.noted) AS fresh,
        countIf(facts.polarity = 'reached' AND facts.received_at <= owned.noted) > 0 AS was_there,
        argMaxIf(
            CAST(facts.polarity AS String), facts.occurred_at,
            facts.polarity != 'reached' AND facts.received_at > owned.noted AND facts.occurred_at > owned.noted
        ) AS hurt_by,
        maxIf(
            facts.occurred_at,
            facts.polarity != 'reached' AND facts.received_at > owned.noted AND facts.occurred_at > owned.noted
        ) AS hurt_at,
        has(any(owned.once), facts.milestone) AS single,
        was_there AND hurt_at > stood_at AND NOT is_wanted
            AND (NOT any(owned.chosen) OR has(any(owned.keep), facts.milestone)) AS harmed
    FROM owned
    INNER JOIN facts ON facts.order_no = owned.order_no
    LEFT JOIN judged AS o ON o.order_no = owned.order_no
    LEFT JOIN places ON places.item_id = owned.item_id AND places.object = facts.object
    WHERE facts.milestone != owned.milestone OR if(owned.system != '', owned.system, $authority) IN ('', facts.kind)
    GROUP BY owned.item_id, facts.milestone, facts.object
)
SELECT
    owned.item_id, owned.asked,
    minIf(arrayMin(arrayFilter(at -> at > told.reversed, told.reached)),
        told.inside AND told.is_wanted AND notEmpty(arrayFilter(at -> at > told.reversed, told.reached))) AS first_at,
    countIf(told.inside AND told.is_wanted AND notEmpty(arrayFilter(at -> at > told.reversed, told.reached))) > 0 AS seen,
    groupArrayIf(
        (assumeNotNull(told.milestone), assumeNotNull(told.object_id), assumeNotNull(told.fresh)),
        ifNull(told.inside AND told.single AND told.stood_at > told.reversed, 0)
    ) AS standing,
    groupArrayIf(
        (assumeNotNull(told.milestone), assumeNotNull(told.hurt_by), assumeNotNull(told.hurt_at)), ifNull(told.harmed, 0)
    ) AS harm
FROM owned
LEFT JOIN told ON told.item = owned.item_id
GROUP BY owned.item_id, owned.asked

-- What the facts say about every accepted item. authority: whose word counts for wanted.milestone in order o.
-- One row: (item_id, authority, seen_at). seen_at is the contract's milestone, on the item's object or anything under
-- it in its order, in time, heard after the noted instant, and not taken back since; NULL if there is none. No order.
WITH RECURSIVE
wanted AS
(
    SELECT
        item_id, order_no, object, JSONExtractString(contract, 'milestone') AS milestone,
        assumeNotNull(noted_at) AS noted, assumeNotNull(verify_by) AS latest
    FROM action_items FINAL
    WHERE state = 'accepted'
),
named AS
(
    SELECT order_no, pair.1 AS name, pair.2 AS target
    FROM orders FINAL
    ARRAY JOIN arrayZip(names.name, names.target) AS pair
    WHERE order_no IN (SELECT order_no FROM wanted)
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
owned AS
(
    SELECT wanted.item_id AS item_id, wanted.milestone AS milestone, wanted.noted AS noted, wanted.latest AS latest,
        $authority AS authority
    FROM wanted
    LEFT JOIN (SELECT * FROM orders FINAL WHERE order_no IN (SELECT order_no FROM wanted)) AS o ON o.order_no = wanted.order_no
),
told AS
(
    SELECT
        owned.item_id AS item_id,
        groupArrayIf(
            facts.occurred_at,
            facts.polarity = 'reached' AND facts.received_at > owned.noted AND facts.occurred_at <= owned.latest
        ) AS reached,
        maxIf(facts.occurred_at, facts.polarity = 'reversed') AS reversed
    FROM (SELECT DISTINCT item_id, order_no, object FROM tree) AS places
    INNER JOIN owned ON owned.item_id = places.item_id
    INNER JOIN
    (
        SELECT
            f.order_no AS order_no, ifNull(named.target, f.object) AS object, f.milestone AS milestone, f.kind AS kind,
            f.polarity AS polarity, f.occurred_at AS occurred_at, f.received_at AS received_at
        FROM
        (
            SELECT order_no, object, milestone, kind, polarity, occurred_at, received_at
            FROM case_facts FINAL
            WHERE order_no IN (SELECT order_no FROM wanted)
                AND milestone IN (SELECT milestone FROM wanted)
                AND (ev, body) NOT IN (SELECT ev, body FROM conflicts)
        ) AS f
        LEFT JOIN named ON named.order_no = f.order_no AND named.name = f.object
    ) AS facts ON facts.order_no = places.order_no AND facts.object = places.object
    WHERE facts.milestone = owned.milestone AND (owned.authority = '' OR facts.kind = owned.authority)
    GROUP BY owned.item_id, facts.object
)
SELECT
    owned.item_id, owned.authority,
    minIf(arrayMin(arrayFilter(at -> at > told.reversed, told.reached)),
        notEmpty(arrayFilter(at -> at > told.reversed, told.reached))) AS first_at,
    countIf(notEmpty(arrayFilter(at -> at > told.reversed, told.reached))) > 0 AS seen
FROM owned
LEFT JOIN told ON told.item_id = owned.item_id
GROUP BY owned.item_id, owned.authority

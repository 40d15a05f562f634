-- Objects that belong to no order yet. where from tower/api/orphans.py. Parameter: limit. Order: latest heard first.
SELECT
    object_type, object_id, events, first_at, last_at, milestones, sources,
    leftPad(toString(toUnixTimestamp64Milli(last_at)), 15, '0') AS page_key, concat(object_type, ' ', object_id) AS page_id
FROM
(
    SELECT
        cases.object_type AS object_type, cases.object_id AS object_id, countIf(facts.ev != 0) AS events,
        min(facts.occurred_at) AS first_at, max(facts.occurred_at) AS last_at,
        arraySort(groupUniqArrayIf(facts.milestone, facts.milestone != '')) AS milestones,
        arraySort(groupUniqArrayIf(facts.source, facts.source != '')) AS sources
    FROM
    (
        SELECT object, any(object_type) AS object_type, any(object_id) AS object_id
        FROM object_cases
        GROUP BY object
        HAVING max(order_no) = 0
    ) AS cases
    LEFT JOIN (SELECT * FROM case_facts FINAL WHERE order_no = 0) AS facts ON facts.object = cases.object
    GROUP BY object_type, object_id
)
WHERE $where
ORDER BY page_key DESC, page_id DESC
LIMIT {limit:UInt32}

-- What the four stages and two rules of bench/recompute.py say of every order, in DuckDB: clocks and findings. A statement a
-- step, each in the way that suits DuckDB. Tables at hand: case_facts, case_links, order_objects, conflicts, wide_objects,
-- milestones (milestone, type, authority), asked (type, milestone), open_spans (calendar, opens, closes, before; ms).

CREATE OR REPLACE TABLE links AS
SELECT order_no, child, parent, any_value(child_type) AS child_type
FROM
(
    SELECT DISTINCT ON (order_no, parent, child, ev, body, retract)
        order_no, parent, child, ev, body, retract, child_type, source, occurred_at, event_id
    FROM case_links
    ORDER BY received_at
)
WHERE occurred_at <= $now AND (ev, body) NOT IN (SELECT (ev, body) FROM conflicts)
    AND child NOT IN (SELECT object FROM wide_objects) AND parent NOT IN (SELECT object FROM wide_objects)
GROUP BY order_no, child, parent
HAVING arg_max(retract, (starts_with(source, '/tower/'), occurred_at, event_id, ev, retract)) = 0;

CREATE OR REPLACE TABLE tree AS
WITH RECURSIVE walk AS
(
    SELECT order_no, object, 'order' AS object_type, object AS above, 'order' AS above_type, 0 AS depth
    FROM order_objects
    UNION ALL
    SELECT DISTINCT order_no, object, object_type, up.above, up.above_type, depth
    FROM
    (
        SELECT
            walk.order_no AS order_no, links.child AS object, links.child_type AS object_type, walk.depth + 1 AS depth,
            unnest([{'above': walk.above, 'above_type': walk.above_type}, {'above': links.child, 'above_type': links.child_type}]) AS up
        FROM walk
        INNER JOIN links ON links.order_no = walk.order_no AND links.parent = walk.object
        WHERE walk.depth < 24
    )
)
SELECT DISTINCT order_no, object, object_type, above, above_type FROM walk;

CREATE OR REPLACE TABLE members AS
SELECT order_no, object, any_value(object_type) AS object_type, list(DISTINCT above_type) AS types
FROM tree
GROUP BY order_no, object;

CREATE OR REPLACE TABLE facts AS
SELECT order_no, f.object AS object, f.object_type AS object_type, f.ev AS ev, kind, milestone, polarity, occurred_at, amount, currency,
    customer_tier, channel, order_type, promised_at, event_id, source_version
FROM
(
    SELECT DISTINCT ON (order_no, object, milestone, polarity, ev, body)
        order_no, object, object_type, milestone, polarity, ev, body, kind, occurred_at, amount, currency, customer_tier, channel,
        order_type, promised_at, event_id, source_version
    FROM case_facts
    ORDER BY received_at
) AS f
SEMI JOIN members USING (order_no, object)
WHERE occurred_at <= $now AND (f.ev, f.body) NOT IN (SELECT (ev, body) FROM conflicts);

CREATE OR REPLACE TABLE attributes AS
SELECT
    *,
    CASE WHEN reporting >= 100000 OR (customer_tier = 'strategic' AND order_type = 'same_day') THEN 'P1'
        WHEN reporting >= 25000 OR customer_tier = 'strategic' OR order_type = 'same_day' THEN 'P2'
        WHEN reporting >= 5000 OR customer_tier = 'key' THEN 'P3' ELSE 'P4' END AS priority
FROM
(
    SELECT
        *,
        CASE WHEN currency IN ('', 'EUR') THEN amount
            WHEN currency = 'USD' AND amount_at >= TIMESTAMP '2026-01-01' THEN amount * 0.86
            WHEN currency = 'USD' AND amount_at >= TIMESTAMP '2020-01-01' THEN amount * 0.92
            WHEN currency = 'PLN' AND amount_at >= TIMESTAMP '2026-01-01' THEN amount * 0.23
            WHEN currency = 'PLN' AND amount_at >= TIMESTAMP '2020-01-01' THEN amount * 0.22 END AS reporting
    FROM
    (
        SELECT
            order_no,
            coalesce(arg_max(currency, latest) FILTER (currency != '' AND own), '') AS currency,
            coalesce(arg_max(customer_tier, latest) FILTER (customer_tier != ''), '') AS customer_tier,
            coalesce(arg_max(channel, latest) FILTER (channel != ''), '') AS channel,
            coalesce(arg_max(order_type, latest) FILTER (order_type != ''), '') AS order_type,
            arg_max(promised_at, latest) FILTER (promised_at IS NOT NULL) AS promised_at,
            arg_max(amount, latest) FILTER (amount IS NOT NULL AND own) AS amount,
            arg_max(occurred_at, latest) FILTER (amount IS NOT NULL AND own) AS amount_at
        FROM (SELECT *, type = 'order' AS own, (own, occurred_at, source_version, event_id, ev) AS latest FROM facts INNER JOIN milestones USING (milestone))
        GROUP BY order_no
    )
);

CREATE OR REPLACE TABLE reached AS
SELECT
    *, list_min(list_filter(told, lambda x: taken_back_at IS NULL OR x.at > taken_back_at)) AS word,
    list_min(list_filter(heard, lambda x: any_back_at IS NULL OR x.at > any_back_at)) AS echo,
    list_filter(told, lambda x: taken_back_at IS NULL OR x.at > taken_back_at) AS reports
FROM
(
    SELECT
        order_no, milestone, base, base_type, type,
        max(occurred_at) FILTER (polarity = 'reversed' AND word) AS taken_back_at,
        max(occurred_at) FILTER (polarity = 'reversed') AS any_back_at,
        list({'at': occurred_at, 'ev': ev}) FILTER (polarity = 'reached' AND word) AS told,
        list({'at': occurred_at, 'ev': ev}) FILTER (polarity = 'reached' AND NOT word) AS heard
    FROM
    (
        SELECT
            f.order_no AS order_no, f.milestone AS milestone, tree.above AS base, tree.above_type AS base_type, m.type AS type,
            f.polarity AS polarity, f.occurred_at AS occurred_at, f.ev AS ev,
            CASE WHEN f.milestone = 'order_captured' AND a.channel = 'edi' THEN 'edi'
                WHEN f.milestone = 'order_captured' AND a.channel = 'crm' THEN 'crm'
                WHEN f.milestone = 'invoice_released' AND a.order_type = 'subscription' THEN 'billing'
                WHEN f.milestone = 'invoice_delivered' AND a.channel = 'edi' THEN 'edi'
                WHEN f.milestone = 'payment_received' AND a.channel = 'commerce' THEN 'psp' ELSE m.authority END AS owner,
            owner = f.kind AS word
        FROM facts AS f
        INNER JOIN milestones AS m ON m.milestone = f.milestone
        INNER JOIN tree ON tree.order_no = f.order_no AND tree.object = f.object
        INNER JOIN members ON members.order_no = f.order_no AND members.object = f.object
        INNER JOIN attributes AS a ON a.order_no = f.order_no
        WHERE tree.above_type = m.type OR (tree.above = f.object AND NOT list_contains(members.types, m.type))
    )
    WHERE polarity IN ('reached', 'reversed')
    GROUP BY order_no, milestone, base, base_type, type
);

CREATE OR REPLACE TABLE void AS
SELECT order_no, base AS object
FROM reached
WHERE base_type = type
GROUP BY order_no, base
HAVING count(any_back_at) > 0 AND count(word) = 0 AND count(echo) = 0;

CREATE OR REPLACE TABLE anchors AS
SELECT
    near.order_no AS order_no, near.object AS object, any_value(near.object_type) AS object_type, r.milestone AS milestone,
    min(r.word) AS first, min(r.echo) AS echo, min(r.word) FILTER (near.down) AS down_first, min(r.echo.at) FILTER (near.down) AS down_echo_at
FROM
(
    SELECT order_no, above AS object, above_type AS object_type, object AS base, true AS down FROM tree
    UNION ALL
    SELECT order_no, object, object_type, above, false FROM tree WHERE above != object
) AS near
INNER JOIN reached AS r ON r.order_no = near.order_no AND r.base = near.base
SEMI JOIN asked ON asked.type = near.object_type AND asked.milestone = r.milestone
GROUP BY near.order_no, near.object, r.milestone;

CREATE OR REPLACE TABLE complete AS
SELECT order_no, object, milestone, CASE WHEN parts = 0 THEN anywhere ELSE CASE WHEN missing = 0 THEN last END END AS done
FROM
(
    SELECT
        tree.order_no AS order_no, tree.above AS object, wanted.milestone AS milestone,
        count(*) FILTER (counted) AS parts, count(*) FILTER (counted AND part.down_first IS NULL) AS missing,
        max(part.down_first) FILTER (counted) AS last, any_value(whole.down_first) AS anywhere
    FROM (VALUES ('delivered', 'shipment'), ('payment_applied', 'payment')) AS wanted (milestone, per)
    CROSS JOIN (SELECT *, (order_no, object) NOT IN (SELECT (order_no, object) FROM void) AS valid FROM tree WHERE above_type = 'order') AS tree
    LEFT JOIN anchors AS part
        ON part.order_no = tree.order_no AND part.object = tree.object AND part.milestone = wanted.milestone AND part.object_type = wanted.per
    LEFT JOIN anchors AS whole ON whole.order_no = tree.order_no AND whole.object = tree.above AND whole.milestone = wanted.milestone
    CROSS JOIN LATERAL (SELECT tree.object_type = wanted.per AND tree.valid AS counted)
    GROUP BY tree.order_no, tree.above, wanted.milestone
)
WHERE done IS NOT NULL;

CREATE OR REPLACE TABLE cases AS
SELECT a.*, begun_at, cancelled_at, done_at
FROM attributes AS a
LEFT JOIN
(
    SELECT
        order_no,
        min(coalesce(word.at, echo.at)) FILTER (milestone IN ('order_captured', 'order_accepted')) AS begun_at,
        min(word.at) FILTER (milestone IN ('order_cancelled', 'order_rejected')) AS cancelled_at
    FROM reached
    GROUP BY order_no
) USING (order_no)
LEFT JOIN
(
    SELECT order_no, CASE WHEN count(*) = 2 THEN max(done.at) END AS done_at
    FROM complete SEMI JOIN order_objects USING (order_no, object)
    GROUP BY order_no
) USING (order_no);

CREATE OR REPLACE TABLE runs AS
SELECT
    *, coalesce(first.at, echo.at) AS started_at, first.at IS NULL AS provisional,
    CASE WHEN done_at >= started_at THEN done_at END AS done_end,
    CASE WHEN cancelled_at IS NOT NULL THEN greatest(cancelled_at, started_at) END AS cancelled_end,
    least(coalesce(done_end, TIMESTAMP '2200-01-01'), coalesce(cancelled_end, TIMESTAMP '2200-01-01')) AS closes_at,
    coalesce(ended.at <= closes_at, false) AS stopped,
    CASE WHEN stopped THEN greatest(ended.at, started_at) WHEN closes_at < TIMESTAMP '2200-01-01' THEN closes_at END AS end_at,
    CASE WHEN rule = 'capture-to-accept' AND priority = 'P1' THEN 600000 WHEN rule = 'ship-to-invoice' AND priority = 'P1' THEN 1800000
        ELSE within_ms END AS budget_ms
FROM
(
    SELECT s.rule, s.calendar, s.within_ms, f.order_no, f.object, f.first, f.echo, t.down_echo_at AS to_echo_at,
        CASE WHEN s.complete THEN c.done ELSE t.down_first END AS ended
    FROM (VALUES
        ('capture-to-accept', 'order', 'order_captured', 'order_accepted', '', 1800000, false),
        ('pack-to-ship', 'fulfillment', 'packed', 'shipment_confirmed', 'warehouse', 7200000, false),
        ('ship-to-invoice', 'shipment', 'shipment_confirmed', 'invoice_released', 'finance', 7200000, false),
        ('promise', 'order', 'order_accepted', 'delivered', '', NULL, true)
    ) AS s (rule, per, from_milestone, to_milestone, calendar, within_ms, complete)
    INNER JOIN anchors AS f ON f.object_type = s.per AND f.milestone = s.from_milestone AND (f.first IS NOT NULL OR f.echo IS NOT NULL)
    LEFT JOIN anchors AS t ON t.order_no = f.order_no AND t.object = f.object AND t.milestone = s.to_milestone
    LEFT JOIN complete AS c ON c.order_no = f.order_no AND c.object = f.object AND c.milestone = s.to_milestone
)
INNER JOIN cases USING (order_no);

-- Business time: the span that had begun last gives the open time before an instant; the one that is not used up, the deadline.
CREATE OR REPLACE TABLE dues AS
WITH
placed AS
(
    SELECT r.*, s.before + least(epoch_ms(r.started_at), s.closes) - s.opens + r.budget_ms AS target
    FROM (SELECT * FROM runs WHERE calendar != '') AS r
    ASOF JOIN open_spans AS s ON s.calendar = r.calendar AND epoch_ms(r.started_at) >= s.opens
)
SELECT p.* EXCLUDE (target), epoch_ms(s.opens + p.target - s.before) AS due_at
FROM placed AS p
ASOF JOIN open_spans AS s ON s.calendar = p.calendar AND p.target > s.before
UNION ALL
SELECT *, CASE WHEN budget_ms IS NULL THEN promised_at ELSE started_at + to_milliseconds(budget_ms) END
FROM runs
WHERE calendar = '';

CREATE OR REPLACE TABLE clocks AS
SELECT
    rule, order_no, object, started_at, end_at, due_at, to_echo_at, provisional, state, first.ev AS from_event,
    CASE WHEN stopped THEN ended.ev END AS to_event, done_at, stopped AND ended.at < started_at AS disorder,
    coalesce(started_at > cancelled_at, false) AS after_cancelled,
    coalesce(CASE state WHEN 'running' THEN due_at < $now WHEN 'ended' THEN due_at < end_at END, false) AS overdue
FROM (SELECT *, CASE WHEN stopped THEN 'stopped' WHEN end_at IS NOT NULL THEN 'ended' ELSE 'running' END AS state FROM dues);

CREATE OR REPLACE TABLE findings AS
WITH
closed AS
(
    SELECT order_no, begun_at, CASE WHEN done_at IS NOT NULL AND NOT coalesce(reopened, false) THEN done_at ELSE cancelled_at END AS closed_at
    FROM cases
    LEFT JOIN (SELECT order_no, bool_or(started_at > done_at AND end_at IS NULL) AS reopened FROM clocks GROUP BY order_no) USING (order_no)
),
promises AS
(
    SELECT rule, 'late' AS kind, order_no, object, due_at AS opened_at, end_at AS resolved_at
    FROM clocks
    WHERE NOT provisional AND NOT after_cancelled AND due_at IS NOT NULL
        AND ((state = 'running' AND overdue AND to_echo_at IS NULL) OR (state = 'stopped' AND end_at > due_at) OR (state = 'ended' AND overdue))
    UNION ALL
    SELECT rule, 'diverging', order_no, object, due_at, NULL
    FROM clocks
    WHERE NOT provisional AND NOT after_cancelled AND state = 'running' AND overdue AND to_echo_at IS NOT NULL
    UNION ALL
    SELECT rule, 'out_of_order', order_no, object, started_at, NULL FROM clocks WHERE disorder OR after_cancelled
),
unshipped AS
(
    SELECT
        r.order_no AS order_no, r.base AS object, r.word.at AS then_at,
        count(near.part) AS parts, count(near.part) - count(part.down_first) AS missing, max(part.down_first.at) AS last_at,
        any_value(whole.down_first.at) AS whole_at
    FROM reached AS r
    LEFT JOIN
    (
        SELECT order_no, object, above AS part FROM tree WHERE above_type = 'shipment'
        UNION
        SELECT order_no, above, object FROM tree WHERE object_type = 'shipment'
    ) AS near ON near.order_no = r.order_no AND near.object = r.base AND (near.order_no, near.part) NOT IN (SELECT (order_no, object) FROM void)
    LEFT JOIN anchors AS part ON part.order_no = near.order_no AND part.object = near.part AND part.milestone = 'shipment_confirmed'
    LEFT JOIN anchors AS whole ON whole.order_no = r.order_no AND whole.object_type = 'order' AND whole.milestone = 'shipment_confirmed'
    WHERE r.milestone = 'invoice_released' AND r.word IS NOT NULL
    GROUP BY r.order_no, r.base, r.word
),
twice AS
(
    SELECT
        s.order_no AS order_no, s.object AS object, list_sort(list({'at': s.at, 'part': s.part})) AS said,
        count(*) - count(m.amount) AS unpriced, sum(m.amount) AS total, list(DISTINCT coalesce(m.currency, '')) AS currencies
    FROM
    (
        SELECT r.order_no AS order_no, tree.above AS object, r.word.at AS at, r.word.ev AS ev, r.base AS part
        FROM reached AS r
        INNER JOIN tree ON tree.order_no = r.order_no AND tree.object = r.base AND tree.above_type = 'shipment'
        WHERE r.milestone = 'invoice_released' AND r.word IS NOT NULL AND r.base_type = r.type
    ) AS s
    LEFT JOIN
    (
        SELECT order_no, ev, any_value(amount) AS amount, any_value(currency) AS currency
        FROM facts
        WHERE milestone = 'invoice_released' AND amount IS NOT NULL
        GROUP BY order_no, ev
    ) AS m ON m.order_no = s.order_no AND m.ev = s.ev
    GROUP BY s.order_no, s.object
    HAVING count(*) > 1
),
worth AS
(
    SELECT order_no, object, arg_max(amount, (occurred_at, event_id, ev)) AS amount, arg_max(currency, (occurred_at, event_id, ev)) AS currency
    FROM facts INNER JOIN milestones USING (milestone)
    WHERE amount IS NOT NULL AND polarity = 'reached' AND object_type = type AND type = 'shipment'
    GROUP BY order_no, object
),
rules AS
(
    SELECT
        'invoiced-unshipped' AS rule, 'out_of_order' AS kind, order_no, object, then_at + INTERVAL 30 MINUTE AS opened_at,
        least(CASE WHEN parts = 0 THEN whole_at WHEN missing = 0 THEN last_at END, CASE WHEN done_at >= then_at THEN done_at END,
            CASE WHEN cancelled_at >= then_at THEN cancelled_at END) AS resolved_at
    FROM unshipped INNER JOIN cases USING (order_no)
    WHERE order_type NOT IN ('subscription', 'service', 'prepaid') AND coalesce(resolved_at > opened_at, true) AND opened_at < $now
    UNION ALL
    SELECT 'billed-twice', 'duplicate', order_no, object, said[2].at + INTERVAL 1 HOUR, NULL
    FROM twice LEFT JOIN worth USING (order_no, object)
    WHERE (unpriced > 0 OR worth.amount IS NULL OR currencies != [worth.currency] OR total > worth.amount)
        AND said[2].at + INTERVAL 1 HOUR < $now
)
SELECT p.rule, p.kind, p.order_no, p.object, p.opened_at, CASE WHEN coalesce(p.resolved_at, c.closed_at) IS NULL THEN 'open' ELSE 'resolved' END AS state
FROM promises AS p INNER JOIN closed AS c USING (order_no)
WHERE c.begun_at IS NOT NULL
UNION ALL
SELECT r.rule, r.kind, r.order_no, r.object, r.opened_at, CASE WHEN r.resolved_at IS NULL THEN 'open' ELSE 'resolved' END
FROM rules AS r INNER JOIN closed AS c USING (order_no)
WHERE c.begun_at IS NOT NULL

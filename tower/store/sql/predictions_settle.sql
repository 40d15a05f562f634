-- What became of the clocks that something was predicted of. Parameter: now.
-- kept: stopped in time. breached: stopped after its deadline, or late. gone: nobody will know: ended with its order before
-- its deadline, moved, or an action was taken for it first. While a feed is behind nothing is settled.
INSERT INTO predictions
SELECT rule, order_no, object, quarter, made_at, curve_at, segment, used_ms, budget_ms, odds, result, {now:DateTime64(3, 'UTC')}, 1
FROM
(
    SELECT
        p.rule AS rule, p.order_no AS order_no, p.object AS object, p.quarter AS quarter, p.made_at AS made_at, p.curve_at AS curve_at,
        p.segment AS segment, p.used_ms AS used_ms, p.budget_ms AS budget_ms, p.odds AS odds,
        multiIf(
            c.started_at IS NULL OR c.started_at > p.made_at OR c.budget_s * 1000 != p.budget_ms, 'gone',
            t.first_at < least(ifNull(c.stopped_at, c.due_at), c.due_at), 'gone',
            c.state = 'stopped', if(ifNull(c.stopped_at > c.due_at, 0), 'breached', 'kept'),
            c.state = 'ended', if(ifNull(c.stopped_at > c.due_at, 0), 'breached', 'gone'),
            c.verdict = 'late', 'breached',
            '') AS result
    FROM (SELECT * FROM predictions FINAL WHERE outcome = '') AS p
    LEFT JOIN
    (
        SELECT order_no, toString(rule) AS rule, object, toString(state) AS state, toString(verdict) AS verdict, started_at, stopped_at, due_at, budget_s
        FROM
        (
            SELECT order_no, clocks.rule, clocks.object, clocks.state, clocks.verdict, clocks.started_at, clocks.stopped_at, clocks.due_at, clocks.budget_s
            FROM orders FINAL
            WHERE on_board AND order_no IN (SELECT order_no FROM predictions WHERE outcome = '')
        )
        ARRAY JOIN
            clocks.rule AS rule, clocks.object AS object, clocks.state AS state, clocks.verdict AS verdict, clocks.started_at AS started_at,
            clocks.stopped_at AS stopped_at, clocks.due_at AS due_at, clocks.budget_s AS budget_s
    ) AS c ON c.order_no = p.order_no AND c.rule = p.rule AND c.object = p.object
    LEFT JOIN
    (
        SELECT order_no, object, stage, min(sent_at) AS first_at
        FROM action_items FINAL
        WHERE sent_at IS NOT NULL
        GROUP BY order_no, object, stage
    ) AS t ON t.order_no = p.order_no AND t.object = p.object AND t.stage = p.rule
)
WHERE result != ''

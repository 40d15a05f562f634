-- What the engine may retry by itself at this moment. policies: from rules/compile/retry.py; cases and class: which cases
-- of the policies hold for an order, and the class of clock.6. Parameters: now, limit. One row: one stuck clock. Order: the
-- longest stuck first.
WITH $policies AS policies
SELECT stuck.order_id AS order_id, stuck.clock.2 AS stage, stuck.clock.3 AS object, policy.1 AS action, policy.2 AS target
FROM
(
    SELECT
        order_id, order_no, clock, stuck_at,
        arrayFirst(
            p -> has(p.3, clock.2) AND (p.4 < 0 OR has(cases[p.1], p.4)) AND (empty(p.5) OR has(p.5, class)), policies
        ) AS policy
    FROM
    (
        SELECT
            o.order_id AS order_id, o.order_no AS order_no, $cases AS cases,
            arrayJoin(
                arrayFilter(
                    c -> c.1 IN ('failing', 'late', 'diverging'),
                    arrayZip(
                        o.clocks.verdict, o.clocks.rule, o.clocks.object, o.clocks.started_at, o.clocks.due_at,
                        arrayMap(e -> if(e = '', o.error, e), o.clocks.error)
                    )
                )
            ) AS clock,
            if(clock.5 IS NOT NULL AND clock.5 < {now:DateTime64(3, 'UTC')}, assumeNotNull(clock.5), clock.4) AS stuck_at,
            $class AS class
        FROM orders AS o FINAL
        WHERE o.on_board AND o.closed_at IS NULL AND o.held_by = '' AND o.state IN ('failing', 'late', 'diverging')
    )
) AS stuck
LEFT JOIN
(
    SELECT
        object, rule_action, sumIf(attempts, state != 'verified') AS spent, count() AS begun,
        max(state IN ('requested', 'approved', 'sent', 'accepted')) AS in_flight,
        argMax(CAST(state AS String), (requested_at, ordinal)) AS last, max(finished_at) AS last_at
    FROM action_items FINAL
    WHERE state != 'cancelled'
    GROUP BY object, rule_action
) AS past ON past.object = stuck.clock.3 AND past.rule_action = policy.1
WHERE policy.6
    AND NOT ifNull(past.in_flight, 0)
    AND ifNull(past.spent, 0) < policy.7
    AND (past.last IS NULL OR past.last IN ('no_effect', 'expired'))  -- a refusal, or harm done, is for a person
    AND (policy.12 = 0 OR {now:DateTime64(3, 'UTC')} < stuck.stuck_at + toIntervalSecond(policy.12))
    AND (
        past.last_at IS NULL
        OR {now:DateTime64(3, 'UTC')} >= assumeNotNull(past.last_at) + toIntervalMillisecond(
            toInt64(1000 * least(
                multiIf(policy.8 = 'immediate', 0., policy.8 = 'fixed', toFloat64(policy.9),
                    policy.9 * exp2(least(ifNull(past.begun, 1) - 1, 30)))
                * (1 + policy.11 * (2 * (sipHash64(stuck.clock.3, past.begun) / 18446744073709551616.) - 1)),
                policy.10)))
    )
ORDER BY stuck.stuck_at, stuck.order_id, stuck.clock.3
LIMIT {limit:UInt32}

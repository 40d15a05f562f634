-- Times during which something was stuck, with the first act on it. orders, breaches: the tables.
-- Parameters: since, until (of the openings), as_of, known_at. One row: one stage stuck on one object of one order; end_at:
-- when its milestone was reached (`reached`), when the order ended without it, or as_of; treated_at: null if nobody acted.
-- Order: opened_at, order_no, stage, object.
SELECT
    s.order_no AS order_no, s.stage AS stage, k.system AS system, s.first_opened_at AS opened_at,
    least(if(k.clock_state IN ('stopped', 'ended'), ifNull(k.stopped_at, {as_of:DateTime64(3, 'UTC')}), {as_of:DateTime64(3, 'UTC')}),
        {as_of:DateTime64(3, 'UTC')}) AS end_at,
    toUInt8(k.clock_state = 'stopped' AND ifNull(k.stopped_at <= {as_of:DateTime64(3, 'UTC')}, 0)) AS reached,
    a.treated_at AS treated_at, toFloat64(k.amount) AS amount
FROM
(
    SELECT order_no, toString(rule) AS stage, object, min(opened_at) AS first_opened_at
    FROM $breaches
    WHERE state != 'retracted' AND kind IN ('late', 'failing', 'diverging') AND opened_at <= {as_of:DateTime64(3, 'UTC')}
    GROUP BY order_no, stage, object
    HAVING first_opened_at >= {since:DateTime64(3, 'UTC')} AND first_opened_at < {until:DateTime64(3, 'UTC')}
) AS s
INNER JOIN
(
    SELECT
        order_no, reporting_amount AS amount, toString(clock.1) AS stage, clock.2 AS object, toString(clock.3) AS clock_state,
        clock.4 AS stopped_at, toString(clock.5) AS system
    FROM $orders
    ARRAY JOIN arrayZip(clocks.rule, clocks.object, clocks.state, clocks.stopped_at, clocks.system) AS clock
    WHERE on_board
) AS k ON k.order_no = s.order_no AND k.stage = s.stage AND k.object = s.object
LEFT JOIN
(
    SELECT order_no, toString(stage) AS stage, object, min(noted_at) AS treated_at
    FROM action_items FINAL
    WHERE noted_at IS NOT NULL AND noted_at <= {known_at:DateTime64(3, 'UTC')} AND noted_at <= {as_of:DateTime64(3, 'UTC')}
    GROUP BY order_no, stage, object
) AS a ON a.order_no = s.order_no AND a.stage = s.stage AND a.object = s.object
ORDER BY opened_at, order_no, stage, s.object

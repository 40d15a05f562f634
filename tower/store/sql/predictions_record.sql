-- What the curves say now of the clocks in the temporary table `running`, once for each quarter of a clock's time. Parameter: now.
INSERT INTO predictions
SELECT rule, order_no, object, quarter, {now:DateTime64(3, 'UTC')}, curve_at, segment, used_ms, budget_ms, assumeNotNull(odds), '', NULL, 0
FROM
(
    SELECT
        r.rule AS rule, r.order_no AS order_no, r.object AS object, r.used_ms AS used_ms, r.budget_ms AS budget_ms,
        least(3, intDiv(used_ms * 4, budget_ms)) AS quarter,
        if(empty(own.at_ms), whole.built_at, own.built_at) AS curve_at, if(empty(own.at_ms), '', own.segment) AS segment,
        if(empty(own.at_ms), whole.at_ms, own.at_ms) AS at_ms, if(empty(own.at_ms), whole.alive, own.alive) AS alive,
        if(empty(own.at_ms), whole.watched, own.watched) AS watched, $odds AS odds
    FROM running AS r
    LEFT JOIN known_curves AS own ON own.rule = r.rule AND own.segment = r.segment
    LEFT JOIN known_curves AS whole ON whole.rule = r.rule AND whole.segment = ''
)
WHERE odds IS NOT NULL AND notEmpty(at_ms)
    AND (rule, order_no, object, quarter) NOT IN
        (SELECT toString(rule), order_no, object, quarter FROM predictions WHERE order_no IN (SELECT order_no FROM running))

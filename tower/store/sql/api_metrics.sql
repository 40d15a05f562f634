-- Figures for the metrics page. One row: (name, label, value). Order: name, label.
SELECT name, label, value
FROM
(
    SELECT 'orders' AS name, toString(state) AS label, toFloat64(count()) AS value
    FROM orders FINAL
    WHERE on_board AND closed_at IS NULL
    GROUP BY state
    UNION ALL
    SELECT 'value_at_risk', toString(state), toFloat64(sum(value_at_risk))
    FROM orders FINAL
    WHERE on_board AND closed_at IS NULL
    GROUP BY state
    UNION ALL
    SELECT 'quarantine_open', toString(reason), toFloat64(count()) FROM quarantine FINAL WHERE state = 'open' GROUP BY reason
    UNION ALL
    SELECT 'alerts', if(acknowledged_by = '', 'open', 'acknowledged') AS state, toFloat64(count())
    FROM alerts FINAL
    WHERE closed_at IS NULL AND NOT startsWith(receiver, 'subscription/')
    GROUP BY state
    UNION ALL
    SELECT 'notices', toString(state), toFloat64(count()) FROM notices FINAL WHERE state NOT IN ('sent', 'held') GROUP BY state
    UNION ALL
    SELECT 'action_items', toString(state), toFloat64(count()) FROM action_items FINAL GROUP BY state
    UNION ALL
    SELECT 'target_open', target, toFloat64(state != 'closed') FROM target_states FINAL
    UNION ALL
    SELECT 'target_failures', target, toFloat64(failures) FROM target_states FINAL
    UNION ALL
    SELECT 'target_calls_1h', CAST(target AS String), toFloat64(count())
    FROM target_calls
    WHERE at > now64(3) - INTERVAL 1 HOUR
    GROUP BY target
)
ORDER BY name, label

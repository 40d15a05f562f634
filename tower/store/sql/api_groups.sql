-- Stuck orders by stage, system and error of their worst clock, with the last thing done about such an error, how often
-- what was done in 30 days ended how, and the last five ends, the latest first. Parameters: limit, since, now; orders: the table.
-- One row: one group. Order: value falling, then count, then names.
SELECT
    g.stage AS stage, g.system AS system, g.error AS error, g.count AS count, g.value AS value, g.states AS states,
    g.first_at AS first_at, g.last_at AS last_at, a.last_action_at AS last_action_at, a.last_outcome AS last_outcome,
    a.outcomes AS outcomes, a.latest AS latest
FROM
(
    SELECT
        stage, system, error, count() AS count, sum(value_at_risk) AS value, min(since) AS first_at,
        max(since) AS last_at, arraySort(groupUniqArray(toString(state))) AS states
    FROM $orders
    WHERE on_board AND closed_at IS NULL AND state IN ('failing', 'late', 'diverging')
    GROUP BY stage, system, error
) AS g
LEFT JOIN
(
    SELECT
        stage, error, max(requested_at) AS last_action_at,
        argMax(toString(state), (requested_at, updated_at, item_id)) AS last_outcome,
        sumMapIf(map(toString(state), toUInt64(1)), finished_at >= {since:DateTime64(3, 'UTC')} AND state != 'cancelled') AS outcomes,
        arrayMap(
            end -> end.2,
            arraySlice(
                arrayReverseSort(
                    groupArrayIf((finished_at, toString(state), item_id), finished_at IS NOT NULL AND state != 'cancelled')
                ), 1, 5
            )
        ) AS latest
    FROM action_items FINAL
    WHERE requested_at <= {now:DateTime64(3, 'UTC')}
    GROUP BY stage, error
) AS a ON a.stage = g.stage AND a.error = g.error
ORDER BY value DESC NULLS LAST, count DESC, stage, system, error
LIMIT {limit:UInt32}

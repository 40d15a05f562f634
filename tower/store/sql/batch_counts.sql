-- How far the waves of some actions are. Parameter: action_ids. One row: (action, wave, state, items). No order.
SELECT i.action_id AS action_id, ifNull(w.wave, 0) AS wave, toString(i.state) AS state, count() AS items
FROM (SELECT action_id, item_id, state FROM action_items FINAL WHERE action_id IN {action_ids:Array(String)}) AS i
LEFT JOIN
(
    SELECT action_id, item_id, wave FROM batch_items FINAL WHERE action_id IN {action_ids:Array(String)}
) AS w ON w.action_id = i.action_id AND w.item_id = i.item_id
GROUP BY action_id, wave, state

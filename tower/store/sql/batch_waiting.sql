-- With which wave the items of some actions go. Parameter: action_ids. One row: (item_id, wave). No order.
SELECT item_id, wave FROM batch_items FINAL WHERE action_id IN {action_ids:Array(String)}

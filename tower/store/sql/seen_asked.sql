-- The items of seen_due and all whose word can count for wanted.milestone on the item's object in order o (asked).
-- Reads seen_orders. One row: (item_id, asked). No order.
SELECT wanted.item_id, if(wanted.system != '', [wanted.system], $asked) AS asked
FROM seen_due AS wanted
LEFT JOIN seen_orders AS o ON o.order_no = wanted.order_no

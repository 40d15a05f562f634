-- What was said of one order by hand, under any of its names. Parameters: names, as_of, known_at, only
-- (whose words alone; '' for all). One row: one word. Order: latest first.
SELECT what, undo, by, assignee, said, occurred_at AS at, received_at
FROM hand_facts FINAL
WHERE order_id IN {names:Array(String)}
    AND occurred_at <= {as_of:DateTime64(3, 'UTC')} AND received_at <= {known_at:DateTime64(3, 'UTC')}
    AND ({only:String} = '' OR by = {only:String})
ORDER BY occurred_at DESC, fact_id DESC

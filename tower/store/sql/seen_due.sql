-- Of seen_wanted, the items about which something can be said: an order that was heard of since, or a time that is over.
-- One row: one item, with its columns; news is whether its order was heard of since it was sent.
SELECT wanted.*, ifNull(heard.at > wanted.noted, 0) AS news
FROM seen_wanted AS wanted
LEFT JOIN
(
    SELECT order_no, max(received_at) AS at
    FROM case_facts
    WHERE order_no IN (SELECT order_no FROM seen_wanted)
    GROUP BY order_no
) AS heard ON heard.order_no = wanted.order_no
WHERE news OR wanted.over

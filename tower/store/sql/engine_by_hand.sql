-- Orders of which something was said by hand since they were last judged. Parameters: since.
INSERT INTO touched
SELECT h.order_no
FROM
(
    SELECT order_no, max(received_at) AS said_at
    FROM hand_facts
    WHERE received_at > {since:DateTime64(3, 'UTC')}
    GROUP BY order_no
) AS h
INNER JOIN
(
    SELECT order_no, max(judged_at) AS seen_at
    FROM orders
    WHERE order_no IN (SELECT order_no FROM hand_facts WHERE received_at > {since:DateTime64(3, 'UTC')})
    GROUP BY order_no
) AS o ON o.order_no = h.order_no
WHERE o.seen_at <= h.said_at

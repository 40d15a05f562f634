-- One row: an object right below the frontier, by stored links and those of the batch, and the order it gains with its
-- parent.
SELECT DISTINCT links.child AS object, frontier.order_no AS order_no
FROM frontier
INNER JOIN
(
    SELECT DISTINCT parent, child
    FROM case_links
    WHERE (order_no, parent) IN
        (SELECT max(order_no), object FROM known WHERE object IN (SELECT object FROM frontier) GROUP BY object)
    UNION DISTINCT
    SELECT parent, child
    FROM batch_links
    WHERE parent IN (SELECT object FROM frontier)
) AS links ON links.parent = frontier.object
WHERE (links.child, frontier.order_no) NOT IN (SELECT object, order_no FROM known)
    AND (links.child, frontier.order_no) NOT IN (SELECT object, order_no FROM pairs)

-- The cases of the objects right below the frontier, for `known`.
SELECT DISTINCT object, order_no
FROM object_cases
WHERE object IN
(
    SELECT child
    FROM case_links
    WHERE (order_no, parent) IN
        (SELECT max(order_no), object FROM known WHERE object IN (SELECT object FROM frontier) GROUP BY object)
)
    AND object NOT IN (SELECT object FROM known)

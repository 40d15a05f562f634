-- The orders that the batch says something about.
INSERT INTO touched
SELECT DISTINCT order_no
FROM pairs
WHERE object IN (SELECT object FROM batch_facts)
    OR object IN (SELECT child FROM batch_links)
    OR (object, order_no) IN (SELECT object, order_no FROM gained)

-- Orders that were not closed when the window began. Parameter: since. milestones: those of which the order must have a fact.
INSERT INTO touched
SELECT order_no
FROM orders FINAL
WHERE (closed_at IS NULL OR closed_at >= {since:DateTime64(3, 'UTC')})
    AND ($every OR order_no IN (SELECT order_no FROM case_facts WHERE milestone IN {milestones:Array(String)}))

-- Orders whose verdict time alone has changed by now. Parameters: now.
INSERT INTO touched
SELECT order_no
FROM orders FINAL
WHERE next_at <= {now:DateTime64(3, 'UTC')}

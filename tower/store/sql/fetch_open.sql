-- Addresses to be called. Parameter: now. One row: one fetch in the columns of tower.store.fetches.Fetch; oldest first.
SELECT fetch_id, kind, connection, url, asked_at, state, attempts, next_at, status, detail, updated_at, revision
FROM fetches FINAL
WHERE state = 'asked' AND next_at <= {now:DateTime64(3, 'UTC')}
ORDER BY asked_at, fetch_id

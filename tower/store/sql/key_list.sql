-- Every key ever made, revoked ones included. One row: one name, its newest revision. Order: name.
SELECT
    name, token_hash, roles, connections, created_at, revoked_at, revision, scopes, expires_at, old_hash, old_until
FROM keys FINAL
ORDER BY name

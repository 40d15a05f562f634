-- Probes asked for after the ones already made. Parameter: since. One row: (target, asked_at, asked_by). Order: asked_at.
SELECT target, asked_at, asked_by
FROM target_probes
WHERE asked_at > {since:DateTime64(3, 'UTC')}
ORDER BY asked_at, target

-- Which rows belong to a time. Parameters: since, until. One row: (first seq, last seq), NULL where there is none.
SELECT
    minOrNullIf(seq, at >= {since:DateTime64(3, 'UTC')}) AS first,
    maxOrNullIf(seq, at < {until:DateTime64(3, 'UTC')}) AS last
FROM audit

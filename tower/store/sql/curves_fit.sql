-- Kaplan-Meier curves of the temporary table `dwells` (rule, segment, dwell_ms, ended), per segment and for the whole stage.
-- Parameters: now, since, book, least (ended clocks without which a segment gets no curve of its own).
-- A curve of many points keeps those at which the share has fallen by 2 % of itself since the last one kept, and the last.
INSERT INTO curves (built_at, rule, segment, cases, ended, since, ends_ms, at_ms, alive, watched, book)
WITH
    times AS
    (
        SELECT rule, part AS segment, dwell_ms, sum(ended) AS gone, count() AS seen
        FROM dwells
        ARRAY JOIN if(segment = '', [''], ['', segment]) AS part
        GROUP BY rule, part, dwell_ms
    ),
    steps AS
    (
        SELECT
            rule, segment, dwell_ms, gone, seen,
            sum(seen) OVER (PARTITION BY rule, segment ORDER BY dwell_ms DESC) AS watching
        FROM times
    ),
    points AS
    (
        SELECT
            rule, segment, dwell_ms, gone, seen, watching,
            exp(sum(if(gone = 0, 0, log(1 - gone / watching))) OVER (PARTITION BY rule, segment ORDER BY dwell_ms)) AS share,
            countIf(gone > 0) OVER (PARTITION BY rule, segment) AS falls
        FROM steps
    ),
    marked AS
    (
        SELECT
            *,
            if(share = 0, 1000000000, toInt64(floor(-log(share) * 50))) AS step,
            lagInFrame(step, 1, -1) OVER (PARTITION BY rule, segment ORDER BY dwell_ms ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS step_before,
            max(dwell_ms) OVER (PARTITION BY rule, segment) AS longest
        FROM points
    )
SELECT
    {now:DateTime64(3, 'UTC')} AS built_at, rule, segment, sum(seen) AS cases, sum(gone) AS ended, {since:DateTime64(3, 'UTC')},
    any(longest), arrayMap(p -> p.1, arraySort(groupArrayIf((dwell_ms, share, watching), kept)) AS curve_points),
    arrayMap(p -> p.2, curve_points), arrayMap(p -> p.3, curve_points), {book:String}
FROM
(
    SELECT *, dwell_ms = longest OR (gone > 0 AND (falls <= 200 OR step != step_before)) AS kept
    FROM marked
)
GROUP BY rule, segment
HAVING segment = '' OR ended >= {least:UInt64}

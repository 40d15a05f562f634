-- Write the finding of one feed anew. Parameters: rule, connection, system, state, opened_at, detected_at, resolved_at,
-- retracted_at, error, evidence, book, now.
INSERT INTO breaches
SELECT
    toUInt64(0) AS order_no, '' AS order_id, {rule:String} AS rule, 'feed_late' AS kind,
    sipHash64('connection', {connection:String}) AS object, 'connection' AS object_type, {connection:String} AS object_id,
    lower(hex(sipHash64(toUInt64(0), {rule:String}, 'feed_late', sipHash64('connection', {connection:String})))) AS breach_id,
    {state:String} AS state, {opened_at:DateTime64(3, 'UTC')} AS opened_at, {detected_at:DateTime64(3, 'UTC')} AS detected_at,
    {resolved_at:Nullable(DateTime64(3, 'UTC'))} AS resolved_at,
    {retracted_at:Nullable(DateTime64(3, 'UTC'))} AS retracted_at, '' AS milestone, {system:String} AS system,
    {error:String} AS error, {evidence:String} AS evidence, {book:String} AS book,
    {now:DateTime64(3, 'UTC')} AS updated_at

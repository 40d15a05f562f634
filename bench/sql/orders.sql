-- Orders as the engine would have judged them: the newest mostly open, the older nearly all done.
-- Parameters: orders (how many), now, later (seconds after now at which they were judged). which: a filter.
INSERT INTO orders
(
    order_no, order_id, on_board, state, closed_at, started_at, stage, object_type, object_id, since, due_at, budget_s,
    priority, amount, currency, reporting_amount, value_at_risk, customer_id, customer_tier, channel, order_type, company,
    warehouse, partner, system, error, last_milestone, last_at, next_milestone, facts, version, next_at, `clocks.rule`,
    `clocks.object`, `clocks.object_type`, `clocks.object_id`, `clocks.from_milestone`, `clocks.to_milestone`,
    `clocks.started_at`, `clocks.stopped_at`, `clocks.due_at`, `clocks.budget_s`, `clocks.calendar`, `clocks.state`,
    `clocks.verdict`, `clocks.system`, book, judged_at
)
WITH
    ['capture-to-accept', 'accept-to-allocate', 'allocate-to-request', 'request-to-pick', 'pick-to-ship', 'pack-to-ship',
        'ship-to-invoice', 'invoice-to-customer', 'ship-to-deliver', 'promise', 'invoice-to-payment', 'payment-to-applied'] AS rules,
    ['order', 'order', 'fulfillment', 'fulfillment', 'fulfillment', 'fulfillment', 'shipment', 'invoice', 'shipment',
        'order', 'invoice', 'payment'] AS types,
    ['erp', 'wms', 'erp', 'wms', 'wms', 'wms', 'erp', 'billing', 'tms', 'tms', 'bank', 'erp'] AS systems
SELECT
    number + 1 AS order_no, concat('SO-', leftPad(toString(number), 9, '0')) AS order_id, 1 AS on_board,
    multiIf(NOT open, 'done', verdict) AS state, if(open, NULL, began + toIntervalHour(200 + h % 100)) AS closed_at,
    began AS started_at, if(open, rules[steps], '') AS stage, if(open, types[steps], '') AS object_type,
    if(open, concat(order_id, '-', types[steps]), '') AS object_id, if(open, starts[steps], closed_at) AS since,
    if(open, dues[steps], NULL) AS due_at, if(open, 7200, NULL) AS budget_s,
    ['P1', 'P2', 'P3', 'P4', 'P4', 'P4'][1 + h % 6] AS priority, toDecimal128(1 + (h % 9000000) / 100, 6) AS amount,
    'EUR' AS currency, amount AS reporting_amount,
    if(open AND verdict != 'on_track', amount, toDecimal128(0, 6)) AS value_at_risk,
    concat('C-', toString(h % 5000)) AS customer_id, ['standard', 'key', 'strategic'][1 + h % 3] AS customer_tier,
    ['commerce', 'edi', 'crm'][1 + h2 % 3] AS channel, ['standard', 'bulk', 'same_day'][1 + h2 % 3] AS order_type,
    '1000' AS company, ['HH1', 'HH2', 'BER', 'MUC'][1 + h2 % 4] AS warehouse, customer_id AS partner,
    if(open, systems[steps], '') AS system,
    if(open AND verdict = 'failing', concat('mapping error ', toString(h2 % 40)), '') AS error,
    'order_accepted' AS last_milestone, starts[-1] AS last_at, '' AS next_milestone, h AS facts, lower(hex(h2)) AS version,
    toDateTime64('2200-01-01 00:00:00', 3, 'UTC') AS next_at,
    arraySlice(rules, 1, steps) AS rule, arrayMap(i -> sipHash64(types[i], order_id), range(1, steps + 1)) AS objects,
    arraySlice(types, 1, steps) AS object_types, arrayMap(i -> concat(order_id, '-', types[i]), range(1, steps + 1)) AS object_ids,
    arrayResize(['order_captured'], steps, 'order_accepted') AS from_milestones,
    arrayResize(['order_accepted'], steps, 'delivered') AS to_milestones, starts,
    arrayMap(i -> if(open AND i = steps, NULL, starts[i] + toIntervalMinute(30 + h2 % 60)), range(1, steps + 1)) AS stops, dues,
    arrayResize([7200], steps, 7200) AS budgets, arrayResize([''], steps, '') AS calendars,
    arrayMap(i -> if(open AND i = steps, 'running', 'stopped'), range(1, steps + 1)) AS states,
    arrayMap(i -> if(open AND i = steps, verdict, ''), range(1, steps + 1)) AS verdicts,
    arraySlice(systems, 1, steps) AS clock_systems, 'bench' AS book,
    {now:DateTime64(3, 'UTC')} + toIntervalSecond({later:UInt32}) AS judged_at
FROM
(
    SELECT
        number, cityHash64(number, 1) AS h, cityHash64(number, 2) AS h2,
        if(number > {orders:UInt64} * 0.94, h % 10 < 8, h % 200 = 0) AS open,
        {now:DateTime64(3, 'UTC')} - toIntervalSecond(({orders:UInt64} - number) * intDiv(31536000, {orders:UInt64}) + h % 86400) AS began,
        if(open, 1 + h2 % 12, 12) AS steps,
        ['on_track', 'on_track', 'on_track', 'on_track', 'on_track', 'at_risk', 'late', 'late', 'failing', 'unknown'][1 + h2 % 10] AS verdict,
        arrayMap(i -> began + toIntervalMinute(i * 90 + h % 60), range(1, toUInt64(steps) + 1)) AS starts,
        arrayMap(t -> t + toIntervalHour(2), starts) AS dues
    FROM numbers({orders:UInt64})
)
WHERE $which

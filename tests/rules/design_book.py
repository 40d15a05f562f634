"""The rulebook of the architecture page, whole: every form an author may use."""

TEXT = """
process: {start: [order_captured, order_accepted], done: [delivered, payment_applied, {milestone: payment_applied, per: invoice}], cancelled: [order_cancelled, order_rejected]}
milestones:
  order_captured:      {object: order,    authority: [{kind: edi, when: {channel: edi}}, commerce, crm]}
  order_accepted:      {object: order,    authority: erp, after: [order_captured], means: "the ERP holds a valid order number for it"}
  order_cancelled:     {object: order,    authority: erp}
  order_rejected:      {object: order,    authority: erp}
  credit_held:         {object: order,    authority: erp}
  credit_released:     {object: order,    authority: erp}
  shipment_confirmed:  {object: shipment, authority: wms}
  delivered:           {object: shipment, authority: tms, after: [shipment_confirmed]}
  invoice_released:    {object: invoice,  authority: erp}
  payment_applied:     {object: payment,  authority: erp}
calendars:
  warehouse: {zone: Europe/Berlin, open: {mon-fri: ["06:00-22:00"], sat: ["06:00-12:00", "13:00-16:00"]}, holidays: {country: DE}, closed: ["2026-12-24"], special: {"2026-12-31": ["06:00-12:00"]}}
  finance: {zone: Europe/Berlin, open: {mon-fri: ["08:00-18:00"]}, holidays: {country: DE, subdivision: BY}}
  night: {zone: Europe/Berlin, open: {daily: ["22:00-06:00"]}}
stages:
  - id: ship-to-invoice
    from: shipment_confirmed           # or {milestone: shipment_confirmed, pick: first|last}
    to: invoice_released
    per: shipment
    within: 2h
    calendar: finance
    not_before: 5s
    pause: [{from: credit_held, to: credit_released}]
    at_risk: 75%
    owner: finance-ops
    runbook: https://wiki.example/ship-to-invoice
    when: {order_type: [standard, same_day], amount: ">= 100"}
    tiers: [{when: {priority: P1}, within: 30m}, {when: {warehouse: HH2}, calendar: night}]
    severity: critical
  - id: promise
    from: {milestone: order_accepted, pick: last}
    to: {milestone: delivered, pick: complete}
    until: promised_at
    plus: 1d
    at_risk: {odds: 50%}
findings:
  - {id: invoiced-unshipped, kind: out_of_order, first: shipment_confirmed, then: invoice_released, settle: 30m}
  - {id: paid-but-open, kind: diverging, fact: payment_applied, systems: [erp, commerce], settle: 4h}
  - {id: crm-hears-late, kind: sync_late, milestone: shipment_confirmed, system: crm, within: 15m}
  - {id: billed-twice, kind: duplicate, milestone: invoice_released, per: shipment}
feeds:
  - {connection: wms-berlin, expects: stream, quiet_after: 15m, calendar: warehouse}
  - {connection: legacy-erp, expects: every 30m, grace: 10m}
  - {connection: bank, cron: "30 5 * * mon-fri", zone: Europe/Berlin, grace: 1h}
  - {connection: archive, expects: "cron 0 2 * * *"}
priorities:
  - {name: P1, when: {any: [{amount: ">= 100000"}, {customer_tier: strategic, order_type: same_day}]}}
  - {name: P2, when: {all: [{amount: ">= 1000"}, {amount: "< 100000"}, {channel: {not: [edi, phone]}}]}}
  - {name: P3}
routes:
  receiver: finance
  group_by: [stage, system]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 4h
  escalate: [{after: 30m, receiver: duty}]
  routes:
    - {when: {priority: P1}, receiver: duty, continue: true, mute: [night], active: [finance]}
receivers:
  finance: {apprise: "env:TOWER_SECRET_FINANCE_MAIL"}
  duty: {webhook: {url: "https://duty.example/hook", secret: "env:TOWER_SECRET_DUTY"}}
targets:
  middleware: {kind: http, url: "http://127.0.0.1:9000", auth: {bearer: "env:TOWER_SECRET_MIDDLEWARE"}}
actions:
  - id: retry-invoice
    kind: retry
    stage: ship-to-invoice
    target: middleware
    request: {method: POST, path: "/retry/{order_id}", json: {stage: "{stage}", attempt: "{attempt}"}}
    verify: {milestone: invoice_released, within: 60s}
    policy: {attempts: 3, backoff: exponential, first: 30s, max: 1h, automatic: false}
    safety: R1
value:
  currency: EUR
  rates: [{currency: USD, rate: "0.92", since: 2026-01-01}, {currency: USD, rate: 0.95, since: 2026-07-01}]
  cost_per_touch: 12.50
  cost_of_capital: 8%
  baseline: 28d
"""

"""What the clocks mean at a moment: states, the worst clock of each order, and the order's own state.

Time enters here and only here (`as_of`), together with how far each feed has been heard (`feed_marks`).
"""

from __future__ import annotations

from rules.compile.authority import asked_sql
from rules.compile.case import SCOPES
from rules.compile.quote import FAR, text, texts
from rules.model import Book
from rules.vocabulary import AT_RISK_STATES, OPEN_STATES, ORDER_ATTRIBUTES

# The nested columns of `orders.clocks`, in the order in which judged_orders packs them.
CLOCK_COLUMNS = (
    "rule",
    "object",
    "object_type",
    "object_id",
    "from_milestone",
    "to_milestone",
    "from_event",
    "to_event",
    "started_at",
    "stopped_at",
    "due_at",
    "at_risk_at",
    "budget_s",
    "used_s",
    "calendar",
    "pauses",
    "state",
    "verdict",
    "provisional",
    "system",
    "error",
)

# The nested columns of `orders.names`, in the order in which judged_orders packs them.
NAME_COLUMNS = ("name", "object_type", "name_id", "target", "target_id")

_AS_OF = "{as_of:DateTime64(3, 'UTC')}"

FAILURES = """
-- One row: a milestone that failed on the object its failure was reported on; open until the word comes later.
WITH
    arrayFirstOrNull(t -> t > fails.failed_at, told.told_at) AS healed,
    arrayLastOrNull(t -> t < fails.failed_at, told.told_at) AS told_before
SELECT
    fails.order_no AS order_no, fails.milestone AS milestone, fails.object AS object,
    members.object_type AS object_type, members.object_id AS object_id, fails.system AS system,
    healed AS healed_at, healed IS NULL AS failing,
    assumeNotNull(arrayFirst(t -> isNull(told_before) OR t > assumeNotNull(told_before), fails.times)) AS since,
    fails.error AS error, fails.event AS event
FROM
(
    SELECT
        order_no, milestone, object, max(occurred_at) AS failed_at,
        argMax(if(authority = '', CAST(kind AS String), authority), (occurred_at, event_id, ev, base)) AS system,
        arraySort(groupUniqArray(occurred_at)) AS times,
        argMax(if(error != '', error, reason), (occurred_at, event_id, ev)) AS error,
        argMax(ev, (occurred_at, event_id, ev)) AS event
    FROM judged_reports
    WHERE polarity = 'failed'
    GROUP BY order_no, milestone, object
) AS fails
INNER JOIN judged_members AS members ON members.order_no = fails.order_no AND members.object = fails.object
LEFT JOIN judged_told AS told
    ON told.order_no = fails.order_no AND told.milestone = fails.milestone AND told.object = fails.object
"""


def _fits_sql(place: int, told: str) -> str:
    """Return whether a feed's scope leaves room for a clock: it declares none, none was told, or it was told."""
    return f"(f.{place} = '' OR empty({told}) OR has({told}, f.{place}))"


# The feeds that gate a clock: those of the kinds that may have the word, whose scope (company, warehouse, partner) fits
# it. What was told on the clock's object or below it counts; where nothing was told there, what was told anywhere in the
# order: its parts may lie in two warehouses. Where nothing was told at all, any feed of the kind may be the one to hear.
# `speaks` says which kinds are in question.
GATES = (
    "arrayFilter(f -> {speaks} AND "
    + " AND ".join(_fits_sql(i, told) for i, told in enumerate(SCOPES.values(), 3))
    + ", marks)"
)
MARKS = "(SELECT groupArray((connection, kind, company, warehouse, partner, watermark)) FROM feed_marks) AS marks"


TOLD_BELOW = """
-- One row: an object with what was told on it or below it.
SELECT
    tree.order_no AS order_no, tree.above AS object,
    groupUniqArrayIf(CAST(f.company AS String), f.company != '') AS companies,
    groupUniqArrayIf(CAST(f.warehouse AS String), f.warehouse != '') AS warehouses,
    groupUniqArrayIf(CAST(f.partner AS String), f.partner != '') AS partners
FROM judged_facts AS f
INNER JOIN judged_tree AS tree ON tree.order_no = f.order_no AND tree.object = f.object
WHERE f.company != '' OR f.warehouse != '' OR f.partner != ''
GROUP BY tree.order_no, tree.above
"""

FAILING = """
-- One row: an object that a failure which lasts concerns: the object itself, above it or below it.
SELECT e.order_no AS order_no, e.milestone AS milestone, e.object AS object,
    argMax(e.error, (e.since, e.error)) AS error, min(e.since) AS since
FROM
(
    SELECT f.order_no AS order_no, f.milestone AS milestone, tree.above AS object, f.error AS error, f.since AS since
    FROM judged_failures AS f
    INNER JOIN judged_tree AS tree ON tree.order_no = f.order_no AND tree.object = f.object
    WHERE f.failing
    UNION ALL
    SELECT f.order_no, f.milestone, tree.object, f.error, f.since
    FROM judged_failures AS f
    INNER JOIN judged_tree AS tree ON tree.order_no = f.order_no AND tree.above = f.object
    WHERE f.failing AND tree.object != f.object
) AS e
GROUP BY e.order_no, e.milestone, e.object
"""


def told_sql(beyond: str = "") -> str:
    """Return what holds on the object of a row for the scopes of feeds: told on it or below, else anywhere in its order.

    beyond: where the whole order counts in any case, because the row rests on other objects than its own.
    """
    whole = f" OR {beyond}" if beyond else ""
    return ",\n    ".join(
        f"if(empty(scopes.{plural}){whole}, o.all_{plural}, scopes.{plural}) AS {plural}" for plural in SCOPES.values()
    )


def cases_sql(book: Book) -> str:
    """Return the step with each order's attributes, first start, completion and cancellation."""
    process = book.process
    carried = (*ORDER_ATTRIBUTES, "own", *(f"all_{plural}" for plural in SCOPES.values()))
    attributes = ", ".join(f"profile.{name} AS {name}" for name in carried)
    done = [f"maxIf(complete_at, milestone = {text(d.milestone)} AND per = {text(d.per)})" for d in process.done]
    all_done = " AND ".join(
        f"countIf(milestone = {text(d.milestone)} AND per = {text(d.per)}) > 0" for d in process.done
    )
    latest = f"greatest({', '.join(done)})" if len(done) > 1 else (done[0] if done else "NULL")
    return f"""
-- One row: an order with what starts and closes it.
SELECT
    profile.order_no AS order_no, scope.order_id AS order_id, {attributes},
    profile.reporting_amount AS reporting_amount, profile.priority AS priority, profile.last_milestone AS last_milestone,
    profile.last_at AS last_at, profile.facts AS facts,
    starts.begun_at AS begun_at, starts.cancelled_at AS cancelled_at,
    multiIf(
        hand.marked_at IS NULL, finished.done_at, finished.done_at IS NULL, hand.marked_at,
        least(finished.done_at, hand.marked_at)) AS done_at,
    if(ifNull(done_at = hand.marked_at, 0), hand.marked_by, '') AS marked_by,
    ifNull(hand.held_by, '') AS held_by, ifNull(hand.assignee, '') AS assignee,
    if(hand.escalated AND hand.calmed_at IS NULL, hand.escalated_by, '') AS escalated_by
FROM judged_attributes AS profile
INNER JOIN scope ON scope.order_no = profile.order_no
LEFT JOIN
(
    SELECT
        order_no,
        minOrNullIf(ifNull(reached_at, echo_at), has({texts(process.start)}, milestone) AND (reached_at IS NOT NULL OR echo_at IS NOT NULL)) AS begun_at,
        minOrNullIf(reached_at, has({texts(process.cancelled)}, milestone)) AS cancelled_at
    FROM judged_reached
    GROUP BY order_no
) AS starts ON starts.order_no = profile.order_no
LEFT JOIN
(
    SELECT order_no, CAST(if({all_done or "0"}, {latest}, NULL) AS Nullable(DateTime64(3, 'UTC'))) AS done_at
    FROM judged_complete
    WHERE object IN (SELECT object FROM scope)
    GROUP BY order_no
) AS finished ON finished.order_no = profile.order_no
LEFT JOIN judged_hand AS hand ON hand.order_no = profile.order_no
""".strip()


def clocks_sql(book: Book, kinds: frozenset[str] | None) -> str:
    """Return the step that gives every clock its state and the order state it stands for."""
    asked = asked_sql(book, kinds, "s.to_milestone", "o", "s.object", [s.end.milestone for s in book.stages])
    return f"""
-- One row: a clock with its state now. verdict is the order state it stands for, '' when it stands for none.
WITH
    {MARKS},
    end_at IS NULL AND arrayExists(p -> p.1 <= {_AS_OF} AND p.2 > {_AS_OF}, s.holds) AS paused,
    multiIf(s.stopped, 'stopped', end_at IS NOT NULL, 'ended', paused, 'paused', 'running') AS clock_state,
    failing.error IS NOT NULL AND end_at IS NULL AS fails,
    ifNull(multiIf(clock_state IN ('running', 'paused'), due_at < {_AS_OF}, clock_state = 'ended', due_at < end_at AND NOT s.called_off, 0), 0) AS overdue,
    clock_state = 'running' AND overdue AS past,
    {told_sql()},
    {asked} AS asks,
    {GATES.format(speaks="has(asks, f.2)")} AS gates,
    if(s.to_echo_at IS NULL, s.due_at, if(s.due_at IS NULL, s.to_echo_at, greatest(s.due_at, s.to_echo_at))) AS pass_at,
    overdue AND arrayAll(f -> f.6 > assumeNotNull(pass_at), gates) AS passed
SELECT
    s.order_no AS order_no, s.rule AS rule, s.object AS object, s.object_type AS object_type, members.object_id AS object_id,
    s.from_milestone AS from_milestone, s.to_milestone AS to_milestone, s.provisional AS provisional,
    s.from_event AS from_event, s.to_event AS to_event, s.started_at AS started_at, s.end_at AS end_at,
    s.to_echo_at AS to_echo_at, s.due_at AS due_at, s.at_risk_at AS at_risk_at, intDiv(s.budget_ms, 1000) AS budget_s,
    intDiv(s.used_ms, 1000) AS used_s, s.calendar AS calendar, s.holds AS holds, s.system AS system,
    s.disorder AS disorder, s.after_cancelled AS after_cancelled, clock_state AS state, past, passed, pass_at,
    if(overdue AND NOT passed, arrayMap(f -> f.1, arrayFilter(f -> f.6 <= assumeNotNull(pass_at), gates)), []) AS waits_for,
    multiIf(
        fails, 'failing',
        past AND s.provisional, 'unknown',
        past AND NOT passed, 'unknown',
        past AND s.to_echo_at IS NOT NULL, 'diverging',
        past, 'late',
        s.disorder, 'diverging',
        clock_state = 'running' AND ifNull(s.at_risk_at <= {_AS_OF}, 0), 'at_risk',
        end_at IS NULL, 'on_track',
        '') AS verdict,
    if(fails, failing.error, '') AS error, if(fails, failing.since, NULL) AS failing_since
FROM judged_starts AS s
INNER JOIN judged_cases AS o ON o.order_no = s.order_no
INNER JOIN judged_members AS members ON members.order_no = s.order_no AND members.object = s.object
LEFT JOIN judged_scopes AS scopes ON scopes.order_no = s.order_no AND scopes.object = s.object
LEFT JOIN judged_failing AS failing
    ON failing.order_no = s.order_no AND failing.milestone = s.to_milestone AND failing.object = s.object
""".strip()


def orders_sql(book_hash: str, worst_doubt: str = "", ahead: str = "") -> str:
    """Return the step that makes the row of each order: state, worst clock and all its clocks.

    worst_doubt, ahead: what findings of rules that are no promises add (rules.compile.doubts).
    """
    moments = ("c.warns_at", "c.ends_at + toIntervalMillisecond(1)", "ahead.next_at")
    next_at = [f"ifNull({moment}, {FAR})" for moment in moments]
    waits_for, waits_until = "ifNull(c.waits_for, [])", "ifNull(c.waits_until, [])"
    if ahead:
        next_at.append(f"ifNull(d.next_at, {FAR})")
        waits_for, waits_until = f"arrayConcat({waits_for}, d.waits_for)", f"arrayConcat({waits_until}, d.waits_until)"
    rank = (
        "transform(x.verdict, "
        + texts(OPEN_STATES)
        + ", CAST(["
        + ", ".join(str(i) for i in range(len(OPEN_STATES)))
        + "] AS Array(UInt8)), toUInt8(99))"
    )
    at_risk = texts(AT_RISK_STATES)
    nested = ",\n    ".join(f"c.clocks.{i} AS `clocks.{name}`" for i, name in enumerate(CLOCK_COLUMNS, 1))
    names = ",\n    ".join(f"n.names.{i} AS `names.{name}`" for i, name in enumerate(NAME_COLUMNS, 1))
    own_attributes = ", ".join(f"o.{name} AS {name}" for name in ORDER_ATTRIBUTES)
    return f"""
-- One row: an order as the board shows it.
WITH
    ifNull(o.done_at IS NOT NULL AND NOT ifNull(c.open_since > o.done_at, 0), 0) AS is_done,
    multiIf(is_done, 'done', o.cancelled_at IS NOT NULL, 'cancelled', w.verdict != '', assumeNotNull(w.verdict), 'on_track') AS order_state,
    if(order_state = 'done', o.done_at, if(order_state = 'cancelled', o.cancelled_at, NULL)) AS closed,
    closed IS NOT NULL AS is_closed
SELECT
    o.order_no AS order_no, o.order_id AS order_id, o.begun_at IS NOT NULL AS on_board, order_state AS state,
    closed AS closed_at, o.begun_at AS started_at,
    if(is_closed, '', ifNull(w.rule, '')) AS stage, if(is_closed, '', ifNull(w.object_type, '')) AS object_type,
    if(is_closed, '', ifNull(w.object_id, '')) AS object_id,
    if(is_closed, closed, ifNull(w.since, o.last_at)) AS since, if(is_closed, NULL, w.due_at) AS due_at,
    if(is_closed, NULL, w.budget_s) AS budget_s,
    o.priority AS priority, {own_attributes}, o.reporting_amount AS reporting_amount,
    if(has({at_risk}, order_state), o.reporting_amount, if(o.reporting_amount IS NULL, NULL, toDecimal128(0, 6))) AS value_at_risk,
    if(is_closed, '', ifNull(w.system, '')) AS system, if(is_closed, '', ifNull(w.error, '')) AS error,
    o.last_milestone AS last_milestone, o.last_at AS last_at, if(is_closed, '', ifNull(w.to_milestone, '')) AS next_milestone,
    o.facts AS facts, o.own AS own,
    lower(hex(sipHash64(o.facts, order_state, stage, object_id, ifNull(toUnixTimestamp64Milli(due_at), 0), error))) AS version,
    least({", ".join(next_at)}) AS next_at,
    {waits_for} AS waits_for, {waits_until} AS waits_until,
    {nested},
    {names},
    o.held_by AS held_by, o.assignee AS assignee, o.escalated_by AS escalated_by,
    if(order_state = 'done', o.marked_by, '') AS closed_by,
    {text(book_hash)} AS book
FROM judged_cases AS o
LEFT JOIN
(
    SELECT
        order_no,
        arraySort(x -> (x.1, x.2), groupArray((
            rule, object, object_type, object_id, from_milestone, to_milestone, from_event, to_event, started_at,
            end_at, due_at, at_risk_at, budget_s, used_s, calendar,
            arrayMap(p -> (p.1, if(p.2 = {FAR}, NULL, p.2)), holds), state, verdict, provisional, system, error))) AS clocks,
        maxOrNullIf(started_at, end_at IS NULL) AS open_since,
        minOrNullIf(at_risk_at, state = 'running' AND at_risk_at > {_AS_OF}) AS warns_at,
        minOrNullIf(due_at, state = 'running' AND due_at >= {_AS_OF}) AS ends_at,
        arrayFlatten(groupArrayIf(k.waits_for, NOT provisional)) AS waits_for,
        arrayFlatten(groupArrayIf(arrayMap(w -> assumeNotNull(pass_at), k.waits_for), NOT provisional)) AS waits_until
    FROM judged_clocks AS k
    GROUP BY order_no
) AS c ON c.order_no = o.order_no
LEFT JOIN
(
    SELECT
        order_no, worst.1 AS verdict, worst.2 AS rule, worst.3 AS object_type, worst.4 AS object_id, worst.5 AS since,
        worst.6 AS due_at, worst.7 AS budget_s, worst.8 AS system, worst.9 AS error, worst.10 AS to_milestone
    FROM
    (
        SELECT
            x.order_no AS order_no,
            argMin((x.verdict, x.rule, x.object_type, x.object_id, x.since, x.due_at, x.budget_s, x.system, x.error, x.to_milestone),
                ({rank}, ifNull(x.due_at, {FAR}), x.rule, x.object_id, x.to_milestone, x.error)) AS worst
        FROM
        (
            SELECT order_no, CAST(verdict AS String) AS verdict, CAST(rule AS String) AS rule, CAST(object_type AS String) AS object_type,
                object_id, started_at AS since, due_at, budget_s, CAST(system AS String) AS system, error, CAST(to_milestone AS String) AS to_milestone
            FROM judged_clocks
            WHERE verdict != ''
            UNION ALL
            SELECT order_no, 'failing', '', object_type, object_id, since, NULL, NULL, CAST(system AS String), error, milestone
            FROM judged_failures
            WHERE failing AND (order_no, milestone) NOT IN (SELECT order_no, to_milestone FROM judged_clocks WHERE verdict = 'failing')
{worst_doubt}
        ) AS x
        GROUP BY x.order_no
    )
) AS w ON w.order_no = o.order_no
LEFT JOIN judged_ahead AS ahead ON ahead.order_no = o.order_no
{ahead}
LEFT JOIN
(
    SELECT order_no, arraySort(groupArray((name, object_type, name_id, target, target_id))) AS names
    FROM judged_names
    WHERE (order_no, target) IN (SELECT order_no, object FROM judged_members)
    GROUP BY order_no
) AS n ON n.order_no = o.order_no
""".strip()


AHEAD = f"""
-- One row: an order with a fact or a link that is known but has not happened yet as of the moment.
SELECT order_no, min(occurred_at) AS next_at
FROM
(
    SELECT order_no, occurred_at, received_at FROM case_facts WHERE order_no IN (SELECT order_no FROM scope)
    UNION ALL
    SELECT order_no, occurred_at, received_at FROM case_links WHERE order_no IN (SELECT order_no FROM scope)
)
WHERE occurred_at > {_AS_OF} AND received_at <= {{known_at:DateTime64(3, 'UTC')}}
GROUP BY order_no
"""

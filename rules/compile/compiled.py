"""The whole rulebook as an ordered list of steps."""

from __future__ import annotations

from dataclasses import dataclass

from rules.compile import anchors, authority, case, clocks, deadlines, doubts, hand, names, verdict
from rules.compile.quote import texts
from rules.kinds import diverging, escalated, failing, late, out_of_order, too_fast
from rules.model import Book


@dataclass(frozen=True, slots=True)
class Step:
    """One SELECT and the temporary table it fills.

    needs: what stands behind a FROM; where that gives no row the SELECT would give none either, and is not run.
    fixed: neither orders nor moments change what it fills.
    """

    table: str
    sql: str
    needs: str = ""
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Compiled:
    """A rulebook ready to run. kinds are the system kinds with a connection, None when all are known."""

    book: Book
    kinds: frozenset[str] | None
    steps: tuple[Step, ...]

    @property
    def text(self) -> str:
        """Return all SQL as one stable text for people and for comparison."""
        return "\n\n".join(f"-- {step.table}\n{step.sql}" for step in self.steps) + "\n"


def _completeness(book: Book) -> list[tuple[str, str, str]]:
    wanted = {("order", d.milestone, d.per) for d in book.process.done}
    wanted |= {
        (s.per, s.end.milestone, book.milestones[s.end.milestone].object)
        for s in book.stages
        if s.end.pick == "complete"
    }
    return sorted(wanted)


_SCOPED = "feed_marks WHERE company != '' OR warehouse != '' OR partner != ''"
_FAILED = "judged_reports WHERE polarity = 'failed'"


def _own(book: Book, kinds: frozenset[str] | None) -> tuple[Step, ...]:
    names = authority.owned_apart(book, kinds)
    return (Step("judged_own", authority.own_sql(names), needs=authority.told_apart(names)),) if names else ()


def _reached_below(completeness: list[tuple[str, str, str]]) -> str:
    names = texts(sorted({milestone for _, milestone, _ in completeness}))
    return f"judged_anchors WHERE down_first_at IS NOT NULL AND has({names}, milestone)"


def _any_finding(book: Book, kinds: frozenset[str] | None) -> str:
    """Return what must not be empty for a finding."""
    slowest_s = max((s.not_before_s or 0 for s in book.stages), default=0)
    parts = [
        "SELECT 1 FROM judged_clocks WHERE passed OR disorder OR after_cancelled"
        " OR (state = 'stopped' AND (ifNull(end_at > due_at, 0) OR "
        f"toUnixTimestamp64Milli(assumeNotNull(end_at)) - toUnixTimestamp64Milli(started_at) < {slowest_s * 1000}))",
        "SELECT 1 FROM judged_failures",
        "SELECT 1 FROM judged_hand WHERE escalated",
    ]
    if doubts.judged_rules(book, kinds):
        parts.append("SELECT 1 FROM judged_weighed WHERE found")
    return f"({' UNION ALL '.join(parts)})"


def _findings(book: Book, kinds: frozenset[str] | None) -> str:
    parts = [late.findings_sql(), diverging.findings_sql(), out_of_order.findings_sql(), failing.findings_sql()]
    parts += [too_fast.findings_sql(s) for s in book.stages if s.not_before_s]
    union = "\nUNION ALL\n".join(parts)
    union = f"SELECT *, 0 AS outlives, '' AS more FROM\n(\n{union}\n)\nUNION ALL\n{escalated.findings_sql()}"
    if doubts.judged_rules(book, kinds):
        union += f"\nUNION ALL\n{doubts.findings_sql(book, kinds)}"
    return f"""-- One row: a finding of a compiled rule as of the moment.
SELECT
    f.order_no AS order_no, c.order_id AS order_id, f.rule AS rule, f.kind AS kind, f.object AS object,
    f.object_type AS object_type, f.object_id AS object_id,
    lower(hex(sipHash64(f.order_no, f.rule, f.kind, f.object))) AS breach_id,
    ifNull(f.resolved_at, if(f.outlives, NULL, o.closed_at)) AS ended_at, if(ended_at IS NULL, 'open', 'resolved') AS state,
    f.opened_at AS opened_at, ended_at AS resolved_at,
    f.milestone AS milestone, f.system AS system, f.error AS error, f.from_event AS from_event, f.to_event AS to_event,
    f.started_at AS started_at, f.budget_s AS budget_s, f.used_s AS used_s, f.calendar AS calendar, f.holds AS holds, f.more AS more
FROM
(
{union}
) AS f
INNER JOIN judged_cases AS c ON c.order_no = f.order_no
INNER JOIN judged_orders AS o ON o.order_no = f.order_no
WHERE c.begun_at IS NOT NULL"""


def compile_book(book: Book, kinds: frozenset[str] | None = None) -> Compiled:
    """Return the steps that judge the orders in `scope` by this book, in the order they must run.

    kinds: the system kinds that have a connection; a milestone's authority of another kind is skipped. None when
    no connections are configured.
    """
    completeness = _completeness(book)
    steps = (
        Step(deadlines.CALENDARS, deadlines.calendars_sql(book), fixed=True),
        Step(clocks.STAGES, clocks.stages_sql(book), fixed=True),
        Step("judged_statements", names.STATEMENTS.strip()),
        Step("judged_same", names.SAME.strip(), needs="judged_statements"),
        Step("judged_chosen", names.CHOSEN.strip(), needs="judged_same"),
        Step("judged_names", names.NAMES.strip(), needs="judged_same"),
        Step("judged_links", names.LINKS.strip(), needs="judged_statements"),
        Step("judged_tree", case.TREE.strip()),
        Step("judged_members", case.MEMBERS.strip()),
        Step("judged_facts", case.FACTS.strip()),
        Step("judged_ahead", verdict.AHEAD.strip()),
        *_own(book, kinds),
        Step("judged_attributes", case.attributes_sql(book, kinds)),
        Step(
            "judged_reports",
            case.reports_sql(book, kinds, values=any(r.kind == "diverging" for r in doubts.judged_rules(book, kinds))),
        ),
        Step("judged_reached", case.REACHED.strip()),
        Step("judged_void", case.VOID.strip(), needs="judged_reached WHERE was_reversed"),
        Step("judged_anchors", anchors.anchors_sql(anchors.asked(book, completeness))),
        Step("judged_told", case.TOLD.strip(), needs=_FAILED),
        Step("judged_quantities", case.quantities_sql(book), needs="judged_facts WHERE quantity IS NOT NULL"),
        Step("judged_short", case.short_sql(completeness), needs="judged_quantities"),
        Step("judged_complete", case.complete_sql(completeness), needs=_reached_below(completeness)),
        Step("judged_failures", verdict.FAILURES.strip(), needs=_FAILED),
        Step("judged_hand", hand.HAND.strip(), needs="hand_facts"),
        Step("judged_cases", verdict.cases_sql(book)),
        Step("judged_runs", clocks.runs_sql(book, kinds)),
        Step("judged_ends", deadlines.ends_sql(), needs="judged_runs"),
        Step("judged_dues", deadlines.dues_sql(book), needs="judged_runs"),
        Step("judged_starts", deadlines.starts_sql(book), needs="judged_runs"),
        Step("judged_scopes", verdict.TOLD_BELOW.strip(), needs=_SCOPED),
        Step("judged_failing", verdict.FAILING.strip(), needs="judged_failures"),
        Step("judged_clocks", verdict.clocks_sql(book, kinds), needs="judged_runs"),
        *_doubts(book, kinds),
        _orders(book, kinds),
        Step("judged_findings", _findings(book, kinds), needs=_any_finding(book, kinds)),
    )
    return Compiled(book, kinds, steps)


def _doubts(book: Book, kinds: frozenset[str] | None) -> tuple[Step, ...]:
    if not doubts.judged_rules(book, kinds):
        return ()
    return (
        *(Step(table, sql, needs) for table, sql, needs in doubts.seen_sql(book, kinds)),
        Step("judged_doubts", doubts.doubts_sql(book, kinds), needs=doubts.any_seen(book, kinds)),
        Step("judged_weighed", doubts.weighed_sql(), needs="judged_doubts"),
    )


def _orders(book: Book, kinds: frozenset[str] | None) -> Step:
    if not doubts.judged_rules(book, kinds):
        return Step("judged_orders", verdict.orders_sql(book.hash))
    return Step("judged_orders", verdict.orders_sql(book.hash, doubts.worst_sql(book, kinds), doubts.AHEAD))

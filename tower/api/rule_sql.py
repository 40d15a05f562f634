"""GET /v1/rules/sql: what one rule of the book in force becomes, as the SQL that the engine runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from rules.compile import compile_book
from tower.api.auth import Caller, Context
from tower.api.docs import answers
from tower.api.wire import Json
from tower.model.problem import Problem

router = APIRouter()
_EXAMPLE = {
    "rule": "ship-to-invoice", "book": "a1b2c3", "where": "stages.yaml:33",
    "steps": [{"table": "judged_runs", "sql": "-- One row: one stage running on one object of one order. ..."}],
}  # fmt: skip


@router.get("/v1/rules/sql", summary="The SQL of one rule", responses=answers(_EXAMPLE, 400, 404))
def show_sql(
    context: Context, _: Caller, rule: Annotated[str, Query(max_length=200, description="A stage or finding")]
) -> Response:
    """Show the compiled steps of the book with this rule alone, in the order in which they run."""
    book = context.book()
    stage, finding = book.stage(rule), book.finding(rule)
    if stage is not None:
        alone, where = replace(book, stages=(stage,), findings=()), stage.where
    elif finding is not None:
        alone, where = replace(book, findings=(finding,)), finding.where
    else:
        raise Problem(404, "unknown_rule", f"the rulebook has no rule {rule!r}; see GET /v1/rules")
    steps = compile_book(alone, context.connections.kinds).steps
    if finding is not None:
        steps = tuple(step for step in steps if step.table in ("judged_doubts", "judged_weighed"))
    return Json(
        {
            "rule": rule,
            "book": book.hash,
            "where": where,
            "steps": [{"table": step.table, "sql": step.sql} for step in steps],
        }
    )

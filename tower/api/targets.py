"""GET /v1/targets: where actions go."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from tower.api.auth import Caller, Context
from tower.api.docs import answers
from tower.api.wire import Json

router = APIRouter()
_EXAMPLE = {
    "targets": [
        {
            "name": "middleware", "kind": "http", "url": "http://127.0.0.1:9000", "auth": "bearer",
            "timeout_s": 10.0, "actions": ["retry-invoice"],
        }
    ]
}  # fmt: skip


@router.get("/v1/targets", summary="Where actions go", responses=answers(_EXAMPLE))
def list_targets(context: Context, _: Caller) -> Response:
    """List the targets of the rulebook with the actions that use them; never a secret or its name."""
    book = context.book()
    return Json(
        {
            "targets": [
                {
                    "name": t.name,
                    "kind": t.kind,
                    "url": t.url,
                    "auth": next(iter(t.auth), None),
                    "timeout_s": t.timeout_s,
                    "actions": [a.id for a in book.actions if a.target == t.name],
                }
                for t in book.targets.values()
            ]
        }
    )

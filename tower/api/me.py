"""GET /v1/me: who the caller is to the tower."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from tower.api.auth import Caller
from tower.api.docs import answers
from tower.api.wire import Json

router = APIRouter()
_EXAMPLE = {"name": "nina", "roles": ["operator"], "connections": [], "scopes": ["warehouse=HH2"]}


@router.get("/v1/me", summary="Who you are", responses=answers(_EXAMPLE))
def who_am_i(principal: Caller) -> Response:
    """Return name, roles and scopes of the key, and the connections it may send for (`*`: any)."""
    return Json(
        {
            "name": principal.name,
            "roles": sorted(principal.roles),
            "connections": sorted(principal.connections),
            "scopes": sorted(principal.scopes),
        }
    )

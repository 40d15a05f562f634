"""Who may do what: the table of permissions, put before every endpoint. 401 without a key, 403 without the right."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header, Request

from tower.api.context import ApiContext
from tower.api.permissions import Permit, Scoped, permit_of, place
from tower.model.principal import Principal
from tower.model.problem import Problem
from tower.model.scope import Scope, scope_of

_MISSING = (
    "{place} has no row in tower/api/permissions.py, so nobody may ask it: write the row (who may ask, and what a "
    "scoped key gets), then `make format` for docs/permissions.md"
)


def context_of(request: Request) -> ApiContext:
    """Return the context the application was made with."""
    context = request.app.state.context
    assert isinstance(context, ApiContext)
    return context


Context = Annotated[ApiContext, Depends(context_of)]


def _caller(
    request: Request, context: Context, authorization: Annotated[str | None, Header(include_in_schema=False)] = None
) -> Principal:
    principal = context.authenticate(authorization)
    if principal is None:
        raise Problem(
            401,
            "unauthenticated",
            "send a live key as `Authorization: Bearer <token>`; one that expired, was rotated or revoked is dead",
        )
    request.state.o2c_principal = principal.name
    permit = _permit(request)
    scope = scope_of(principal, context.connections)
    if scope is not None and permit.scoped is Scoped.REFUSED:
        limits = ", ".join(sorted(scope.limits))
        raise Problem(403, "partner_scope", f"the key {principal.name!r} sees orders and messages of its {limits} only")
    if not permit.allows(principal.roles):
        wanted = " or ".join(sorted(permit.roles - {"admin"})) or "admin"
        raise Problem(403, "forbidden", f"this needs the role {wanted}; the key {principal.name!r} does not have it")
    request.state.o2c_scope = scope
    return principal


def _permit(request: Request) -> Permit:
    path = request.scope["route"].path
    permit = permit_of(request.method, path)
    if permit is None:
        raise Problem(403, "no_permission", _MISSING.format(place=place(request.method, path)))
    return permit


def _scope(request: Request) -> Scope | None:
    scope: Scope | None = request.state.o2c_scope
    return scope


# Every endpoint takes its caller, which is where the table is looked at. After it, where the table lets scoped keys
# in: what the caller may see.
Caller = Annotated[Principal, Depends(_caller)]
Seen = Annotated[Scope | None, Depends(_scope)]

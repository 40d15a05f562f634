"""Who may do what: dependencies that answer 401 without a key and 403 without the role."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Header, Request

from tower.api.context import ApiContext
from tower.model.principal import Principal
from tower.model.problem import Problem
from tower.model.scope import Scope, scope_of


def context_of(request: Request) -> ApiContext:
    """Return the context the application was made with."""
    context = request.app.state.context
    assert isinstance(context, ApiContext)
    return context


# What a partner's key may ask; each of these answers within its scope.
_OF_PARTNERS = re.compile(r"/v1/(?:me|feeds|raw|quarantine|orders(?:/.+)?)\Z|/openapi\.json\Z")

Context = Annotated[ApiContext, Depends(context_of)]


def _require(role: str) -> Callable[..., Principal]:
    def dependency(
        request: Request, context: Context, authorization: Annotated[str | None, Header(include_in_schema=False)] = None
    ) -> Principal:
        principal = context.authenticate(authorization)
        if principal is None:
            raise Problem(401, "unauthenticated", "send a live key as `Authorization: Bearer <token>`")
        request.state.o2c_principal = principal.name
        scope = scope_of(principal, context.connections) if context.connections else None
        if scope is not None and not _OF_PARTNERS.match(request.url.path):
            raise Problem(
                403, "partner_scope", f"the key {principal.name!r} sees orders and messages of its partner only"
            )
        request.state.o2c_scope = scope
        if not principal.can(role):
            raise Problem(403, "forbidden", f"this needs the role {role}; the key {principal.name!r} does not have it")
        return principal

    return dependency


def _scope(request: Request) -> Scope | None:
    scope: Scope | None = request.state.o2c_scope
    return scope


# After the role in an endpoint's parameters: what its caller may see.
Seen = Annotated[Scope | None, Depends(_scope)]
Viewer = Annotated[Principal, Depends(_require("viewer"))]
Operator = Annotated[Principal, Depends(_require("operator"))]
Admin = Annotated[Principal, Depends(_require("admin"))]

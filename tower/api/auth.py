"""Who may do what: dependencies that answer 401 without a key and 403 without the role."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Header, Request

from tower.api.context import ApiContext
from tower.model.principal import Principal
from tower.model.problem import Problem


def context_of(request: Request) -> ApiContext:
    """Return the context the application was made with."""
    context = request.app.state.context
    assert isinstance(context, ApiContext)
    return context


Context = Annotated[ApiContext, Depends(context_of)]


def _require(role: str) -> Callable[..., Principal]:
    def dependency(
        request: Request, context: Context, authorization: Annotated[str | None, Header(include_in_schema=False)] = None
    ) -> Principal:
        principal = context.authenticate(authorization)
        if principal is None:
            raise Problem(401, "unauthenticated", "send a live key as `Authorization: Bearer <token>`")
        request.state.o2c_principal = principal.name
        if not principal.can(role):
            raise Problem(403, "forbidden", f"this needs the role {role}; the key {principal.name!r} does not have it")
        return principal

    return dependency


Viewer = Annotated[Principal, Depends(_require("viewer"))]
Operator = Annotated[Principal, Depends(_require("operator"))]
Admin = Annotated[Principal, Depends(_require("admin"))]
